"""The only writers of the registry."""

import re

from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import schema_context

from tenants import provisioning, registry
from tenants.errors import InvalidSlug, TownError, TownExists, WrongState
from tenants.models import Domain, Town
from tenants.states import EDGES, TownState

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
RESERVED = frozenset(
    [
        "admin",
        "api",
        "app",
        "assets",
        "callback",
        "cdn",
        "contact",
        "demo-mail",
        "ftp",
        "imap",
        "mail",
        "mx",
        "ns",
        "ns1",
        "ns2",
        "paiement",
        "payfip",
        "pop",
        "public",
        "s3",
        "smtp",
        "static",
        "status",
        "support",
        "test",
        "tipi",
        "webmail",
        "www",
    ]
)


def open_town(*, slug: str, name: str, siren: str = "", insee: str = "") -> Town:
    """Open a town at `<slug>.<base domain>`: registry rows and schema in one transaction.

    Raises InvalidSlug, TownExists or TemplateMissing; nothing is kept then.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidSlug(
            f"« {slug} » ne convient pas : lettres minuscules, chiffres et tirets (40 au plus)."
        )
    if slug in RESERVED:
        raise InvalidSlug(f"« {slug} » est réservé à la plateforme.")
    with schema_context("public"):
        if Town.objects.filter(slug=slug).exists():
            raise TownExists(f"Une commune « {slug} » existe déjà.")
        try:
            with transaction.atomic():
                town = Town(slug=slug, name=name, siren=siren, insee=insee, state=TownState.OPEN)
                town.schema_name = "t_" + slug.replace("-", "_")
                town.schema_version = provisioning.wanted_version()
                town.save()
                Domain.objects.create(tenant=town, domain=f"{slug}.{settings.BASE_DOMAIN}", is_primary=True)
                provisioning.copy_template(town.schema_name)
        except IntegrityError:
            raise TownExists(f"Une commune « {slug} » existe déjà.") from None
    registry.forget()
    return town


def set_state(*, town: Town, to: TownState) -> Town:
    """Move a town along an edge of `states.EDGES`. Asking for the state it is in changes nothing."""
    with schema_context("public"), transaction.atomic():
        locked: Town = Town.objects.select_for_update().get(pk=town.pk)
        if locked.state == to:
            return locked
        if (TownState(locked.state), to) not in EDGES:
            raise WrongState(f"{locked.name} est {locked.get_state_display()} : impossible pour l'instant.")
        locked.state = to
        locked.save(update_fields=["state"])
    registry.forget()
    return locked


def migrate_towns() -> list[tuple[Town, str | None]]:
    """Bring public, the template and every town to the code's version.

    Returns, for each town that had something to do, the sentence of its failure or None. One failure
    does not stop the others: that town keeps its old version whole.
    """
    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    version = provisioning.build_template().version
    done: list[tuple[Town, str | None]] = []
    with schema_context("public"):
        behind = list(Town.objects.exclude(schema_version=version).exclude(state=TownState.CLOSED))
    for town in behind:
        try:
            call_command("migrate_schemas", schema_name=town.schema_name, interactive=False, verbosity=0)
        except Exception as error:
            done.append((town, f"{type(error).__name__}: {error}"))
            connection.close()
            continue
        with schema_context("public"):
            Town.objects.filter(pk=town.pk).update(schema_version=version)
        done.append((town, None))
    return done


def town_named(slug: str) -> Town:
    """The town of that slug. Raises TownError with a sentence for the operator."""
    with schema_context("public"):
        town: Town | None = Town.objects.filter(slug=slug).first()
    if town is None:
        raise TownError(f"Aucune commune « {slug} ».")
    return town
