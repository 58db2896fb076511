"""A copy of a town's registry rows in the public schema of its shard.

Rows of the shard's own public schema (agenda, routes) point to the town, and code that runs in the town finds
its address, without leaving its database. The registry is the truth; the copy follows each change.
"""

from django.db import transaction

from tenants.current import REGISTRY, at, registry
from tenants.models import Domain, Town

_FIELDS = [field.name for field in Town._meta.concrete_fields if not field.primary_key]


def mirror(town: Town) -> None:
    """Make the copy on the town's shard say what the registry says. Nothing to do for the registry's own towns."""
    with registry():
        row = Town.objects.get(pk=town.pk)
        domains = list(Domain.objects.filter(tenant=row))
    if row.shard == REGISTRY:
        return
    with at(row.shard), transaction.atomic():
        Town.objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=_FIELDS)
        Domain.objects.filter(tenant=row).delete()
        Domain.objects.bulk_create(domains)


def unmirror(town: Town, shard: str) -> None:
    """Take the copy away, and the rows of that public schema that point to it."""
    if shard == REGISTRY:
        return
    with at(shard):
        Town.objects.filter(pk=town.pk).delete()
