"""What staff read of the reconciliation. The caller has checked the role; the scope says of which régies.

A file belongs to whoever sent it: one that was sent for every régie is seen only by who works for every régie, because
nobody knows beforehand what its rows are about (decision 62).
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum, When

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.readers import invoices_for_staff
from tenant_apps.reconciliation.judging.common import is_no_income
from tenant_apps.reconciliation.judging.totals import Total, chosen, totals_of
from tenant_apps.reconciliation.models import TREASURY, Kind, Statement, StatementRow, StatementRowPayment
from tenant_apps.reconciliation.reading import table
from tenant_apps.reconciliation.reading.columns import missing
from tenant_apps.reconciliation.reading.layout import Layout, layout_of
from tenant_apps.reconciliation.reading.rows import ReadRow, UnreadableRow
from tenant_apps.reconciliation.statements.files import opened
from tenant_apps.reconciliation.states import OPEN, StatementRowState, StatementState
from toolkit import clock
from toolkit.scope import Scope

NEAR = timedelta(days=15)
BACK = timedelta(days=400)  # a debtor may ask for a direct debit back during thirteen months


def statements(scope: Scope) -> QuerySet[Statement]:
    """The files, newest first."""
    return scope.all_in(Statement.objects.order_by("-id"), "limited_to")


def statement(scope: Scope, public_id: UUID) -> Statement:
    """One file. Raises Statement.DoesNotExist."""
    return statements(scope).get(uuid=public_id)


def _rows(scope: Scope) -> QuerySet[StatementRow]:
    """The rows of these files, but those that somebody has matched with what is not in `scope`."""
    if scope.is_whole:
        return StatementRow.objects.all()
    found = StatementRow.objects.filter(statement__in=statements(scope).order_by())
    for name in ("payment", "deposit", "attempt", "invoice"):
        found = found.filter(Q(**{name: None}) | scope.q(f"{name}__product"))
    others = StatementRowPayment.objects.filter(~scope.q("payment__product"), row=OuterRef("pk"))
    return found.filter(~Exists(others))


def open_counts(files: Sequence[Statement]) -> dict[int, int]:
    """File id → number of its rows that wait for a person. Read from a partial index."""
    groups = StatementRow.objects.filter(statement__in=[file.pk for file in files], state__in=OPEN)
    return {
        row["statement"]: row["n"] for row in groups.order_by().values("statement").annotate(n=Count("id"))
    }


def waiting_rows(scope: Scope) -> int:
    """How many rows of all files wait for a person."""
    return _rows(scope).filter(state__in=OPEN).count()


def counts(scope: Scope, file: Statement) -> dict[str, tuple[int, Decimal]]:
    """State → number of rows of `file`, and their sum in euros."""
    theirs = _rows(scope).filter(statement=file).order_by()
    groups = theirs.values("state").annotate(n=Count("id"), total=Sum("amount"))
    found = {row["state"]: (row["n"], row["total"] or Decimal("0.00")) for row in groups}
    return {state: found.get(state, (0, Decimal("0.00"))) for state in StatementRowState.values}


def equals(scope: Scope, file: Statement) -> int:
    """How many rows of `file` are equal to one of another file: a person must say if it is the same operation."""
    return _rows(scope).filter(statement=file, state=StatementRowState.DUPLICATE, twin__isnull=False).count()


def rows(scope: Scope, file: Statement, *, state: str = "") -> QuerySet[StatementRow]:
    """The rows of a file in their order. `state`: a row state, or "open" for those that wait."""
    found = _rows(scope).filter(statement=file)
    found = found.select_related("payment__payer", "deposit", "invoice").order_by("id")
    if state == "open":
        return found.filter(state__in=OPEN)
    return found.filter(state=state) if state else found


def row(scope: Scope, public_id: UUID) -> StatementRow:
    """One row. Raises StatementRow.DoesNotExist."""
    together = (
        "statement",
        "payment__payer",
        "deposit",
        "attempt__invoice",
        "invoice__payer",
        "twin__statement",
    )
    return _rows(scope).select_related(*together).get(uuid=public_id)


def shows_twin(scope: Scope, found: StatementRow) -> bool:
    """Whether the equal row of an earlier file is of a file that is seen too."""
    return found.twin is not None and scope.covers(found.twin.statement.limited_to)


def candidates(scope: Scope, found: StatementRow, *, words: str = "") -> QuerySet[Payment]:
    """Payments that the row may be, or may take back.

    Without `words`: the same amount, near the row's day. With `words`: whatever contains them.
    """
    back = found.returned or found.outgoing
    taken = StatementRow.objects.filter(
        kind=found.kind, state=StatementRowState.MATCHED, returned=back, payment=OuterRef("pk")
    )
    free = scope.of(Payment.objects.filter(~Exists(taken), cancelled_at=None)).select_related("payer")
    if found.kind == Kind.BANK and not back:
        free = free.filter(~Exists(StatementRowPayment.objects.filter(payment=OuterRef("pk"))))
    free = free.prefetch_related("allocations__invoice").order_by("-id")
    if words:
        of_invoice = Allocation.objects.filter(invoice__number__icontains=words).values("payment_id")
        who = Q(payer__last_name__icontains=words) | Q(drawer__icontains=words) | Q(number__icontains=words)
        return free.filter(who | Q(pk__in=of_invoice) | Q(attempt__reference__iexact=words))
    if found.amount is None or found.booked_on is None or is_no_income(found):
        return free.none()
    near = (found.booked_on - (BACK if back else NEAR), found.booked_on + NEAR)
    return free.filter(amount=found.amount, paid_on__range=near)


def bills(scope: Scope, *, words: str) -> QuerySet[Invoice]:
    """Invoices that money may be for, unpaid ones first. Paid and cancelled ones too: their money is left over."""
    known = Q(state=InvoiceState.PUBLISHED) | Q(state=InvoiceState.CANCELLED)
    found = invoices_for_staff(scope, today=clock.today(), words=words).filter(known)
    owed = Case(When(state=InvoiceState.PUBLISHED, paid__lt=F("amount"), then=0), default=1)
    return found.order_by(owed, "due_on", "id")


def totals(scope: Scope, found: StatementRow) -> list[Total]:
    """The sums of a day's online payments that a bank row may be."""
    if found.kind != Kind.BANK or found.outgoing or found.amount is None or found.booked_on is None:
        return []
    day = found.booked_on
    return chosen(found, totals_of(scope, [found.amount], day, day).get(found.amount, ()))


