"""What other processes changed in the registry since this one last looked (docs/decisions/0039).

Triggers write a row of `tenants_change` for each change of a town or of its domains, in the transaction of the
change; `announce` does it for what a town shows of itself. A number that grows would not do: a transaction that
began early commits late. So each look asks for what was written by transactions that had not ended at the look
before; some is heard twice, and nothing is ever missed.
"""

import logging

from django.db import Error, connection

from tenants.current import registry
from tenants.models import Town

log = logging.getLogger(__name__)

_SINCE = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       ARRAY(SELECT DISTINCT xid::text || ':' || town_id FROM public.tenants_change WHERE xid >= %s::text::xid8)
"""
_NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


def horizon() -> int:
    """From which transaction on nothing has been read yet. The registry must be current."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        return int(cursor.fetchone()[0])


def since(seen: int) -> tuple[int, set[tuple[int, int]]]:
    """The next `seen`, and what changed since: (transaction, key of a town). The registry must be current."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [seen])
        following, rows = cursor.fetchone()
    return int(following), {(int(xid), int(town)) for xid, town in (row.split(":") for row in rows)}


def announce(town: Town) -> None:
    """What the town shows of itself has changed: once that is committed, tell the caches of other processes."""
    try:
        with registry(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO public.tenants_change (town_id) VALUES (%s)", [town.pk])
    except Error:  # those who have it in a cache find out when it ends
        log.exception("change_not_announced")
