"""A database that does not answer is not asked again by everybody at once.

Its towns cannot be served; the threads that would each wait for it, until their time-out, are those that serve
the other towns. So after a wait in vain, the process answers at once for a moment, then lets one try. A refusal
that comes quickly costs nobody anything, and is never remembered.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SECONDS = 2.0
SLOW = 1.0
_until: dict[str, float] = {}


@contextmanager
def watch(home: str, time_out: int) -> Iterator[None]:
    """Around a try to connect, which takes `time_out` seconds at most. Raises psycopg's OperationalError."""
    present = time.monotonic()
    if present < _until.get(home, 0):
        raise psycopg.OperationalError(f"the database {home!r} has just failed to answer")
    if home in _until:
        _until[home] = present + time_out  # we are the one who tries
    try:
        yield
    except psycopg.OperationalError:
        failed = time.monotonic()
        _until.pop(home, None)
        if failed - present >= SLOW:
            _until[home] = failed + SECONDS
        raise
    else:
        _until.pop(home, None)


def forget() -> None:
    """What is known of silent databases, for tests."""
    _until.clear()
