"""Which failures are temporary ones of the database or of S3: answered with 503 instead of 500.

PostgreSQL's SQLSTATE says what happened; each has its own page and its own delay. All are errors for the
operator, except for a town that is being moved.
"""

from collections.abc import Iterator
from enum import Enum

import psycopg
from django.db import Error, InterfaceError, OperationalError

from tenants.current import registry
from tenants.errors import ReadOnly
from tenants.models import Town
from toolkit.files.storage import StorageSilent

SILENCE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
GONE = ("3F000", "42P01", "42703")  # no such schema, table, column: what a town that has moved leaves behind


class Outage(Enum):
    """What to answer. `seconds`: when to come back; `undone`: the request has certainly written nothing."""

    READ_ONLY = ("read_only", 60, True)
    SILENT = ("silent", 30, False)  # the connection broke: the commit may or may not have happened
    CROWDED = ("crowded", 10, True)  # no connection is free, or a row was locked for too long
    CROSSED = ("crossed", 2, True)  # a deadlock, a serialization failure
    SLOW = ("slow", 30, True)  # a statement was cancelled
    FULL = ("full", 300, True)  # no room on its disk or in its memory
    FILES = ("files", 60, True)  # S3

    def __init__(self, key: str, seconds: int, undone: bool) -> None:
        self.key, self.seconds, self.undone = key, seconds, undone


_BY_STATE = {
    "40P01": Outage.CROSSED,
    "40001": Outage.CROSSED,
    "53300": Outage.CROWDED,
    "55P03": Outage.CROWDED,
    "57014": Outage.SLOW,
    "58030": Outage.FULL,
    "57P01": Outage.SILENT,
    "57P02": Outage.SILENT,
    "57P03": Outage.SILENT,
    "57P05": Outage.SILENT,
    "25P03": Outage.SILENT,
}
_BY_CLASS = {"08": Outage.SILENT, "53": Outage.FULL}
# A connection that is refused has no SQLSTATE (libpq gives none), only the server's words in its own language.
_NO_PLACE = (
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "trop de clients",
    "no more conn",
)


def outage_of(error: BaseException | None, town: Town | None) -> Outage | None:
    """The outage that `error`, raised in a request to `town`, shows; None when the fault is in our code."""
    silent = None
    for cause in _causes(error):
        if isinstance(cause, (ReadOnly, psycopg.errors.ReadOnlySqlTransaction)):
            return Outage.READ_ONLY
        if isinstance(cause, StorageSilent):
            return Outage.FILES
        state = sqlstate_of(cause)
        if found := _BY_STATE.get(state) or _BY_CLASS.get(state[:2]):
            return found
        if state in GONE and town and _has_left(town):
            return Outage.READ_ONLY
        if isinstance(cause, SILENCE):
            # Django's own error stands for psycopg's, which is its cause and has the state.
            silent = cause if not state else None
    if silent is None:
        return None
    return Outage.CROWDED if any(words in str(silent) for words in _NO_PLACE) else Outage.SILENT


def is_silence(error: BaseException) -> bool:
    """Whether the database did not answer, or the connection broke; False when it answered with an error."""
    return outage_of(error, None) in (Outage.SILENT, Outage.CROWDED)


def sqlstate_of(error: BaseException | None) -> str:
    """PostgreSQL's five characters, or an empty string."""
    return getattr(error, "sqlstate", None) or "" if isinstance(error, psycopg.Error) else ""


def first_sqlstate(error: BaseException | None) -> str:
    """Of the error or what it came from."""
    return next((state for cause in _causes(error) if (state := sqlstate_of(cause))), "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _has_left(town: Town) -> bool:
    """Whether the town has left the database where this process looked for it, or is being moved."""
    try:
        with registry():
            return not Town.objects.filter(pk=town.pk, shard=town.shard, read_only_since=None).exists()
    except Error:
        return False
