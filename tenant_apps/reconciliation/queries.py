"""What staff read of the reconciliation. The door has checked the role."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum

from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.reconciliation.files import opened
from tenant_apps.reconciliation.models import Kind, Line, Statement
from tenant_apps.reconciliation.reading import table
from tenant_apps.reconciliation.reading.columns import missing
from tenant_apps.reconciliation.reading.rows import BadRow, Row
from tenant_apps.reconciliation.states import OPEN, LineState

NEAR = timedelta(days=15)


def statements() -> QuerySet[Statement]:
    """The files, newest first."""
    return Statement.objects.order_by("-id")


def statement(public_id: UUID) -> Statement:
    """One file. Raises Statement.DoesNotExist."""
    return Statement.objects.get(uuid=public_id)


def open_counts(files: Sequence[Statement]) -> dict[int, int]:
    """File → how many of its lines wait for somebody; read from an index of just those."""
    rows = Line.objects.filter(statement__in=[file.pk for file in files], state__in=OPEN)
    return {row["statement"]: row["n"] for row in rows.order_by().values("statement").annotate(n=Count("id"))}


def waiting_lines() -> int:
    """How many lines of all files wait for somebody."""
    return Line.objects.filter(state__in=OPEN).count()


def counts(file: Statement) -> dict[str, tuple[int, Decimal]]:
    """State → how many lines of `file`, and their euros."""
    rows = file.lines.order_by().values("state").annotate(n=Count("id"), total=Sum("amount"))
    found = {row["state"]: (row["n"], row["total"] or Decimal("0.00")) for row in rows}
    return {state: found.get(state, (0, Decimal("0.00"))) for state in LineState.values}


def lines(file: Statement, *, state: str = "") -> QuerySet[Line]:
    """The lines of a file in their order; `open` are those that wait."""
    found = file.lines.select_related("payment__payer", "deposit", "invoice").order_by("id")
    if state == "open":
        return found.filter(state__in=OPEN)
    return found.filter(state=state) if state else found


def line(public_id: UUID) -> Line:
    """One line. Raises Line.DoesNotExist."""
    together = ("statement", "payment__payer", "deposit", "attempt__invoice", "invoice__payer")
    return Line.objects.select_related(*together).get(uuid=public_id)


def candidates(found: Line, *, words: str = "") -> QuerySet[Payment]:
    """Payments that `found` may be: the same amount around its day, or whatever holds the words."""
    taken = Line.objects.filter(kind=found.kind, state=LineState.MATCHED, payment=OuterRef("pk"))
    free = Payment.objects.filter(~Exists(taken), cancelled_at=None).select_related("payer")
    free = free.prefetch_related("allocations__invoice").order_by("-id")
    if words:
        of_invoice = Allocation.objects.filter(invoice__number__icontains=words).values("payment_id")
        who = Q(payer__last_name__icontains=words) | Q(drawer__icontains=words) | Q(number__icontains=words)
        return free.filter(who | Q(pk__in=of_invoice) | Q(attempt__reference__iexact=words))
    if found.amount is None or found.booked_on is None:
        return free.none()
    near = (found.booked_on - NEAR, found.booked_on + NEAR)
    return free.filter(amount=found.amount, paid_on__range=near)


def preview(file: Statement, mapping: Mapping[str, object], *, number: int = 8) -> list[Row | BadRow]:
    """The first lines as `mapping` would read them; none before it gives what is needed. Raises CannotRead."""
    if missing(file.kind, mapping):
        return []
    with opened(file) as stream:
        layout = table.layout_of(stream)
        return list(islice(table.read(stream, layout, file.kind, mapping), number))


def titles(file: Statement) -> tuple[str, ...]:
    """The titles of a table. Raises CannotRead."""
    with opened(file) as stream:
        return table.layout_of(stream).titles


# --- what is missing on the other side ------------------------------------------------------------


def journal_period() -> tuple[date, date] | None:
    """The days that the journals cover, first to last; None before the first one."""
    found = Statement.objects.filter(kind=Kind.JOURNAL).aggregate(
        first=Min("first_day"), last=Max("last_day")
    )
    if found["first"] is None or found["last"] is None:
        return None
    return found["first"], found["last"]


def absent_from_journal(first: date, last: date) -> QuerySet[Payment]:
    """What the Treasury reported to us and no journal lists, for the days between; the oldest first."""
    listed = Line.objects.filter(kind=Kind.JOURNAL, state=LineState.MATCHED, payment=OuterRef("pk"))
    online = Payment.objects.filter(paid_on__range=(first, last), attempt__isnull=False, cancelled_at=None)
    return online.filter(~Exists(listed)).select_related("payer", "attempt").order_by("paid_on", "id")


def unknown_to_us(first: date, last: date) -> QuerySet[Line]:
    """What a journal lists and we do not know, for the days between."""
    found = Line.objects.filter(kind=Kind.JOURNAL, state__in=OPEN, booked_on__range=(first, last))
    return found.select_related("statement", "invoice").order_by("booked_on", "id")
