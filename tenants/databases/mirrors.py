"""A copy of a town's registry rows in the public schema of its shard.

Rows of the shard's public schema (agenda, routes) refer to the town, and code that runs in the town finds
its address without leaving the database. The registry is the truth; each change is copied.
"""

from django.db import transaction
from django.db.models import Q

from tenants.current import REGISTRY, in_shard, registry
from tenants.models import Domain, Town

_FIELDS = [field.name for field in Town._meta.concrete_fields if not field.primary_key]


def mirror(town: Town, *, on: str | None = None) -> None:
    """Update the copy on the town's shard, or on `on`. A town that lives in the registry's database needs none."""
    with registry():
        row = Town.objects.get(pk=town.pk)
        domains = list(Domain.objects.filter(tenant=row))
    shard = on or row.shard
    if shard == REGISTRY:
        return
    with in_shard(shard), transaction.atomic():
        # The copy of an erased town, left because this shard did not answer then.
        Town.objects.filter(Q(slug=row.slug) | Q(schema_name=row.schema_name)).exclude(pk=row.pk).delete()
        Domain.objects.filter(domain__in=[domain.domain for domain in domains]).exclude(tenant=row).delete()
        Town.objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=_FIELDS)
        Domain.objects.filter(tenant=row).delete()
        Domain.objects.bulk_create(domains)


def unmirror(town: Town, shard: str) -> None:
    """Remove the copy, and the rows of that public schema that refer to it."""
    if shard == REGISTRY:
        return
    with in_shard(shard):
        Town.objects.filter(pk=town.pk).delete()
