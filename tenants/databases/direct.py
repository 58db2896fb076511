"""A second connection to a database, beside Django's, for long transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

Server = psycopg.Connection[tuple[Any, ...]]

# These make the text of a value the same on every server, whatever its settings.
_EXACT = (
    "SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';"
    "SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmloption = 'content'; SET lc_monetary = 'C';"
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '10s'"
)


@contextmanager
def connect(shard: str, schema: str) -> Iterator[Server]:
    """One transaction in `schema` of the database `shard`: committed at the end, rolled back by an exception.

    The search path is that schema alone, so a missing table is an error instead of another schema's table.
    """
    with _open(shard, schema) as server, server.transaction():
        yield server


@contextmanager
def snapshot(shard: str, schema: str) -> Iterator[Server]:
    """The schema at one moment: a read-only transaction that does not see later commits."""
    with _open(shard, schema) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        server.read_only = True
        with server.transaction():
            yield server


def open_to(shard: str) -> Server:
    """A bare connection in autocommit; any thread may ask for one. Raises psycopg's OperationalError."""
    database = connections.settings[shard]
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        autocommit=True,
        connect_timeout=5,
        prepare_threshold=None,
    )


@contextmanager
def _open(shard: str, schema: str) -> Iterator[Server]:
    with open_to(shard) as server:
        server.execute(_EXACT)
        server.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        yield server
