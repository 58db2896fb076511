"""One writer of lines at a time in a town: overlapping files must find each other's lines."""

from contextlib import AbstractContextManager

from django.db import connection

from tenants.current import current_schema
from tenants.work.worker_lock import held

READING = "reconciliation:reading"


def lock_rows() -> None:
    """Wait for one's turn; let go at the end of the transaction. Before any row is locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{current_schema()}:reconciliation:lines"],
        )


def reading() -> AbstractContextManager[bool]:
    """Whether this worker may read the town's files; the lock dies with its connection."""
    return held(READING)
