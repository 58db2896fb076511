"""What the registry holds of a town besides its state: names, official numbers, whether it is a copy. All instant."""

from django.db import transaction

from tenants import facts
from tenants.current import registry as in_registry
from tenants.databases import mirrors
from tenants.errors import TownError, TownExists
from tenants.hosts import registry
from tenants.identity import check_insee, check_siren
from tenants.models import Town

FIELDS = ("name", "legal_name", "siren", "insee")


def change_details(
    *, town: Town, name: str, legal_name: str, siren: str, insee: str, actor: facts.Actor = facts.SYSTEM
) -> bool:
    """Change the names and numbers of a town; False when they are so already.

    Raises InvalidIdentity, TownExists when another town that is no copy has the SIREN, TownError for a name.
    """
    wanted = {"name": name.strip(), "legal_name": legal_name.strip(), "siren": siren, "insee": insee}
    _check(town, wanted)
    with in_registry(), transaction.atomic():
        locked: Town = Town.objects.select_for_update().get(pk=town.pk)
        old = {field: getattr(locked, field) for field in FIELDS if getattr(locked, field) != wanted[field]}
        if old:
            for field in old:
                setattr(locked, field, wanted[field])
            locked.save(update_fields=list(old))
            facts.record(
                "town.changed", town=locked, actor=actor, old=old, new={field: wanted[field] for field in old}
            )
    _spread(locked)
    return bool(old)


def end_copy(*, town: Town, reason: str, actor: facts.Actor = facts.SYSTEM) -> bool:
    """A copy becomes a town like the others: its pages no longer say that it is one. False when it was none."""
    with in_registry(), transaction.atomic():
        locked: Town = Town.objects.select_for_update().get(pk=town.pk)
        was_copy = locked.is_copy
        if was_copy:
            locked.copy_of = None
            locked.save(update_fields=["copy_of"])
            facts.record("town.no_copy", town=locked, actor=actor, new={"reason": reason})
    _spread(locked)
    return was_copy


def _check(town: Town, wanted: dict[str, str]) -> None:
    check_siren(wanted["siren"])
    check_insee(wanted["insee"])
    if not wanted["name"] or len(wanted["name"]) > 120:
        raise TownError("Le nom de la commune compte de 1 à 120 caractères.")
    if len(wanted["legal_name"]) > 160:
        raise TownError("Le nom officiel compte 160 caractères au plus.")
    if wanted["siren"] and not town.is_copy:
        with in_registry():
            same = Town.objects.filter(siren=wanted["siren"], copy_of=None).exclude(pk=town.pk).first()
        if same is not None and same.siren != town.siren:
            raise TownExists(
                f"Le SIREN {wanted['siren']} est celui de {same.name} ({same.slug}) : vérifiez-le."
            )


def _spread(town: Town) -> None:
    """Update caches and mirrors. Repeating an act does this again, so a kill after the commit does no harm."""
    mirrors.mirror(town)
    registry.forget()
