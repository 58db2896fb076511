"""A past day never changes: refunds, cancellations and corrections write lines of their own day."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.books import ledger
from tenant_apps.payments.corrections.credits import reduce_invoice
from tenant_apps.payments.corrections.payments import allocate, cancel_payment, record_refund
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import book_payment
from tenant_apps.payments.counter.deposits import close_deposit, undeposited_by_means
from tenant_apps.payments.counter.desk import left_over_figures, other_invoices
from tenant_apps.payments.errors import NotCorrectable, NotPayable
from tenant_apps.payments.models import Deposit, LedgerLine, Means, Nature, Payment
from tenant_apps.products.models import Product
from tenant_apps.reconciliation.figures import DayFigure, accountant_rows, accountant_titles, day_figures
from toolkit import clock
from toolkit.scope import EVERYTHING

PAST = date(2026, 11, 12)
CENT = Decimal("0.01")


@pytest.fixture
def desk(town: Any, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]) -> SimpleNamespace:
    """One payer with two invoices of the product « cantine » and one of « eau », 20 € each."""
    payer = make_payer()
    default = Product.objects.get(is_default=True)
    water = Product.objects.create(code="eau", label="Régie eau", kind=default.kind, numcli="001965")
    return SimpleNamespace(
        payer=payer,
        canteen=default,
        water=water,
        first=make_invoice(payer, amount="20"),
        second=make_invoice(payer, amount="20"),
        of_water=make_invoice(payer, amount="20", product=water),
    )


def take(*invoices: Invoice, received: str = "", means: Means = Means.CHEQUE, on: date = PAST) -> Payment:
    parts = [Part(invoice, invoice.amount) for invoice in invoices]
    euros = Decimal(received) if received else None
    payment, _new = book_payment(actor="system", lines=parts, received=euros, means=means, paid_on=on)
    payment.refresh_from_db()
    return payment


def refund(payment: Payment, amount: str, on: date | None = None) -> None:
    record_refund(
        actor="system", payment=payment, amount=Decimal(amount), refunded_on=on or clock.today(), means="transfer",
        reason="trop-perçu",
    )  # fmt: skip


def shown(first: date, last: date | None = None) -> list[tuple[str, str, int, Decimal]]:
    figures: list[DayFigure] = day_figures(EVERYTHING, first, last or first)
    return [(one.product, one.means, one.count, one.total) for one in figures]


def test_a_refund_is_a_negative_line_of_its_own_day(desk: SimpleNamespace) -> None:
    payment = take(desk.first, received="50")
    before = day_figures(EVERYTHING, PAST, PAST)
    assert [(one.total, one.left_over) for one in before] == [(50, 30)]
    refund(payment, "30")
    assert day_figures(EVERYTHING, PAST, PAST) == before
    assert shown(clock.today()) == [("Régie cantine", "remboursement (virement)", 1, Decimal(-30))]
    rows = list(accountant_rows(EVERYTHING, PAST, clock.today()))
    amount, nature = accountant_titles().index("Montant"), accountant_titles().index("Nature")
    assert [(row[nature], row[amount]) for row in rows] == [
        ("encaissement", 20), ("encaissement", 30), ("remboursement", -30),
    ]  # fmt: skip
    assert rows[-1][-1] == "trop-perçu"


def test_a_cancellation_leaves_its_past_day_alone(desk: SimpleNamespace) -> None:
    payment = take(desk.first, desk.second, received="45")
    before = day_figures(EVERYTHING, PAST, PAST)
    cancel_payment(actor="system", payment=payment, reason="chèque impayé")
    cancel_payment(actor="system", payment=payment, reason="chèque impayé")
    assert day_figures(EVERYTHING, PAST, PAST) == before
    assert shown(clock.today()) == [("Régie cantine", "annulation (chèque)", 1, Decimal(-45))]
    assert ledger.received_on(EVERYTHING, clock.today()) == 0, (
        "what came in on another day is not taken off this one"
    )


def test_an_allocation_and_an_avoir_move_nothing_in_the_days(desk: SimpleNamespace) -> None:
    payment = take(desk.first, received="30")
    before = day_figures(EVERYTHING, PAST, PAST)
    allocate(actor="system", payment=payment, invoice=desk.second, amount=Decimal(10))
    reduce_invoice(actor="system", invoice=desk.first, amount=Decimal(5), reason="absence", let_go=True)
    assert day_figures(EVERYTHING, PAST, PAST) == before
    assert day_figures(EVERYTHING, clock.today(), clock.today()) == []
    moved = LedgerLine.objects.filter(nature=Nature.REALLOCATED).order_by("id")
    assert [(line.invoice, line.amount) for line in moved] == [
        (None, -10), (desk.second, 10), (desk.first, -5), (None, 5),
    ]  # fmt: skip


def test_what_came_in_and_was_undone_today(desk: SimpleNamespace) -> None:
    payment = take(desk.first, on=clock.today())
    assert ledger.received_on(EVERYTHING, clock.today()) == 20
    cancel_payment(actor="system", payment=payment, reason="erreur de saisie")
    assert ledger.received_on(EVERYTHING, clock.today()) == 0
    assert [row[1:] for row in shown(clock.today())] == [("chèque", 1, 20), ("annulation (chèque)", 1, -20)]


def test_left_over_has_one_definition(desk: SimpleNamespace) -> None:
    payment = take(desk.first, received="50")
    refund(payment, "10")
    payment.refresh_from_db()
    assert (payment.left_over, left_over_figures(EVERYTHING)) == (20, (1, 20))
    refund(payment, "20")
    payment.refresh_from_db()
    assert (payment.left_over, left_over_figures(EVERYTHING)) == (0, (0, 0))


def test_a_refunded_payment_is_not_cancelled(desk: SimpleNamespace) -> None:
    payment = take(desk.first, received="50")
    refund(payment, "30")
    with pytest.raises(NotCorrectable, match="30,00"):
        cancel_payment(actor="system", payment=payment, reason="saisi par erreur")
    payment.refresh_from_db()
    assert payment.cancelled_at is None


@pytest.mark.parametrize("days", [-1, 1])
def test_a_refund_is_neither_before_its_payment_nor_to_come(desk: SimpleNamespace, days: int) -> None:
    payment = take(desk.first, received="50")
    on = PAST - timedelta(days=1) if days < 0 else clock.today() + timedelta(days=1)
    with pytest.raises(NotCorrectable, match="12/11/2026"):
        refund(payment, "30", on)


def test_the_ledger_does_not_change(desk: SimpleNamespace) -> None:
    take(desk.first)
    for act in (
        lambda: LedgerLine.objects.update(amount=1),
        lambda: LedgerLine.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
            act()


# --- each product has its own bank account --------------------------------------------------------


def test_one_payment_is_of_one_regie(desk: SimpleNamespace) -> None:
    with pytest.raises(NotPayable, match="Régie cantine, Régie eau"):
        take(desk.first, desk.of_water)
    assert not Payment.objects.exists()


def test_one_docket_a_regie(desk: SimpleNamespace) -> None:
    canteen, water = take(desk.first), take(desk.of_water)
    assert [(one.product, one.name, one.count, one.total) for one in undeposited_by_means(EVERYTHING)] == [
        (desk.canteen, "cheques", 1, 20), (desk.water, "cheques", 1, 20),
    ]  # fmt: skip
    with pytest.raises(NotCorrectable, match="une remise par régie"):
        close_deposit(
            actor="system", means=Means.CHEQUE, payments=[canteen.uuid, water.uuid], deposited_on=PAST
        )
    assert not Deposit.objects.exists()
    docket = close_deposit(actor="system", means=Means.CHEQUE, payments=[water.uuid], deposited_on=PAST)
    assert docket.product == desk.water


def test_money_left_over_stays_in_its_regie(desk: SimpleNamespace) -> None:
    payment = take(desk.first, received="30")
    assert list(other_invoices(payment)) == [desk.second]
    with pytest.raises(NotCorrectable, match="autre régie"):
        allocate(actor="system", payment=payment, invoice=desk.of_water, amount=CENT)


def test_cash_stops_at_three_hundred_euros(
    desk: SimpleNamespace, make_invoice: Callable[..., Invoice]
) -> None:
    large = make_invoice(desk.payer, amount="300.01")
    with pytest.raises(NotPayable, match="300,00"):
        take(large, means=Means.CASH)
    assert take(large, means=Means.TRANSFER).amount == Decimal("300.01")
    exact = make_invoice(desk.payer, amount="300")
    assert take(exact, means=Means.CASH).amount == 300
