"""Which failures are a passing state of the town's database, and are told as such (503) and not as a breakdown."""

from collections.abc import Iterator
from enum import Enum

import psycopg
from django.db import Error, InterfaceError, OperationalError

from tenants.current import registry
from tenants.errors import ReadOnly
from tenants.models import Town

SILENCE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
GONE = ("3F000", "42P01", "42703")  # no such schema, table, column: what a town that has moved leaves behind


class Outage(Enum):
    """What to tell, and in how many seconds to come back."""

    READ_ONLY = 60
    SILENT = 30


def outage_of(error: BaseException | None, town: Town | None) -> Outage | None:
    """What `error`, met in a request to `town`, is a sign of; None for a breakdown of ours."""
    for cause in _causes(error):
        if isinstance(cause, (ReadOnly, psycopg.errors.ReadOnlySqlTransaction)):
            return Outage.READ_ONLY
        if isinstance(cause, SILENCE):
            return Outage.SILENT
        if isinstance(cause, psycopg.Error) and cause.sqlstate in GONE and town and _has_left(town):
            return Outage.READ_ONLY
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _has_left(town: Town) -> bool:
    """Whether this process took it for where it was before."""
    try:
        with registry():
            return not Town.objects.filter(pk=town.pk, shard=town.shard, read_only_since=None).exists()
    except Error:
        return False
