"""The pages of « Réglages », in the order of their navigation. A new page is one line here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from shared_apps.accounts.models import Account


@dataclass(frozen=True)
class SettingsPage:
    """`route` is also the `place` that its view, and the views of the pages below it, give to `screen`."""

    route: str
    label: "StrPromise"
    in_person: bool = False  # absent for an operator in somebody's place

    @property
    def address(self) -> str:
        """For `{% url %}`."""
        return f"backoffice:{self.route}"


PAGES = (
    SettingsPage("town", _("Commune")),
    SettingsPage("identity", _("Identité")),
    SettingsPage("regies", _("Régies et PayFiP")),
    SettingsPage("sources", _("Provenances des fichiers")),
    SettingsPage("message-settings", _("Messages et rappels")),
    SettingsPage("notices", _("Textes légaux")),
    SettingsPage("team", _("Équipe"), in_person=True),
    SettingsPage("sign-in-settings", _("Connexion")),
    SettingsPage("openid", _("FranceConnect")),
    SettingsPage("staff-openid", _("Connexion des agents"), in_person=True),
    SettingsPage("privacy", _("Données personnelles")),
    SettingsPage("journal", _("Journal")),
    SettingsPage("exchange", _("Importer, exporter")),
)


def pages_for(account: "Account") -> Iterator[SettingsPage]:
    """Those that this manager may open."""
    return (page for page in PAGES if account.impersonated_by is None or not page.in_person)
