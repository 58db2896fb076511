"""A lock so that one worker at a time does a piece of a town's work."""

import contextlib
from collections.abc import Iterator

from django.db import connection

from tenants.current import current_schema


@contextlib.contextmanager
def held(what: str) -> Iterator[bool]:
    """True when this process may do `what` in the current town; False while another one does it.

    The lock ends with the worker's connection: a time-out could not tell a slow worker from a dead one.
    """
    name = f"{current_schema()}:{what}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
