"""The version of a schema: one word for the migrations it has, to be compared in one query (docs/scale.md §2)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.db import connection
from django.db.migrations import Migration, RunPython, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder


@dataclass(frozen=True)
class Wanted:
    """What the code wants: the migrations (`app.name`) in the order in which they run, and their version."""

    migrations: tuple[Migration, ...]
    loader: MigrationLoader

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name_of(migration) for migration in self.migrations)

    @cached_property  # read for each page
    def version(self) -> str:
        return version_of(self.names)


@lru_cache(maxsize=1)
def wanted() -> Wanted:
    """Read once per process: reading all migration files takes longer than opening a town."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    order: dict[tuple[str, str], Migration] = {}
    for target in sorted(loader.graph.leaf_nodes()):
        for key in loader.graph.forwards_plan(target):
            order.setdefault(key, loader.graph.nodes[key])
    return Wanted(tuple(order.values()), loader)


def version_of(names: Iterable[str]) -> str:
    """A fingerprint of these names; their order does not matter."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def applied_names() -> set[str]:
    """The migrations (`app.name`) that the current schema has, as its own table says."""
    return {".".join(key) for key in MigrationRecorder(connection).applied_migrations()}


def name_of(migration: Migration) -> str:
    """`app.name`."""
    return f"{migration.app_label}.{migration.name}"


def is_schema_only(migration: Migration) -> bool:
    """Whether its SQL is the same in every town: no Python, and everything may run in a transaction."""
    return migration.atomic and all(_is_sql(operation) for operation in migration.operations)


def _is_sql(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(_is_sql(inner) for inner in operation.database_operations)
    return operation.reduces_to_sql and not isinstance(operation, RunPython)
