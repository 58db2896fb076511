"""The only writers of the registry."""

import re
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django_tenants.utils import tenant_context

from tenants import agenda, facts, mirrors, provisioning, registry
from tenants.current import REGISTRY, at, homes
from tenants.current import registry as in_registry
from tenants.errors import HomeSilent, InvalidSlug, TownError, TownExists, WrongState
from tenants.identity import check_insee, check_siren
from tenants.models import Domain, Town
from tenants.states import EDGES, TownState

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Hosts of the platform, of its mail and of the network's customs: no town may be taken for one of them.
RESERVED = frozenset(
    """
    admin api app assets autoconfig autodiscover callback cdn contact demo-mail ftp imap localhost
    mail mx ns ns1 ns2 paiement payfip pop postmaster public root s3 smtp static status support
    test tipi webmail wpad www
    """.split()  # noqa: SIM905
)
Furnish = Callable[[Town], None]


def open_town(
    *,
    slug: str,
    name: str,
    legal_name: str = "",
    siren: str = "",
    insee: str = "",
    shard: str = REGISTRY,
    furnish: Furnish = lambda town: None,
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
        try:
            _build(town, furnish)
        except OperationalError as error:
            _give_up(town)
            raise HomeSilent(town.shard) from error
        except BaseException:
            _give_up(town)
            raise
        with transaction.atomic():
            town.state = TownState.OPEN
            town.save(update_fields=["state", "schema_version"])
            facts.record(
                "town.opened", town=town, actor=actor, new={"slug": slug, "name": name, "shard": shard}
            )
        mirrors.mirror(town)
    registry.forget()
    return town


def check_slug(slug: str) -> None:
    """Raises InvalidSlug with a sentence."""
    if not SLUG.fullmatch(slug):
        raise InvalidSlug(
            f"« {slug} » ne convient pas : lettres minuscules, chiffres et tirets (40 au plus)."
        )
    if slug in RESERVED:
        raise InvalidSlug(f"« {slug} » est réservé à la plateforme.")


def schema_of(slug: str) -> str:
    """The name of a new town's schema."""
    return "t_" + slug.replace("-", "_")


def _reserve(town: Town) -> Town:
    """The registry's rows. An opening that was cut short under the same slug is taken up again."""
    begun: Town | None = Town.objects.filter(slug=town.slug).first()
    if begun is not None and begun.state == TownState.OPENING:
        for field in ("name", "legal_name", "siren", "insee"):
            setattr(begun, field, getattr(town, field))
        begun.save()
        return begun
    host = f"{town.slug}.{settings.BASE_DOMAIN}"
    if begun is not None or Domain.objects.filter(domain=host).exists():
        raise TownExists(f"Une commune « {town.slug} » existe déjà, ou cette adresse a été la sienne.")
    town.schema_name = schema_of(town.slug)
    try:
        with transaction.atomic():
            town.save()
            Domain.objects.create(tenant=town, domain=host, is_primary=True)
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
    """An opening that was refused leaves its slug free. `_build` has kept nothing."""
    if not connection.needs_rollback:
        Town.objects.filter(pk=town.pk, state=TownState.OPENING).delete()
        with suppress(OperationalError):  # a copy left on a shard that fell silent gives way to the next town
            mirrors.unmirror(town, town.shard)


def set_state(*, town: Town, to: TownState, actor: facts.Actor = facts.SYSTEM, reason: str = "") -> Town:
    """Move a town along an edge of `states.EDGES`. Asking for the state it is in changes nothing."""
    with in_registry(), transaction.atomic():
        locked: Town = Town.objects.select_for_update().get(pk=town.pk)
        if locked.state == to:
            return locked
        if (TownState(locked.state), to) not in EDGES:
            raise WrongState(f"{locked.name} est {locked.get_state_display()} : impossible pour l'instant.")
        old = locked.state
        locked.state = to
        if to != TownState.CLOSING:
            locked.closes_at = None
        locked.save(update_fields=["state", "closes_at"])
        verb = VERBS[to]
        facts.record(verb, town=locked, actor=actor, old={"state": old}, new={"state": to, "reason": reason})
    mirrors.mirror(locked)
    if to == TownState.OPEN:
        agenda.release(locked)
    registry.forget()
    return locked


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
