"""Remember for a moment that a database does not answer.

Its towns cannot be served, and the threads that would wait for it until their time-out are needed by
the other towns. So after one time-out the process fails at once for a moment, then lets one thread try. A refusal
that comes quickly costs nothing and is not remembered.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SECONDS = 2.0
SLOW = 1.0
_until: dict[str, float] = {}


@contextmanager
def watch(shard: str, time_out: int) -> Iterator[None]:
    """Wrap an attempt to connect that lasts at most `time_out` seconds. Raises psycopg's OperationalError."""
    present = time.monotonic()
    if present < _until.get(shard, 0):
        raise psycopg.OperationalError(f"the database {shard!r} has just failed to answer")
    if shard in _until:
        _until[shard] = present + time_out  # this thread tries; the others fail at once
    try:
        yield
    except psycopg.OperationalError:
        failed = time.monotonic()
        _until.pop(shard, None)
        if failed - present >= SLOW:
            _until[shard] = failed + SECONDS
        raise
    else:
        _until.pop(shard, None)


def forget() -> None:
    """Forget the silent databases (for tests)."""
    _until.clear()
