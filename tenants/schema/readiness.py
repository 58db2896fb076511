"""Whether the running code can work in a town's schema (docs/decisions/0026)."""

from functools import lru_cache

from tenants.current import at
from tenants.models import SchemaSnapshot, Town
from tenants.schema import versions


def can_serve(town: Town) -> bool:
    """True at the code's version, ahead of it, or behind it by migrations that the code can do without.

    A migration says so with `code_can_wait = True` in its class: a deployment then closes nothing.
    """
    wanted = versions.wanted()
    return town.schema_version == wanted.version or _can_wait(
        wanted.version, town.schema_version, town.shard, town.schema_name
    )


def names_at(version: str, home: str, schema: str) -> set[str]:
    """The migrations that a version stands for: as the home's snapshot said, else as that schema's own table says."""
    with at(home):
        known = SchemaSnapshot.objects.filter(version=version).first()
    if known and known.migrations:
        return set(known.migrations)
    with at(home, schema):
        return versions.applied_names()


@lru_cache(maxsize=10_000)
def _can_wait(wanted: str, version: str, home: str, schema: str) -> bool:
    """Both versions are fingerprints, so the answer never changes. `wanted` is in the key only."""
    names = names_at(version, home, schema)
    missing = (m for m in versions.wanted().migrations if versions.name_of(m) not in names)
    return all(getattr(migration, "code_can_wait", False) for migration in missing)
