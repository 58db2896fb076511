"""One writer of lines at a time in a town: overlapping files must find each other's lines."""

import contextlib
from collections.abc import Iterator

from django.db import connection

from tenants.current import current_schema


def lock_lines() -> None:
    """Wait for one's turn; let go at the end of the transaction. Before any row is locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_name("lines")])


@contextlib.contextmanager
def reading() -> Iterator[bool]:
    """Whether this worker may read the town's files; the lock dies with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_name("reading")])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_name("reading")])


def _name(what: str) -> str:
    return f"{current_schema()}:reconciliation:{what}"
