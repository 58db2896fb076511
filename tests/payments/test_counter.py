"""The counter: one payment for many invoices is booked once, and deposits do not change."""

import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import (
    CounterRow,
    PaymentDetails,
    book_counter_payment,
    book_payment,
)
from tenant_apps.payments.counter.deposits import close_deposit, payments_in, undeposited
from tenant_apps.payments.errors import NotCorrectable, NotPayable
from tenant_apps.payments.models import Allocation, Deposit, Means, Payment
from tests.races import at_once
from toolkit.scope import EVERYTHING

DAY = date(2026, 11, 12)
CHEQUE = PaymentDetails(bank="Banque des Coteaux", number="0000123", drawer="Mme MARTIN")


@pytest.fixture
def three(town: Any, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]) -> list[Invoice]:
    """Two invoices of one payer, one of another: 10, 20 and 30 €."""
    alice, bob = make_payer(), make_payer()
    return [
        make_invoice(alice, amount="10"),
        make_invoice(alice, amount="20"),
        make_invoice(bob, amount="30"),
    ]


def lines(invoices: list[Invoice], *amounts: str) -> list[CounterRow]:
    return [CounterRow(invoice, Decimal(amount)) for invoice, amount in zip(invoices, amounts, strict=True)]


def paid(invoices: list[Invoice]) -> list[Decimal]:
    for invoice in invoices:
        invoice.refresh_from_db()
    return [invoice.paid for invoice in invoices]


def test_one_cheque_for_invoices_of_two_payers(three: list[Invoice]) -> None:
    payment, new = book_payment(
        actor="system",
        lines=lines(three, "10", "20", "12.50"),
        means=Means.CHEQUE,
        paid_on=DAY,
        details=CHEQUE,
    )
    payment.refresh_from_db()
    assert new
    assert (payment.amount, payment.unallocated) == (Decimal("42.50"), 0)
    assert (payment.bank, payment.number, payment.drawer) == ("Banque des Coteaux", "0000123", "Mme MARTIN")
    assert payment.payer == three[0].payer
    assert paid(three) == [10, 20, Decimal("12.50")]
    told = AuditEntry.objects.get(verb="payment.booked").new
    assert told["invoices"][str(three[2].uuid)] == "12.50"


def test_the_same_page_twice_books_once(three: list[Invoice]) -> None:
    key = uuid.uuid4()
    act = {"actor": "system", "lines": lines(three, "10", "20", "30"), "means": Means.CASH, "paid_on": DAY}
    first, new = book_payment(**act, key=key)
    again, twice = book_payment(**act, key=key)
    assert (first.pk, new, twice) == (again.pk, True, False)
    assert paid(three) == [10, 20, 30]
    assert AuditEntry.objects.filter(verb="payment.booked").count() == 1


def test_more_than_the_lines_stays_unallocated(three: list[Invoice]) -> None:
    payment, _new = book_payment(
        actor="system", lines=lines(three[:1], "10"), received=Decimal("15"), means=Means.CASH, paid_on=DAY
    )
    payment.refresh_from_db()
    assert payment.unallocated == 5
    # Somebody else paid the invoice meanwhile: the town has received this money too, and shows it.
    late = book_counter_payment(
        actor="system", invoice=three[0], means=Means.CASH, amount=Decimal("10"), paid_on=DAY
    )
    late.refresh_from_db()
    assert late.unallocated == 10
    assert paid(three[:1]) == [10]


@pytest.mark.parametrize(
    "wrong",
    [
        {"means": Means.CARD},
        {"lines": []},
        {"received": Decimal("5")},
        {"amounts": ("0", "20", "30")},
        {"amounts": ("-1", "20", "30")},
    ],
)
def test_what_is_refused_books_nothing(three: list[Invoice], wrong: dict[str, Any]) -> None:
    amounts = wrong.pop("amounts", ("10", "20", "30"))
    act: dict[str, Any] = {"lines": lines(three, *amounts), "means": Means.CASH, **wrong}
    with pytest.raises(NotPayable):
        book_payment(actor="system", paid_on=DAY, **act)
    with pytest.raises(NotPayable):
        book_payment(actor="system", paid_on=DAY, lines=lines([three[0]] * 2, "5", "5"), means=Means.CASH)
    assert not Payment.objects.exists()


