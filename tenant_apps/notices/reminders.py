"""Reminders some days before and after the due date. One message per person and day, with all their invoices.

The agenda wakes a town only on a morning when one of its invoices needs a reminder. One SQL statement finds what to
tell and inserts the rows that prevent telling twice, in the transaction that also writes the message.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from shared_apps.audit.models import AuditEntry
from shared_apps.mail.notifying import Telling, notify_all
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.mails.reminder import KINDS, LATE, REMINDER, SOON
from tenant_apps.payments.payability.deciding import Payability
from tenant_apps.payments.payability.facts import JOINS, SITUATION
from tenant_apps.payments.payability.reading import payabilities_of
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.townhall.models import AlertAudience, TownHall
from tenant_apps.townhall.queries import current_townhall
from tenants.current import current_town
from tenants.work import agenda
from toolkit import clock
from toolkit.clock import PARIS

KIND = "reminders"
# Facts after which an invoice may need a reminder again, or sooner. Facts that remove the need are seen on the day
# itself.
FACTS = (
    *("batch.published", "townhall.changed", "payment.cancelled", "payment.refunded"),
    *("declaration.refused", "attempt.refused_by_staff", "invoice.held"),
)
CHUNK = 200  # people per transaction
CATCH_UP = 7  # days; a reminder that could not be sent is sent late, but not later than that
START, SPREAD = time(9), 90  # Paris time; the towns are spread over so many minutes

# (kind, first and last due date, days from the due date to the reminder), from the settings of the town
_WINDOWS = "(VALUES {}) AS w(kind, first, last, shift)"
_ROW = "(%s::text, %s::date, %s::date, %s::int)"
# Left out: direct debits, contested invoices, invoices at the collector, and those put online after their reminder's
# day.
_OWED = """i.state = 'published' AND i.paid < i.amount AND i.online_hold = ''
   AND (i.published_at AT TIME ZONE 'Europe/Paris')::date < i.due_on + w.shift"""
# Nobody is reminded about what they paid, announced or declared, as in the lists (decision 51).
_QUIET = f"{SITUATION} = 'due'"
_TELL = """
WITH due AS (
  SELECT i.uuid, i.payer_id, w.kind FROM invoices_invoice i {joins}
    JOIN {windows} ON i.due_on BETWEEN w.first AND w.last
   WHERE {owed} AND {quiet}
), people AS (
  SELECT due.kind, due.uuid, a.email, COALESCE(NULLIF(a.language, ''), 'fr') AS language,
         true AS has_account
    FROM due JOIN residents_access x ON x.payer_id = due.payer_id AND x.ended_at IS NULL
    JOIN accounts_account a ON a.id = x.account_id AND a.is_active AND a.activated_at IS NOT NULL
   WHERE NOT a.refused_alerts ? due.kind
  UNION ALL
  SELECT due.kind, due.uuid, e.email, COALESCE(NULLIF(a.language, ''), 'fr'), a.id IS NOT NULL
    FROM due JOIN residents_payeremail e ON e.payer_id = due.payer_id
    LEFT JOIN accounts_account a ON a.email = e.email AND a.activated_at IS NOT NULL
   WHERE %s
     AND CASE WHEN a.id IS NOT NULL THEN
           a.is_active AND NOT a.refused_alerts ? due.kind AND NOT EXISTS (
             SELECT 1 FROM residents_access x
              WHERE x.account_id = a.id AND x.payer_id = due.payer_id AND x.ended_at IS NULL)
         ELSE NOT EXISTS (
             SELECT 1 FROM residents_payeremail o WHERE o.email = e.email AND o.refused_alerts ? due.kind)
         END
), todo AS (
  SELECT p.*, left(p.kind || ':' || p.uuid || ':' || p.email, 200) AS key FROM people p
   WHERE NOT EXISTS (SELECT 1 FROM notices_alert t WHERE t.kind = p.kind AND t.subject_uuid = p.uuid
                        AND t.email = p.email)
     AND NOT EXISTS (SELECT 1 FROM notices_alert t WHERE t.kind IN ('reminder', 'late') AND t.email = p.email
                        AND t.queued_at >= %s)
), chosen AS (
  SELECT email FROM todo GROUP BY email ORDER BY email LIMIT %s
), told AS (
  INSERT INTO notices_alert (kind, key, email, language, subject_uuid, created_at, queued_at)
  SELECT kind, key, email, language, uuid, now(), now() FROM todo JOIN chosen USING (email) ORDER BY key
  ON CONFLICT (key) DO NOTHING
  RETURNING key
)
SELECT kind, uuid, email, language, has_account FROM todo JOIN told USING (key)
"""
_NEXT = """
SELECT min(CASE WHEN i.due_on > w.last THEN i.due_on + w.shift ELSE %s::date END) FROM invoices_invoice i
  JOIN {windows} ON i.due_on >= w.first
 WHERE {owed}
   AND (i.due_on > w.last
        OR NOT EXISTS (SELECT 1 FROM notices_alert t WHERE t.kind = w.kind AND t.subject_uuid = i.uuid))
