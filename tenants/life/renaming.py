"""A town changes its address: the old one redirects for ever, and the schema keeps its name."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from tenants import facts
from tenants.current import registry as in_registry
from tenants.databases import mirrors
from tenants.errors import TownExists, WrongState
from tenants.hosts import registry
from tenants.life import services
from tenants.models import Domain, DomainKind, Operation, Town
from tenants.states import TownState
from tenants.work import operations

KIND = "rename"
MOVABLE = (TownState.OPEN, TownState.SUSPENDED, TownState.CLOSING)


def request_renaming(*, town: Town, slug: str, actor: facts.Actor) -> Operation:
    """Ask the worker to move the town to `<slug>.<base domain>`. Raises InvalidSlug, TownExists, WrongState, Busy."""
    check_renaming(town, slug)
    return operations.request(kind=KIND, subject=town.slug, actor=actor, arguments={"slug": slug}, town=town)


def check_renaming(town: Town, slug: str) -> None:
    """Check that the town may take that address; it may take a former one back. Raises as `request_renaming`."""
    services.check_slug(slug)
    if town.state not in MOVABLE:
        raise WrongState(f"{town.name} est {town.get_state_display()} : son adresse ne peut pas changer.")
    with in_registry():
        theirs = Domain.objects.filter(domain=services.host_of(slug)).exclude(tenant_id=town.pk).exists()
        if theirs or Town.objects.filter(slug=slug).exclude(pk=town.pk).exists():
            raise TownExists(f"L'adresse « {slug} » est, ou a été, celle d'une autre commune.")


def work(operation: Operation, progress: operations.Progress) -> Mapping[str, Any]:
    """The work of the operation: one transaction in the registry, then the shard's copy. Twice changes nothing."""
    town, slug = operation.town, str(operation.arguments["slug"])
    if town is None:
        raise WrongState("Cette commune n'existe plus.")
    progress.step(_("Changement d'adresse"), 0, 2)
    with in_registry(), transaction.atomic():
        locked: Town = Town.objects.select_for_update().get(pk=town.pk)
        if locked.slug != slug:
            check_renaming(locked, slug)
            try:
                _rename(locked, slug, operation.requested_by)
            except IntegrityError:  # another town took the address meanwhile
                raise TownExists(f"L'adresse « {slug} » vient d'être prise.") from None
    progress.step(_("Mise à jour de la base de la commune"), 1, 2)
    mirrors.mirror(locked)
    registry.forget()
    progress.step(_("Adresse changée"), 2, 2)
    return {"address": registry.address(services.host_of(slug))}


def _rename(town: Town, slug: str, actor: facts.Actor) -> None:
    old, town.slug = town.slug, slug
    town.save(update_fields=["slug"])
    was = Domain.objects.filter(tenant=town, kind=DomainKind.PLATFORM)
    was_primary = was.filter(is_primary=True).exists()
    was.update(kind=DomainKind.FORMER, is_primary=False)
    Domain.objects.update_or_create(
        domain=services.host_of(slug),
        tenant=town,
        defaults={"kind": DomainKind.PLATFORM, "is_primary": was_primary},
    )
    facts.record("town.renamed", town=town, actor=actor, old={"slug": old}, new={"slug": slug})
