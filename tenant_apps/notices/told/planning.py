"""Plan who is told of a publication: a few SQL statements, whatever the number of invoices."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from tenant_apps.invoices.models import Batch
from tenant_apps.notices.told import statement
from tenant_apps.notices.told.statement import AMENDED, NEW
from tenant_apps.townhall.models import AlertAudience
from tenant_apps.townhall.queries import current_townhall
from tenants.work import agenda

_PLAN = """
INSERT INTO notices_alert (kind, key, email, language, subject_uuid, created_at, items)
{known}
SELECT %(choice)s, left(%(prefix)s || email, 200), email, COALESCE(max(language), %(language)s), %(about)s, now(),
       jsonb_agg(DISTINCT item)
  FROM todo GROUP BY email ORDER BY email
ON CONFLICT (key) DO NOTHING
"""


def plan_new(*, batch: UUID, key: str, just_now: bool = False, since: datetime | None = None) -> int:
    """Plan one notice per address for the invoices of `batch` that it was not told about. Returns how many.

    In the caller's transaction. `just_now`: about what this transaction puts online, and moves since `since`. `key`:
    that of the kind.
    """
    return _plan(statement.WITH_NEW, NEW, batch, key, just_now=just_now, since=since)


def plan_amended(*, batch: UUID, key: str, since: datetime | None) -> int:
    """Plan one notice per address for what `batch` changed on online invoices since then. Returns how many."""
    return _plan(statement.WITH_AMENDED, AMENDED, batch, key, just_now=True, since=since)


def _plan(known: str, choice: str, batch: UUID, key: str, *, just_now: bool, since: datetime | None) -> int:
    audience = current_townhall().alert_audience
    if audience == AlertAudience.NOBODY:
        return 0
    pk = Batch.objects.values_list("pk", flat=True).get(uuid=batch)
    values = statement.values(
        pk, batch, audience, state="published", choice=choice, just_now=just_now, since=since
    )
    about = values["publications"][-1]
    values |= {"about": about, "prefix": key.format(about=about, email="")}
    with statement.hashed(), connection.cursor() as cursor:
        cursor.execute(_PLAN.format(known=known), values)
        planned = int(cursor.rowcount)
    if planned:
        agenda.wake("notices")
    return planned
