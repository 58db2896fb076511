"""What staff read of the reconciliation. The door has checked the role."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from tenant_apps.payments.models import Allocation, Means, Payment
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


# --- the day's figures, and the accountant's list -------------------------------------------------


@dataclass(frozen=True)
class DayFigure:
    """One régie, one means, one day; euros."""

    day: date
    product: str
    numcli: str
    means: str
    count: int
    total: Decimal


def day_figures(first: date, last: date) -> list[DayFigure]:
    """What came in each day by régie and means, cancelled payments left out; money left over is a line of its own."""
    labels = dict(Means.choices)
    live = {"payment__cancelled_at": None, "payment__paid_on__range": (first, last)}
    parts = (
        Allocation.objects.filter(**live)
        .order_by()
        .values(
            day=F("payment__paid_on"),
            product=F("invoice__product__label"),
            numcli=F("invoice__product__numcli"),
            means=F("payment__means"),
        )
    )
    figures = [
        DayFigure(
            row["day"], row["product"], row["numcli"], str(labels[row["means"]]), row["count"], row["total"]
        )
        for row in parts.annotate(count=Count("payment", distinct=True), total=Sum("amount"))
    ]
    left = Payment.objects.filter(
        paid_on__range=(first, last), cancelled_at=None, unallocated__gt=0
    ).order_by()
    by_day = left.values("paid_on", "means").annotate(count=Count("id"), total=Sum("unallocated"))
    figures += [
        DayFigure(row["paid_on"], _("Non affecté"), "", str(labels[row["means"]]), row["count"], row["total"])
        for row in by_day
    ]
    return sorted(figures, key=lambda one: (one.day, one.product, one.means), reverse=True)


def accountant_rows(first: date, last: date) -> Iterator[tuple[Any, ...]]:
    """One row a part of a payment, by day: what it pays, or what is left over; cancelled ones say so."""
    listed = Line.objects.filter(kind=Kind.JOURNAL, state=LineState.MATCHED, payment=OuterRef("pk"))
    payments = (
        Payment.objects.filter(paid_on__range=(first, last))
        .annotate(listed=Exists(listed))
        .select_related("payer", "deposit", "attempt")
        .prefetch_related("allocations__invoice__product", "allocations__invoice__payer")
        .order_by("paid_on", "id")
    )
    for payment in payments.iterator(chunk_size=500):
        for part in payment.allocations.all():
            bill = part.invoice
            yield _accountant_row(payment, bill.product, bill, bill.payer.full_name, part.amount)
        if payment.unallocated:
            who = payment.payer.full_name if payment.payer else ""
            yield _accountant_row(payment, None, None, who, payment.unallocated)


def _accountant_row(payment: Any, product: Any, bill: Any, who: str, amount: Decimal) -> tuple[Any, ...]:
    return (
        f"{payment.paid_on:%d/%m/%Y}",
        product.label if product else _("Non affecté"),
        product.numcli if product else "",
        bill.number if bill else "",
        bill.reference if bill else "",
        who,
        payment.get_means_display(),
        amount,
        payment.number,
        payment.bank,
        payment.authorization,
        payment.deposit.label if payment.deposit else "",
        _("oui") if payment.listed else _("non"),
        payment.uuid.hex[:10].upper(),
        payment.cancel_reason if payment.cancelled_at else "",
    )


def accountant_titles() -> list[str]:
    """The titles of `accountant_rows`."""
    return [
        *(_("Date"), _("Régie"), _("Identifiant collectivité"), _("Facture"), _("Référence"), _("Redevable")),
        *(_("Moyen"), _("Montant"), _("N° du chèque ou du virement"), _("Banque"), _("Autorisation")),
        *(_("Remise"), _("Dans le journal du Trésor"), _("N° du règlement"), _("Annulé : motif")),
    ]
