"""One transaction at a time writes rows of a town: overlapping files must see each other's rows."""

from contextlib import AbstractContextManager

from django.db import connection

from tenants.current import current_schema
from tenants.work.worker_lock import held

READING = "reconciliation:reading"


def lock_rows() -> None:
    """Wait for the town's lock on rows, held until the transaction ends. Call it before locking any database row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{current_schema()}:reconciliation:lines"],
        )


def reading() -> AbstractContextManager[bool]:
    """Yield True when this worker may read the town's files. The lock ends with the worker's connection."""
    return held(READING)
