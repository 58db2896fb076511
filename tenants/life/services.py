"""The only writers of the registry."""

import logging
import re
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tenants.utils import tenant_context

from tenants import facts
from tenants.current import REGISTRY, at, homes
from tenants.current import registry as in_registry
from tenants.databases import mirrors
from tenants.databases.outages import is_silence
from tenants.errors import HomeSilent, InvalidSlug, TownError, TownExists, WrongState
from tenants.hosts import registry
from tenants.identity import check_insee, check_siren
from tenants.models import Domain, Operation, Town
from tenants.schema import provisioning
from tenants.states import EDGES, TownState
from tenants.work import agenda

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Hosts of the platform, of its mail and of the network's customs: no town may be taken for one of them.
RESERVED = frozenset(
    """
    admin api app assets autoconfig autodiscover callback cdn contact demo-mail ftp imap localhost
    mail mx ns ns1 ns2 paiement payfip pop postmaster public root s3 smtp static status support
    test tipi webmail wpad www
    """.split()  # noqa: SIM905
)
log = logging.getLogger(__name__)
Furnish = Callable[[Town], None]
OnStep = Callable[[Town, str, int], None]  # the town, what begins now, its number of STEPS
STEPS = 3


def open_town(
    *,
    slug: str,
    name: str,
    legal_name: str = "",
    siren: str = "",
    insee: str = "",
    shard: str = REGISTRY,
    furnish: Furnish = lambda town: None,
    on_step: OnStep = lambda town, words, number: None,
    actor: facts.Actor = facts.SYSTEM,
) -> Town:
    """Open a town at `<slug>.<base domain>`; `furnish(town)` sets it up, inside it, before anybody sees it.

    Three steps: the registry's rows (state OPENING, served to nobody); the schema and its furniture in one
    transaction on its shard; state OPEN. A refusal keeps nothing. Cut short by a kill, it goes on where it was
    when it is asked for again under the same slug. Raises InvalidSlug, TownExists, HomeSilent or TemplateMissing.
    """
    check_slug(slug)
    check_siren(siren)
    check_insee(insee)
    if shard not in homes():
        raise TownError(f"Aucune base « {shard} ».")
    with in_registry():
        town = _reserve(
            Town(slug=slug, name=name, legal_name=legal_name, siren=siren, insee=insee, shard=shard)
        )
        on_step(town, _("Copie du schéma modèle et réglages"), 1)
        try:
            _build(town, furnish)
        except OperationalError as error:
            _give_up(town)
            if not is_silence(error):
                raise
            raise HomeSilent(town.shard) from error
        except BaseException:
            _give_up(town)
            raise
        on_step(town, _("Mise en service"), 2)
        with transaction.atomic():
            town.state = TownState.OPEN
            town.save(update_fields=["state", "schema_version"])
            facts.record(
                "town.opened", town=town, actor=actor, new={"slug": slug, "name": name, "shard": shard}
            )
        mirrors.mirror(town)
        agenda.release(town)  # its furniture may have asked for work, the first manager's invitation for one
        on_step(town, _("Ouverte"), STEPS)
    registry.forget()
    return town


def check_slug(slug: str) -> None:
    """Raises InvalidSlug with a sentence."""
    # xn-- would show as other letters in the address bar.
    if not SLUG.fullmatch(slug) or slug[2:4] == "--":
        raise InvalidSlug(
            f"« {slug} » ne convient pas : lettres minuscules, chiffres et tirets (40 au plus)."
        )
    if slug in RESERVED:
        raise InvalidSlug(f"« {slug} » est réservé à la plateforme.")


def check_free(slug: str) -> None:
    """Raises TownExists when the address is a town's, or was one's. An opening that was cut short leaves it free."""
    with in_registry():
        taken = Domain.objects.filter(domain=host_of(slug)).exclude(tenant__slug=slug).exists()
        if taken or Town.objects.filter(slug=slug).exclude(state=TownState.OPENING).exists():
            raise TownExists(f"Une commune « {slug} » existe déjà, ou cette adresse a été la sienne.")


def host_of(slug: str) -> str:
    """The platform's host of that slug."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def schema_of(slug: str) -> str:
    """The name of a new town's schema."""
    return "t_" + slug.replace("-", "_")


