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
from tenants.current import REGISTRY, in_shard, shard_aliases
from tenants.current import registry as in_registry
from tenants.databases import mirrors
from tenants.databases.outages import is_silence
from tenants.errors import InvalidSlug, ShardSilent, TownError, TownExists, WrongState
from tenants.hosts import registry
from tenants.identity import check_insee, check_siren
from tenants.models import Domain, Operation, Town
from tenants.schema import provisioning
from tenants.states import EDGES, TownState
from tenants.work import agenda

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Names that the platform, its mail or the network use: no town may have one of them.
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
    """Open a town at `<slug>.<base domain>`. `furnish(town)` runs inside it before it is served.

    Three steps: the registry's rows (state OPENING, not served); the schema and its first rows in one
    transaction on its shard; state OPEN. A refusal keeps nothing. After a kill, the next call with the same slug
    goes on. Raises InvalidSlug, TownExists, ShardSilent or TemplateMissing.
    """
    check_slug(slug)
    check_siren(siren)
    check_insee(insee)
    if shard not in shard_aliases():
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
            raise ShardSilent(town.shard) from error
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
        agenda.release(town)  # `furnish` may have planned work, such as the first manager's invitation
        on_step(town, _("Ouverte"), STEPS)
    registry.forget()
    return town


def check_slug(slug: str) -> None:
    """Raise InvalidSlug, with a sentence, for a slug that no town may have."""
    # Browsers show xn-- as other letters.
    if not SLUG.fullmatch(slug) or slug[2:4] == "--":
        raise InvalidSlug(
            f"« {slug} » ne convient pas : lettres minuscules, chiffres et tirets (40 au plus)."
        )
    if slug in RESERVED:
        raise InvalidSlug(f"« {slug} » est réservé à la plateforme.")


def check_free(slug: str) -> None:
    """Raise TownExists when a town has, or had, the address. An interrupted opening does not count."""
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
    """Create the registry's rows, or find those of an interrupted opening with the same slug."""
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
    """Create the schema and its rows in one transaction. An existing schema is complete."""
    mirrors.mirror(town)
    with in_shard(town.shard), transaction.atomic():
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
    """Free the slug of a refused opening: `_build` has kept nothing. A schema that exists stays.

    The row stays too when its shard does not answer; the opening can be resumed there or elsewhere.
    """
    if connection.needs_rollback:
        return
    try:
        with in_shard(town.shard):
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
    """Change a town's state along an edge of `states.EDGES`, at once. `closes_at` is for CLOSING only.

    Asking for its current state writes nothing and repeats what a kill may have left undone. Raises WrongState.
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
    except OperationalError:  # the registry decides; a shard that does not answer serves nobody
        log.warning("the database %s does not answer; its copy of %s is late", locked.shard, locked.slug)
    return locked


def _move(locked: Town, to: TownState, closes_at: datetime | None, actor: facts.Actor, reason: str) -> None:
    # Only opening and restoring know that the town is complete; an erasure need not.
    half_made = locked.state == TownState.OPENING and to != TownState.CLOSED
    if half_made or (TownState(locked.state), to) not in EDGES:
        raise WrongState(f"{locked.name} est {locked.get_state_display()} : impossible pour l'instant.")
    delayed = locked.state == TownState.CLOSING and to == TownState.CLOSED
    if delayed and (locked.closes_at is None or locked.closes_at > timezone.now()):
        raise WrongState(f"Le délai de fermeture de {locked.name} court encore.")
    old, locked.state = locked.state, to
    if to != TownState.CLOSED:  # a closed town keeps its date
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