def test_the_database_refuses_to_spend_a_payment_twice(three: list[Invoice]) -> None:
    payment, _new = book_payment(actor="system", lines=lines(three[:1], "10"), means=Means.CASH, paid_on=DAY)
    with pytest.raises(DatabaseError, match="payment_not_spent_twice"), transaction.atomic():
        Allocation.objects.create(payment=payment, invoice=three[1], amount=Decimal("0.01"))
    payment.refresh_from_db()
    payment.unallocated = Decimal("99")  # a trigger replaces what a program writes
    payment.save()
    payment.refresh_from_db()
    assert payment.unallocated == 0


def test_two_counters_share_invoices(
    live_town: Any, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]
) -> None:
    """Two counters book the same invoices in opposite orders, and one form twice: no deadlock, each form once."""
    payer = make_payer()
    invoices = [make_invoice(payer, amount="10") for _ in range(3)]
    key = uuid.uuid4()

    def book(order: list[Invoice], form: uuid.UUID) -> Callable[[], object]:
        return lambda: book_payment(
            actor="system", lines=lines(order, "10", "10", "10"), means=Means.CASH, paid_on=DAY, key=form
        )

    acts = [book(invoices, key), book(invoices, key), book(invoices[::-1], uuid.uuid4())]
    assert not at_once(live_town, *acts)
    assert Payment.objects.count() == 2
    assert paid(invoices) == [10, 10, 10]
    assert sum(payment.unallocated for payment in Payment.objects.all()) == 30


# --- deposits -------------------------------------------------------------------------------------


@pytest.fixture
def cheques(three: list[Invoice]) -> list[Payment]:
    return [
        book_counter_payment(
            actor="system", invoice=invoice, means=Means.CHEQUE, amount=invoice.amount, paid_on=DAY
        )
        for invoice in three
    ]


def close(payments: list[Payment], means: Means = Means.CHEQUE) -> Deposit:
    return close_deposit(actor="system", means=means, payments=[p.uuid for p in payments], deposited_on=DAY)


def test_a_docket_is_numbered_and_totalled(cheques: list[Payment]) -> None:
    first, second = close(cheques[:2]), close(cheques[2:])
    assert (first.label, first.total, first.count) == ("2026-0001", 30, 2)
    assert (second.label, second.total, second.count) == ("2026-0002", 30, 1)
    assert not undeposited(EVERYTHING, Means.CHEQUE).exists()
    assert AuditEntry.objects.filter(verb="deposit.closed").count() == 2


def test_what_cannot_go_into_a_docket(cheques: list[Payment], three: list[Invoice]) -> None:
    close(cheques[:1])
    cash = book_counter_payment(
        actor="system", invoice=three[0], means=Means.CASH, amount=Decimal("1"), paid_on=DAY
    )
    for payments, means in (
        (cheques[:2], Means.CHEQUE),  # one is deposited already
        ([cash, cheques[1]], Means.CHEQUE),  # cash among cheques
        ([], Means.CHEQUE),
        (cheques[1:], Means.TRANSFER),
    ):
        with pytest.raises(NotCorrectable):
            close(payments, means)
    assert Deposit.objects.count() == 1


def test_a_closed_docket_does_not_change(cheques: list[Payment]) -> None:
    docket = close(cheques)
    acts: list[Callable[[], object]] = [
        lambda: Deposit.objects.update(total=1),
        lambda: Deposit.objects.all()._raw_delete("default"),
        lambda: Payment.objects.update(deposit=None),
        lambda: Payment.objects.update(amount=Decimal("1")),
    ]
    for act in acts:
        with pytest.raises(DatabaseError, match="closed docket"), transaction.atomic():
            act()
    assert payments_in(docket).count() == 3


def test_one_cheque_lies_in_one_docket_whoever_is_first(
    live_town: Any, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]
) -> None:
    payments = [
        book_counter_payment(
            actor="system",
            invoice=make_invoice(make_payer()),
            means=Means.CHEQUE,
            amount=Decimal("5"),
            paid_on=DAY,
        )
        for _ in range(3)
    ]
    raised = at_once(live_town, lambda: close(payments[:2]), lambda: close(payments[1:]))
    assert [type(error) for error in raised] == [NotCorrectable]
    assert Deposit.objects.get().count == 2
