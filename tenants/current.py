"""Where the connection is: in a town, in the registry, or in the public schema of a shard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections

from tenants.models import Town

PUBLIC = "public"
REGISTRY = DEFAULT_DB_ALIAS


def _wrapper() -> Any:
    return cast(Any, connection)


def shard_aliases() -> list[str]:
    """The aliases of the databases where towns may live, the registry's first."""
    return sorted(connections.settings, key=lambda alias: (alias != REGISTRY, alias))


def current_shard() -> str:
    """The alias of the database that statements go to."""
    return str(_wrapper().shard)


def current_schema() -> str:
    """The schema that statements run in."""
    return str(_wrapper().schema_name)


def current_town() -> Town:
    """The town of the current schema. Raises LookupError on the public one: there is no town there."""
    town = _wrapper().tenant
    if not isinstance(town, Town):
        raise LookupError(f"no town is current (schema {current_schema()})")
    return town


def is_read_only() -> bool:
    """Whether the current town is being moved, as far as this process knows (tenants.hosts.registry)."""
    town = _wrapper().tenant
    return isinstance(town, Town) and town.read_only_since is not None


def enter(town: Town) -> None:
    """Go to that town's schema and stay there; only the middleware does this."""
    _wrapper().set_tenant(town)


def leave() -> None:
    """Go back to the registry between two requests or tasks, when nothing uses the connection."""
    _wrapper().go_to_shard(REGISTRY)
    _wrapper().set_schema_to_public()
    _wrapper().recycle()


@contextmanager
def in_shard(shard: str, schema: str = PUBLIC) -> Iterator[None]:
    """Use a schema of that database inside the block. Not possible inside another database's transaction."""
    before = _wrapper().tenant
    _wrapper().go_to_shard(shard)
    _wrapper().set_schema(schema)
    try:
        yield
    finally:
        _wrapper().set_tenant(before)


def registry() -> Any:
    """Use the registry inside the block: `with registry(): …`."""
    return in_shard(REGISTRY)
