"""For whom a provider signs people in. A town may have one for each, and what one says is nothing to the other."""

from enum import StrEnum

from shared_apps.accounts.models import STAFF_ROLES, Role


class Audience(StrEnum):
    """The residents (FranceConnect), or the staff (ProConnect, or the town's own provider)."""

    RESIDENTS = "residents"
    STAFF = "staff"

    @property
    def roles(self) -> tuple[Role, ...]:
        """The only roles whose accounts it may open."""
        return (Role.RESIDENT,) if self is Audience.RESIDENTS else STAFF_ROLES

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is asked about the person, as far as the provider offers it. ProConnect says `usual_name`."""
        if self is Audience.RESIDENTS:
            return ("email", "given_name", "family_name", "birthdate")
        return ("email", "given_name", "usual_name")

    @property
    def level(self) -> str:
        """The level of assurance that is asked for; empty: none. ProConnect refuses parameters it does not list."""
        return "eidas1" if self is Audience.RESIDENTS else ""
