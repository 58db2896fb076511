"""A copy of a town's registry rows in the public schema of its shard.

Rows of the shard's own public schema (agenda, routes) point to the town, and code that runs in the town finds
its address, without leaving its database. The registry is the truth; the copy follows each change.
"""

from django.db import transaction
from django.db.models import Q

from tenants.current import REGISTRY, at, registry
from tenants.models import Domain, Town

_FIELDS = [field.name for field in Town._meta.concrete_fields if not field.primary_key]


def mirror(town: Town, *, on: str | None = None) -> None:
    """Make the copy on the town's shard, or on `on`, say what the registry says. The registry needs none."""
    with registry():
        row = Town.objects.get(pk=town.pk)
        domains = list(Domain.objects.filter(tenant=row))
    home = on or row.shard
    if home == REGISTRY:
        return
    with at(home), transaction.atomic():
        # The copy of a town that is no more, left when this shard was silent.
        Town.objects.filter(Q(slug=row.slug) | Q(schema_name=row.schema_name)).exclude(pk=row.pk).delete()
        Domain.objects.filter(domain__in=[domain.domain for domain in domains]).exclude(tenant=row).delete()
        Town.objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=_FIELDS)
        Domain.objects.filter(tenant=row).delete()
        Domain.objects.bulk_create(domains)


def unmirror(town: Town, shard: str) -> None:
    """Take the copy away, and the rows of that public schema that point to it."""
    if shard == REGISTRY:
        return
    with at(shard):
        Town.objects.filter(pk=town.pk).delete()
