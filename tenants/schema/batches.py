"""Run one batch of SQL in each of many towns, over a few connections in parallel."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import psycopg
from django.conf import settings
from django.db.migrations import Migration
from psycopg import sql

from tenants.current import current_shard
from tenants.databases import direct
from tenants.models import Town
from tenants.schema.provisioning import TEMPLATE

Steps = list[tuple[Migration, Any]]  # each with its statements


def apply(towns: list[Town], steps: Steps, version: str, tick: Callable[[], None]) -> dict[int, str]:
    """Run the steps in each town of this database: one transaction per town, which also writes its version.

    Returns a sentence per failure, by the town's primary key. A locked town is tried once more at the end.
    """
    shard = current_shard()
    failures = _run(towns, steps, version, shard, tick)
    locked = [town for town in towns if isinstance(failures.get(town.pk), psycopg.errors.LockNotAvailable)]
    for town in locked:
        del failures[town.pk]
    failures |= _run(locked, steps, version, shard, tick)
    return {pk: _sentence(error) for pk, error in failures.items()}


def _run(
    towns: list[Town], steps: Steps, version: str, shard: str, tick: Callable[[], None]
) -> dict[int, psycopg.Error]:
    todo: SimpleQueue[Town] = SimpleQueue()
    failures: dict[int, psycopg.Error] = {}
    for town in towns:
        todo.put(town)
    template = as_sql(steps)

    def work() -> None:
        with direct.open_to(shard) as server:
            while True:
                try:
                    town = todo.get_nowait()
                except Empty:
                    return
                try:
                    # Without parameters psycopg sends one message, which the server runs as one transaction.
                    server.execute(_for(server, template, town, version))
                except psycopg.Error as error:
                    failures[town.pk] = error
                    if server.broken:
                        raise
                    server.rollback()
                tick()

    workers = min(settings.MIGRATION_CONNECTIONS, len(towns))
    with ThreadPoolExecutor(max_workers=max(workers, 1)) as pool:
        for done in [pool.submit(work) for _ in range(workers)]:
            done.result()
    return failures


def as_sql(steps: Steps) -> str:
    """The statements of all the steps, with the template's name where the town's will be. No final semicolon."""
    parts: list[str] = []
    for migration, statements in steps:
        parts += [statement.rstrip().rstrip(";") for statement in statements]
        # Check deferred constraints of one step before the next step changes the tables.
        parts += ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]
        parts.append(
            sql.SQL("INSERT INTO django_migrations (app, name, applied) VALUES ({}, {}, now())")
            .format(migration.app_label, migration.name)
            .as_string(None)
        )
    return ";\n".join(parts)


def _for(server: psycopg.Connection[Any], template: str, town: Town, version: str) -> bytes:
    head = sql.SQL("BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = {};\n").format(
        # Without public: a missing table must be an error, not the table of another schema.
        sql.Identifier(town.schema_name)
    )
    tail = sql.SQL(";\nUPDATE public.tenants_town SET schema_version = {} WHERE id = {}; COMMIT").format(
        version, town.pk
    )
    body = template.replace(TEMPLATE, town.schema_name)
    return b"".join([head.as_bytes(server), body.encode(), tail.as_bytes(server)])


def _sentence(error: psycopg.Error) -> str:
    """Kind and message, without the DETAIL, which quotes rows."""
    return f"{type(error).__name__} : {error.diag.message_primary or error}"
