"""What other processes have changed in the registry since our last look (docs/decisions/0039).

Triggers write a row of `tenants_change` for each change of a town or of its domains, in the transaction of the
change; `announce` does it for what a town shows of itself. An increasing number would not do: a transaction that
starts early may commit late. So each look asks for rows of transactions that were still running at the previous
look: a change may be seen twice, and none is missed.
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
    """The first transaction of which nothing has been read yet. Call it in the registry."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        return int(cursor.fetchone()[0])


def since(seen: int) -> tuple[int, set[tuple[int, int]]]:
    """The next `seen`, and the changes since: (transaction, primary key of a town). Call it in the registry."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [seen])
        following, rows = cursor.fetchone()
    return int(following), {(int(xid), int(town)) for xid, town in (row.split(":") for row in rows)}


def announce(town: Town) -> None:
    """Tell the caches of other processes that what the town shows of itself has changed. Call it after the commit."""
    try:
        with registry(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO public.tenants_change (town_id) VALUES (%s)", [town.pk])
    except Error:  # other processes notice when their cache expires
        log.exception("change_not_announced")