def _reserve(town: Town) -> Town:
    """The registry's rows. An opening that was cut short under the same slug is taken up again."""
    check_free(town.slug)
    begun: Town | None = Town.objects.filter(slug=town.slug).first()
    if begun is not None:
        if Operation.objects.filter(town=begun, kind="restore").exists():
            raise TownExists(f"« {town.slug} » est à moitié remise : reprenez restore_town, ou erase_town.")
        for field in ("name", "legal_name", "siren", "insee", "shard"):
            setattr(begun, field, getattr(town, field))
        begun.save()
        return begun
    town.schema_name = schema_of(town.slug)
    try:
        with transaction.atomic():
            town.save()
            Domain.objects.create(tenant=town, domain=host_of(town.slug), is_primary=True)
    except IntegrityError:
        raise TownExists(f"Une commune « {town.slug} » existe déjà.") from None
    return town


def _build(town: Town, furnish: Furnish) -> None:
    """The schema and what is in it, whole or not at all. A schema that is there already was whole."""
    mirrors.mirror(town)
    with at(town.shard), transaction.atomic():
        if not _has_schema(town.schema_name):
            town.schema_version = provisioning.copy_template(town.schema_name)
            with tenant_context(town):
                furnish(town)
        else:
            town.schema_version = town.schema_version or provisioning.version_of_schema(town.schema_name)


def _has_schema(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name])
        return cursor.fetchone() is not None


def _give_up(town: Town) -> None:
    """An opening that was refused leaves its slug free: `_build` has kept nothing. What it kept once stays.

    So does the row when its shard is silent: who knows what it kept. It is taken up again, there or elsewhere.
    """
    if connection.needs_rollback:
        return
    try:
        with at(town.shard):
            built = _has_schema(town.schema_name)
        if not built:
            mirrors.unmirror(town, town.shard)
    except OperationalError:
        return
    if not built:
        Town.objects.filter(pk=town.pk, state=TownState.OPENING).delete()


def set_state(
    *,
    town: Town,
    to: TownState,
    actor: facts.Actor = facts.SYSTEM,
    reason: str = "",
    closes_at: datetime | None = None,
) -> Town:
    """Move a town along an edge of `states.EDGES`; at once, and instantly. `closes_at` is for CLOSING only.

    Asking for the state it is in writes nothing, and does what a kill may have left undone. Raises WrongState.
    """
    with in_registry(), transaction.atomic():
        locked: Town = Town.objects.select_for_update().get(pk=town.pk)
        if locked.state != to:
            _move(locked, to, closes_at, actor, reason)
    registry.forget()
    try:
        mirrors.mirror(locked)
        if to == TownState.OPEN:
            agenda.release(locked)
    except OperationalError:  # the registry has it, which is what counts; a silent shard serves nobody
        log.warning("the database %s does not answer; its copy of %s is late", locked.shard, locked.slug)
    return locked


def _move(locked: Town, to: TownState, closes_at: datetime | None, actor: facts.Actor, reason: str) -> None:
    # Only the opening, or the restoration, knows that it is whole; an erasure does not need it to be.
    half_made = locked.state == TownState.OPENING and to != TownState.CLOSED
    if half_made or (TownState(locked.state), to) not in EDGES:
        raise WrongState(f"{locked.name} est {locked.get_state_display()} : impossible pour l'instant.")
    delayed = locked.state == TownState.CLOSING and to == TownState.CLOSED
    if delayed and (locked.closes_at is None or locked.closes_at > timezone.now()):
        raise WrongState(f"Le délai de fermeture de {locked.name} court encore.")
    old, locked.state = locked.state, to
    if to != TownState.CLOSED:  # which keeps the date of its closure
        locked.closes_at = closes_at
    locked.save(update_fields=["state", "closes_at"])
    new = {"state": to, "reason": reason, **({"closes_at": closes_at.isoformat()} if closes_at else {})}
    facts.record(VERBS[to], town=locked, actor=actor, old={"state": old}, new=new)


VERBS = {
    TownState.OPEN: "town.resumed",
    TownState.SUSPENDED: "town.suspended",
    TownState.CLOSING: "town.closing",
    TownState.CLOSED: "town.closed",
}


def town_named(slug: str) -> Town:
    """The town of that slug. Raises TownError with a sentence for the operator."""
    with in_registry():
        town: Town | None = Town.objects.filter(slug=slug).first()
    if town is None:
        raise TownError(f"Aucune commune « {slug} ».")
    return town
