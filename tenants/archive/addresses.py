"""The names under which a town is restored: its row in the registry and its hosts."""

from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from tenants.archive.format import NOT_WRITTEN, DamagedArchive, Manifest
from tenants.errors import TownExists
from tenants.hosts import domains
from tenants.life.services import check_slug, schema_of
from tenants.models import Domain, DomainKind, Town

T = TypeVar("T", bound=models.Model)


def town_of(manifest: Manifest) -> Town:
    """The registry's row as it was, not saved. Raises DamagedArchive."""
    town = _row(Town, manifest.town)
    try:
        town.clean_fields(exclude=["schema_name"])
    except ValidationError as error:
        raise DamagedArchive(f"manifest.json décrit mal la commune : {' '.join(error.messages)}") from None
    return town


def domains_of(
    manifest: Manifest, slug: str, *, is_copy: bool, begun: Town | None, is_ours: bool
) -> list[Domain]:
    """Its hosts, not saved: the platform's host for `slug`, and its other hosts when the town itself moves.

    On a platform of another name, or from an archive that is not ours, a custom domain must be proven again.
    Raises TownExists for one in use; InvalidSlug or InvalidHost for one that no town may have.
    """
    found = [Domain(domain=f"{slug}.{settings.BASE_DOMAIN}", is_primary=True)]
    if not is_copy:
        rows = [_row(Domain, content) for content in manifest.domains]
        found += [
            d for d in (_moved(row, manifest, is_ours=is_ours) for row in rows) if d.domain != found[0].domain
        ]
        primary = next(
            (d for d in found if d.is_primary and d.kind == DomainKind.CUSTOM and d.is_served), found[0]
        )
        for domain in found:
            domain.is_primary = domain is primary
    for domain in found:
        taken = Domain.objects.filter(domain=domain.domain).exclude(tenant=begun).first()
        if taken is not None:
            raise TownExists(f"L'adresse {domain.domain} est déjà celle d'une autre commune.")
    return found


def free_schema(slug: str, uuid: UUID) -> str:
    """The name of its schema. A renamed town may still use the name that `slug` gives."""
    name = schema_of(slug)
    return f"{name}_{uuid.hex[:8]}" if Town.objects.filter(schema_name=name).exists() else name


def _moved(domain: Domain, manifest: Manifest, *, is_ours: bool) -> Domain:
    """A former host, adapted to this platform. The town's own domain still leads to it."""
    if domain.kind == DomainKind.PLATFORM:
        domain.kind = DomainKind.FORMER
    if manifest.base_domain != settings.BASE_DOMAIN:
        if domain.domain.endswith(f".{manifest.base_domain}"):
            label = domain.domain.removesuffix(f".{manifest.base_domain}")
            domain.domain = f"{label}.{settings.BASE_DOMAIN}"
        domain.proven_at = None
    return domain if is_ours else _doubted(domain)


def _doubted(domain: Domain) -> Domain:
    """The host as a new claim: a manifest that is not ours proves nothing about a host."""
    suffix = f".{settings.BASE_DOMAIN}"
    if domain.domain.endswith(suffix):
        check_slug(domain.domain.removesuffix(suffix))
        domain.kind = DomainKind.FORMER
    else:
        domain.domain = domains.normalise(domain.domain)
        domain.kind, domain.proof, domain.proven_at = DomainKind.CUSTOM, domains.new_proof(), None
    return domain


def _row(model: type[T], content: dict[str, object]) -> T:
    row = model()
    for column in model._meta.concrete_fields:
        if column.name in content and column.name not in NOT_WRITTEN:
            try:
                value = content[column.name]
                setattr(row, column.attname, None if value is None else column.to_python(value))
            except (ValidationError, TypeError):
                raise DamagedArchive(f"manifest.json : « {column.name} » est illisible.") from None
    return row
