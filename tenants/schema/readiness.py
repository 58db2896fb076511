"""Whether the running code can work in a town's schema (docs/decisions/0026)."""

from functools import lru_cache

from tenants.current import in_shard
from tenants.models import SchemaSnapshot, Town
from tenants.schema import versions


def can_serve(town: Town) -> bool:
    """True when the town is at the code's version, ahead of it, or behind it by migrations that can wait.

    A migration declares `code_can_wait = True` in its class; towns that wait for it stay open during a deployment.
    """
    wanted = versions.wanted()
    return town.schema_version == wanted.version or _can_wait(
        wanted.version, town.schema_version, town.shard, town.schema_name
    )


def names_at(version: str, shard: str, schema: str) -> set[str]:
    """The migrations of a version: from the database's snapshot, else from the schema's own table."""
    with in_shard(shard):
        known = SchemaSnapshot.objects.filter(version=version).first()
    if known and known.migrations:
        return set(known.migrations)
    with in_shard(shard, schema):
        return versions.applied_names()


@lru_cache(maxsize=10_000)
def _can_wait(wanted: str, version: str, shard: str, schema: str) -> bool:
    """Versions are fingerprints, so the answer can be cached. `wanted` only serves as part of the cache key."""
    names = names_at(version, shard, schema)
    missing = (m for m in versions.wanted().migrations if versions.name_of(m) not in names)
    return all(getattr(migration, "code_can_wait", False) for migration in missing)