def parts(found: StatementRow) -> QuerySet[Payment]:
    """The payments that a row adds up."""
    return Payment.objects.filter(total_row__row=found).select_related("payer").order_by("pk")


def came_with(scope: Scope, found: StatementRow) -> QuerySet[StatementRow]:
    """Other rows about the payment of `found`: when `found` takes the money back, the row that brought it."""
    if found.payment_id is None:
        return StatementRow.objects.none()
    others = _rows(scope).filter(payment=found.payment_id).exclude(pk=found.pk)
    return others.select_related("statement").order_by("id")


def accounts(scope: Scope) -> list[str]:
    """The accounts of the statements that the town has sent, by name, at most 50."""
    known = statements(scope).filter(kind=Kind.BANK).exclude(account="")
    return list(known.order_by("account").values_list("account", flat=True).distinct()[:50])


def reading() -> bool:
    """Whether the worker has a file to read."""
    return Statement.objects.filter(state=StatementState.READING).exists()


def preview(
    file: Statement, mapping: Mapping[str, object], *, number: int = 8
) -> list[ReadRow | UnreadableRow]:
    """The first rows as `mapping` would read them; empty when `mapping` lacks a required column. Raises CannotRead.

    The separator and the line of the titles are those of `file` in memory.
    """
    if missing(file.kind, mapping):
        return []
    with (
        opened(file) as stream,
        closing(table.read(stream, _layout(file, stream), file.kind, mapping)) as rows,
    ):
        return list(islice(rows, number))


def layout(file: Statement) -> Layout:
    """How the table is written: as `file` in memory says, or found automatically. Raises CannotRead."""
    with opened(file) as stream:
        return _layout(file, stream)


def _layout(file: Statement, stream: BinaryIO) -> Layout:
    return layout_of(stream, delimiter=file.delimiter, line=file.titles_line)


# --- what one side has and the other lacks ----------------------------------------------------------


def journal_period(scope: Scope) -> tuple[date, date] | None:
    """First and last day of all journals; None when there is no journal."""
    journals = statements(scope).order_by().filter(kind=Kind.JOURNAL, state=StatementState.DONE)
    found = journals.aggregate(first=Min("first_day"), last=Max("last_day"))
    if found["first"] is None or found["last"] is None:
        return None
    return found["first"], found["last"]


def absent_from_journal(scope: Scope, first: date, last: date) -> QuerySet[Payment]:
    """Payments between the two days that the Treasury reported and no journal or PES return lists, oldest first."""
    listed = StatementRow.objects.filter(
        kind__in=TREASURY, state=StatementRowState.MATCHED, returned=False, payment=OuterRef("pk")
    )
    online = Payment.objects.filter(paid_on__range=(first, last), attempt__isnull=False, cancelled_at=None)
    return (
        scope.of(online).filter(~Exists(listed)).select_related("payer", "attempt").order_by("paid_on", "id")
    )


def unknown_to_us(scope: Scope, first: date, last: date) -> QuerySet[StatementRow]:
    """The Treasury's rows between the two days that match nothing of ours."""
    found = _rows(scope).filter(kind__in=TREASURY, state__in=OPEN, booked_on__range=(first, last))
    return found.select_related("statement", "invoice").order_by("booked_on", "id")