"""


@dataclass(frozen=True)
class _Told:
    """One invoice that one person is told about."""

    kind: str
    invoice: UUID
    email: str
    language: str
    has_account: bool


def something_happened(entry: AuditEntry) -> None:
    """React to a fact of `FACTS`: wake the town on the next morning. In the caller's transaction."""
    agenda.plan(KIND, _coming_morning())


def send_reminders() -> int:
    """Send today's reminders, `CHUNK` people per transaction. Returns how many messages were written.

    After a crash, the next call continues.
    """
    townhall = current_townhall()
    windows = _windows(townhall, clock.today())
    written = 0
    while windows:
        with transaction.atomic():
            lock_addresses()
            told = _choose(windows, townhall)
            if told:
                notify_all(_tellings(told))
        if not told:
            break
        written += len({one.email for one in told})
    return written


def next_look() -> datetime | None:
    """The next morning on which an invoice needs a reminder, the rest of today included; None when none does."""
    today = clock.today()
    windows = _windows(current_townhall(), today)
    if not windows:
        return None
    tomorrow = today + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_filled(_NEXT, windows), [tomorrow, *_flat(windows)])
        (day,) = cursor.fetchone()
    return _morning(max(day, tomorrow)) if day else None


def stay_silent() -> None:
    """For a copy of a town that still lives, which sends its own reminders. In the caller's transaction."""
    TownHall.objects.update(remind_before=None, remind_after=None)


def _windows(townhall: TownHall, today: date) -> list[tuple[str, date, date, int]]:
    if townhall.alert_audience == AlertAudience.NOBODY:
        return []
    found = []
    late = timedelta(days=CATCH_UP - 1)
    if townhall.remind_before:
        last = today + timedelta(days=townhall.remind_before)
        found.append((SOON, max(today, last - late), last, -townhall.remind_before))
    if townhall.remind_after:
        last = today - timedelta(days=townhall.remind_after)
        found.append((LATE, last - late, last, townhall.remind_after))
    return found


def _choose(windows: list[tuple[str, date, date, int]], townhall: TownHall) -> list[_Told]:
    """The next people and their invoices, noted as told in the same statement. In the caller's transaction."""
    midnight = datetime.combine(clock.today(), time(), PARIS)
    known = townhall.alert_audience == AlertAudience.KNOWN
    with connection.cursor() as cursor:
        # Two runs at the same time would each see a part of a person's day.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ':reminders'))")
        cursor.execute(_filled(_TELL, windows), [*_flat(windows), known, midnight, CHUNK])
        return [_Told(*row) for row in cursor.fetchall()]


def _tellings(told: list[_Told]) -> list[Telling]:
    invoices = {
        invoice.uuid: invoice for invoice in Invoice.objects.filter(uuid__in={one.invoice for one in told})
    }
    by_person: defaultdict[str, list[_Told]] = defaultdict(list)
    for one in told:
        by_person[one.email].append(one)
    payabilities = payabilities_of(invoices.values())
    return [_telling(person, group, invoices, payabilities) for person, group in sorted(by_person.items())]


def _telling(
    person: str, told: list[_Told], invoices: dict[UUID, Invoice], payabilities: dict[int, Payability]
) -> Telling:
    by_kind = {
        kind: sorted(
            (invoices[one.invoice] for one in told if one.kind == kind), key=lambda invoice: invoice.due_on
        )
        for kind in KINDS
    }
    said = REMINDER.about(
        soon=by_kind[SOON], late=by_kind[LATE], payabilities=payabilities, has_account=told[0].has_account
    )
    products = (invoice.product_id for invoices_ in by_kind.values() for invoice in invoices_)
    return Telling(
        said.of(*products),
        person,
        told[0].language,
        once={"day": clock.today(), "email": person},
        refusable=tuple(kind for kind in KINDS if by_kind[kind]),
    )


def _filled(query: str, windows: list[tuple[str, date, date, int]]) -> str:
    values = _WINDOWS.format(", ".join([_ROW] * len(windows)))
    return query.format(windows=values, owed=_OWED, quiet=_QUIET, joins=JOINS)


def _flat(windows: list[tuple[str, date, date, int]]) -> list[str | date | int]:
    return [value for window in windows for value in window]


def _coming_morning() -> datetime:
    today = clock.today()
    morning = _morning(today)
    return morning if morning > timezone.now() else _morning(today + timedelta(days=1))


def _morning(day: date) -> datetime:
    return datetime.combine(day, START, PARIS) + timedelta(minutes=current_town().pk % SPREAD)
