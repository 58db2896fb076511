"""Open a town so that it can serve at once: registry, schema, settings, first manager (an operation)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError

from shared_apps.accounts.models import Role
from shared_apps.accounts.team.services import invite
from shared_apps.audit import services as audit
from tenant_apps.products import protocols
from tenant_apps.products.services import set_up_first_product
from tenant_apps.townhall.services import set_up_townhall
from tenants import identity
from tenants.current import REGISTRY, registry, shard_aliases
from tenants.databases import mirrors
from tenants.errors import Busy, TownError
from tenants.life import services
from tenants.models import LIVE, Operation, Town
from tenants.states import TownState
from tenants.work import agenda, operations
from tenants.work.operations import Progress
from toolkit import emails

KIND = "open"


@dataclass(frozen=True)
class NewTown:
    """The data of a new town. `manager`, if given, is invited by mail.

    `regie` is the label of its first product, and `number` the number of this product at its provider.
    """

    slug: str
    name: str
    contact_email: str
    manager: str = ""
    legal_name: str = ""
    siren: str = ""
    insee: str = ""
    shard: str = REGISTRY
    regie: str = ""
    number: str = ""

    def check(self) -> None:
        """Raise TownError (InvalidSlug, InvalidIdentity) for the first wrong value."""
        for _field, error in self.problems():
            raise error

    def problems(self) -> Iterator[tuple[str, TownError]]:
        """Each field whose value is wrong, with the error that says why."""
        for field, check in _CHECKS.items():
            try:
                check(self)
            except TownError as error:
                yield field, error

    @property
    def arguments(self) -> dict[str, str]:
        """As JSON, for the operation's row."""
        return {name: value for name, value in asdict(self).items() if name != "slug"}


def _check_name(new: NewTown) -> None:
    if not new.name.strip() or len(new.name) > 120:
        raise TownError("Le nom de la commune compte de 1 à 120 caractères.")


def _check_legal_name(new: NewTown) -> None:
    if len(new.legal_name) > 160:
        raise TownError("Le nom officiel compte 160 caractères au plus.")


def _check_contact(new: NewTown) -> None:
    if not new.contact_email:
        raise TownError("Indiquez l'adresse du service de facturation.")
    _check_address(new.contact_email)


def _check_manager(new: NewTown) -> None:
    if new.manager:
        _check_address(new.manager)


def _check_address(address: str) -> None:
    try:
        emails.normalise(address)
    except emails.BadAddress as error:
        raise TownError(f"« {address} » n'est pas une adresse de courriel. {error}") from None


def _check_shard(new: NewTown) -> None:
    if new.shard not in shard_aliases():
        raise TownError(f"Aucune base « {new.shard} ».")


def _check_regie(new: NewTown) -> None:
    if len(new.regie) > 80:
        raise TownError("Le libellé de la régie compte 80 caractères au plus.")


def _check_number(new: NewTown) -> None:
    if new.number and (problem := protocols.problem(protocols.first(), new.number)):
        raise TownError(problem)


_CHECKS: dict[str, Callable[[NewTown], None]] = {
    "slug": lambda new: services.check_slug(new.slug),
    "siren": lambda new: identity.check_siren(new.siren),
    "insee": lambda new: identity.check_insee(new.insee),
    "name": _check_name,
    "legal_name": _check_legal_name,
    "contact_email": _check_contact,
    "manager": _check_manager,
    "shard": _check_shard,
    "regie": _check_regie,
    "number": _check_number,
}


def request_opening(*, actor: audit.Actor, new: NewTown) -> Operation:
    """Ask the worker to open it. Raises TownError (TownExists and Busy among them); then nothing is kept."""
    new.check()
    services.check_free(new.slug)
    return operations.request(kind=KIND, subject=new.slug, actor=actor, arguments=new.arguments)


def open_now(*, actor: audit.Actor, new: NewTown, watch: Any = lambda operation: None) -> Operation:
    """Open it in the foreground, passing each step to `watch`; go on with an interrupted opening.

    Raises TownError; Busy when an interrupted opening had other details (the worker finishes that one).
    """
    new.check()
    with registry():
        left = Operation.objects.filter(kind=KIND, subject=new.slug, state__in=LIVE).first()
    if left is None:
        services.check_free(new.slug)
    elif left.arguments != new.arguments:
        raise Busy(
            f"Une ouverture de « {new.slug} » a commencé avec d'autres renseignements : "
            "elle se terminera d'elle-même dans une minute."
        )
    return operations.run(kind=KIND, subject=new.slug, actor=actor, arguments=new.arguments, watch=watch)


def work(operation: Operation, progress: Progress) -> Mapping[str, Any]:
    """The work of the operation: go on from where a kill left it, and send one invitation."""
    new = NewTown(slug=operation.subject, **operation.arguments)
    town: Town | None = operation.town
    if town is None or town.state == TownState.OPENING:
        town = _open(operation, progress, new)
    else:  # the process was killed before the last write
        mirrors.mirror(town)
        agenda.release(town)
    return {"town": str(town.uuid)}


def _open(operation: Operation, progress: Progress, new: NewTown) -> Town:
    actor = operation.requested_by

    def on_step(town: Town, words: str, number: int) -> None:
        if operation.town_id != town.pk:
            operation.town = town
            operation.save(update_fields=["town"])
        progress.step(words, number, services.STEPS)

    try:
        return services.open_town(
            actor=actor,
            slug=new.slug,
            name=new.name,
            legal_name=new.legal_name,
            siren=new.siren,
            insee=new.insee,
            shard=new.shard,
            furnish=lambda town: _furnish(_in_the_town(actor), new),
            on_step=on_step,
        )
    except ValidationError as error:
        raise TownError(" ".join(error.messages)) from None


def _in_the_town(actor: str) -> str:
    """How the trail of a town names an operator, whose account is in the registry; the system stays as it is."""
    return actor.replace("account:", "operator:", 1)


def _furnish(actor: str, new: NewTown) -> None:
    """Inside the town: write its settings and its first product, and invite its manager."""
    set_up_townhall(actor=actor, name=new.name, contact_email=new.contact_email)
    if new.manager:  # before the product: an account is locked first (payments.books.locking)
        invite(actor=actor, email=new.manager, role=Role.MANAGER)
    set_up_first_product(actor=actor, label=new.regie, number=new.number)
