"""What a signal ends in Python ends in PostgreSQL too: a statement left behind would hold its connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from psycopg.pq import TransactionStatus


@contextmanager
def cancelling(kind: type[BaseException]) -> Iterator[None]:
    """In the block, a `kind` that is raised in the middle of a statement cancels it: the connection can go on."""

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        try:
            return run(sql, params, many, context)
        except kind:
            _cancel(context["connection"].connection)
            raise

    with connection.execute_wrapper(execute):
        yield


def _cancel(raw: "psycopg.Connection[Any] | None") -> None:
    if raw is None or raw.pgconn.transaction_status != TransactionStatus.ACTIVE:
        return
    try:
        raw.cancel_safe(timeout=5)
        while raw.pgconn.get_result() is not None:
            pass  # what it was about to say
    except psycopg.Error:
        raw.close()
