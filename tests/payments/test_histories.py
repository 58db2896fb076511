"""Random histories of a town's money over some days: the accounts always add up, and no past day changes."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_apps.accounts.models import Account
from tenant_apps.invoices import services as invoices
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import INVOICE_EDGES, BatchState, InvoiceState
from tenant_apps.payments.control import auditing
from tenant_apps.payments.corrections.credits import cancel_invoice, reduce_invoice
from tenant_apps.payments.corrections.payments import allocate, cancel_payment, record_refund
from tenant_apps.payments.counter.booking import CounterRow, book_payment
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Allocation, LedgerLine, Means, Payment, Refund
from tenant_apps.products.references import canonical
from tenant_apps.reconciliation import services as reconciling
from tenant_apps.reconciliation.errors import ReconciliationError
from tenant_apps.reconciliation.figures import accountant_rows, accountant_titles, day_figures
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.statement_rows import taken_back
from tenant_apps.reconciliation.states import StatementRowState
from tenant_apps.residents.sources import default_source
from tests.reconciliation.desk import bring
from tests.reconciliation.files import camt_of, entry
from toolkit import clock
from toolkit.scope import EVERYTHING

FIRST = date(2026, 3, 2)
AMOUNT = accountant_titles().index("Montant")
ACTS = (
    *("pay", "pay_two", "refund", "cancel", "reduce", "void", "allocate", "take_back", "publish", "night"),
    *("statement", "returned"),
)
act = st.tuples(st.sampled_from(ACTS), st.integers(0, 999), st.integers(1, 4000), st.sampled_from(Means))


class Town:
    """The acts that can happen in a town, each done as the back office does it."""

    def __init__(self, clerk: Account, bills: list[Invoice], batch: Batch) -> None:
        self.clerk, self.bills, self.batch = clerk, bills, batch
        self.today = FIRST
        self.closed: dict[date, tuple[Any, Any]] = {}

    def do(self, what: str, n: int, cents: int, means: Means) -> None:
        """Do one act. An act that a service refuses changes nothing."""
        with suppress(PaymentError, InvoiceError, ReconciliationError), transaction.atomic():
            getattr(self, what)(n, Decimal(cents) / 100, means)

    def _bill(self, n: int) -> Invoice:
        return Invoice.objects.get(pk=self.bills[n % len(self.bills)].pk)

    def _payment(self, n: int) -> Payment | None:
        found = list(Payment.objects.order_by("id"))
        return found[n % len(found)] if found else None

    def pay(self, n: int, euros: Decimal, means: Means) -> None:
        bill = self._bill(n)
        if bill.state == InvoiceState.PUBLISHED:
            self._book([CounterRow(bill, euros)], euros, means, n)

    def pay_two(self, n: int, euros: Decimal, means: Means) -> None:
        pair = [bill for bill in (self._bill(n), self._bill(n + 1)) if bill.state == InvoiceState.PUBLISHED]
        self._book([CounterRow(bill, euros) for bill in pair], euros * (len(pair) + 1), means, n)

    def _book(self, lines: list[CounterRow], received: Decimal, means: Means, n: int) -> None:
        book_payment(
            actor=self.clerk, lines=lines, received=received, means=means, paid_on=self.today - timedelta(days=n % 3),
            provider="journal" if means in (Means.CARD, Means.DEBIT) else "offline",
        )  # fmt: skip

    def refund(self, n: int, euros: Decimal, means: Means) -> None:
        if payment := self._payment(n):
            record_refund(
                actor=self.clerk,
                payment=payment,
                amount=euros,
                refunded_on=self.today,
                means="transfer",
                reason="x",
            )

    def cancel(self, n: int, euros: Decimal, means: Means) -> None:
        if payment := self._payment(n):
            cancel_payment(actor=self.clerk, payment=payment, reason="impayé")

    def reduce(self, n: int, euros: Decimal, means: Means) -> None:
        reduce_invoice(actor=self.clerk, invoice=self._bill(n), amount=euros, reason="x", let_go=n % 2 == 0)

    def void(self, n: int, euros: Decimal, means: Means) -> None:
        cancel_invoice(actor=self.clerk, invoice=self._bill(n), reason="x", let_go=n % 2 == 0)

    def allocate(self, n: int, euros: Decimal, means: Means) -> None:
        if payment := self._payment(n):
            allocate(actor=self.clerk, payment=payment, invoice=self._bill(n // 7), amount=euros)

    def statement(self, n: int, euros: Decimal, means: Means) -> None:
        """Import a bank statement with a transfer for an invoice, and book its line."""
        bill = self._bill(n)
        found = self._bring(
            entry(f"{euros}", day=self._day, details=[("", bill.number, "INCONNU")], reference=f"R{n}")
        )
        for line in found.rows.filter(state__in=(StatementRowState.DOUBTFUL, StatementRowState.UNMATCHED)):
            reconciling.book_row(actor=self.clerk, row=line, invoice=bill, means=Means.TRANSFER)

    def returned(self, n: int, euros: Decimal, means: Means) -> None:
        """Import a bank statement that takes a payment back."""
        payment = self._payment(n)
        if payment is None:
            return
        number = payment.allocations.values_list("invoice__number", flat=True).first() or "X"
        words = f"REJET {number}"
        line = entry(
            f"{payment.amount}", day=self._day, side="DBIT", details=[("", words, "X")], reference=f"B{n}"
        )
        for found in self._bring(line).rows.all():
            taken_back.take_back(actor=self.clerk, row=found, payment=payment)

    @property
    def _day(self) -> str:
        return self.today.isoformat()

    def _bring(self, line: str) -> Statement:
        return bring(SimpleNamespace(clerk=self.clerk), camt_of(line), "bank", "releve.xml")

    def take_back(self, n: int, euros: Decimal, means: Means) -> None:
        invoices.take_back_batch(actor=self.clerk, batch=self.batch)

    def publish(self, n: int, euros: Decimal, means: Means) -> None:
        invoices.publish_batch(actor=self.clerk, batch=self.batch)
        invoices.finish_publication(batch=self.batch)

    def night(self, n: int, euros: Decimal, means: Means) -> None:
        """End the day. Receipts can still have one of the last two days; nothing else may change a past day."""
        for day, before in self.closed.items():
            assert _of_the_acts(day) == before, f"{day} changed"
        self.today += timedelta(days=1)
        over = self.today - timedelta(days=3)
        self.closed[over] = _of_the_acts(over)


def _of_the_acts(day: date) -> tuple[Any, Any]:
    return day_figures(EVERYTHING, day, day), list(accountant_rows(EVERYTHING, day, day))


def books_add_up() -> None:
    """Check the accounts.

    Payments = allocations + money left over + refunds. The invoices' `paid` = their allocations. The accountant's
    file = the sums of the days.
    """
    assert auditing.differences() == []
    for payment in Payment.objects.filter(cancelled_at=None):
        spent = _sum(Allocation.objects.filter(payment=payment)) + _sum(
            Refund.objects.filter(payment=payment)
        )
        assert payment.amount == spent + payment.left_over
    for invoice in Invoice.objects.all():
        assert invoice.paid == _sum(Allocation.objects.filter(invoice=invoice, payment__cancelled_at=None))
    kept = _sum(Payment.objects.filter(cancelled_at=None)) - _sum(Refund.objects.all())
    assert _sum(LedgerLine.objects.all()) == kept
    first, last = FIRST - timedelta(days=3), FIRST + timedelta(days=400)
    by_day: dict[str, Decimal] = {}
    for row in accountant_rows(EVERYTHING, first, last):
        by_day[row[0]] = by_day.get(row[0], Decimal(0)) + row[AMOUNT]
    assert sum(by_day.values()) == kept
    figures: dict[str, Decimal] = {}
    for one in day_figures(EVERYTHING, first, last):
        figures[f"{one.day:%d/%m/%Y}"] = figures.get(f"{one.day:%d/%m/%Y}", Decimal(0)) + one.total
    assert {day: total for day, total in figures.items() if total} == {
        day: total for day, total in by_day.items() if total
    }


def _sum(rows: Any) -> Decimal:
    return rows.aggregate(total=Sum("amount", default=Decimal(0)))["total"]


@pytest.fixture
def city(
    town: Any, make_account: Any, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]
) -> Callable[[], Town]:
    payers = [make_payer(), make_payer()]
    clerk = make_account("clerk@example.net", role="clerk")

    def make() -> Town:
        batch = Batch.objects.create(
            source=default_source(),
            created_by="system",
            rows_name="f.csv",
            rows_key="k",
            rows_sha256="0" * 64,
            state=BatchState.PUBLISHED,
        )
        bills = [make_invoice(payers[n % 2], amount="25", batch=batch if n < 2 else None) for n in range(5)]
        return Town(clerk, bills, batch)

    return make


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(act, min_size=8, max_size=40))
def test_random_histories(city: Callable[[], Town], monkeypatch: pytest.MonkeyPatch, acts: list[Any]) -> None:
    point = transaction.savepoint()
    try:
        made = city()
        monkeypatch.setattr(clock, "today", lambda: made.today)
        for one in acts:
            made.do(*one)
        books_add_up()
        made.night(0, Decimal(0), Means.CASH)
    finally:
        transaction.savepoint_rollback(point)


def test_what_a_batch_with_an_avoir_becomes(city: Callable[[], Town]) -> None:
    """A published batch with a cancelled invoice is not taken back to drafts.

    That once happened, and the next publication made the cancelled invoice payable again.
    """
    made = city()
    cancel_invoice(actor=made.clerk, invoice=made.bills[0], reason="doublon")
    with pytest.raises(InvoiceError, match=made.bills[0].number):
        invoices.take_back_batch(actor=made.clerk, batch=made.batch)
    made.batch.refresh_from_db()
    assert made.batch.state == BatchState.PUBLISHED
    assert [Invoice.objects.get(pk=bill.pk).state for bill in made.bills[:2]] == ["cancelled", "published"]


def test_the_database_guards_the_states_of_an_invoice(city: Callable[[], Town]) -> None:
    for old in InvoiceState:
        for new in InvoiceState:
            made = city()
            bill = made.bills[0]
            with transaction.atomic():
                path = {"draft": ["draft"], "cancelled": ["cancelled"], "published": []}[old]
                for state in path:
                    Invoice.objects.filter(pk=bill.pk).update(state=state)
            if old == new or (old, new) in INVOICE_EDGES:
                Invoice.objects.filter(pk=bill.pk).update(state=new)
                continue
            with pytest.raises(DatabaseError, match="does not go"), transaction.atomic():
                Invoice.objects.filter(pk=bill.pk).update(state=new)
    made = city()
    reduce_invoice(actor=made.clerk, invoice=made.bills[0], amount=Decimal(5), reason="x")
    with pytest.raises(DatabaseError, match="stays visible"), transaction.atomic():
        Invoice.objects.filter(pk=made.bills[0].pk).update(state="draft")


def test_a_reference_has_one_spelling(city: Callable[[], Town]) -> None:
    made = city()
    assert canonical(" 2026-ab_00.017 ") == canonical("2026AB00017") == "2026AB00017"
    with pytest.raises(IntegrityError, match="invoice_reference_canonical"), transaction.atomic():
        Invoice.objects.filter(pk=made.bills[0].pk).update(reference="abc00001")
