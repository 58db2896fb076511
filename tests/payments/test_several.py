"""Several invoices of one product in one payment: all or none, a part for each, and none is paid twice."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.control import auditing
from tenant_apps.payments.corrections.credits import cancel_invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.counter.desk import other_invoices
from tenant_apps.payments.errors import Busy, NotCorrectable, NotPayable
from tenant_apps.payments.models import Attempt, AttemptInvoice, Finding, Means, Payment
from tenant_apps.payments.online import paying, review
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.payability.deciding import What
from tenant_apps.payments.payability.reading import payabilities_of, payability_of
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.queries import attempts_of_invoice, last_attempt, money_about
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.products.models import Product, ProductKind
from tenants.models import Town
from tests.payments.conftest import Simulator

S = AttemptState
SUM = Decimal("60.00")


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def bills(alice: Account, make_payer: Any, make_invoice: Callable[..., Invoice]) -> list[Invoice]:
    """Three invoices of 10, 20 and 30 euros, of two payers of Alice. The product takes several in one payment."""
    Product.objects.update(takes_several=True)
    one, two = make_payer(alice), make_payer(alice)
    return [make_invoice(payer, amount=amount) for payer, amount in ((one, "10"), (one, "20"), (two, "30"))]


@pytest.fixture
def attempt(alice: Account, bills: list[Invoice], simulator: Simulator) -> Attempt:
    return paying.start_payment_of(actor=alice, invoices=bills[::-1]).attempt


def says(attempt: Attempt, outcome: Outcome, **changes: Any) -> Attempt:
    asked = {name: getattr(attempt, name) for name in ("amount", "reference", "merchant", "mode")}
    return settle(attempt_id=attempt.pk, status=Status(outcome, **(asked | changes)), source="poller")


def paid(bills: list[Invoice]) -> list[Decimal]:
    return [Invoice.objects.get(pk=invoice.pk).paid for invoice in bills]


def euros(*amounts: str) -> list[Decimal]:
    return [Decimal(amount) for amount in amounts]


def cash(invoice: Invoice, amount: str) -> Payment:
    return book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal(amount), paid_on=invoice.issued_on
    )


def test_one_request_for_the_sum(attempt: Attempt, bills: list[Invoice], simulator: Simulator) -> None:
    assert (attempt.several, attempt.amount, attempt.invoice) == (True, SUM, bills[0])
    assert re.fullmatch(r"GRP[0-9A-Z]{25}", attempt.reference)
    parts = attempt.parts.values_list("invoice_id", "amount", "live")
    assert list(parts) == [
        (invoice.pk, invoice.amount, True) for invoice in sorted(bills, key=lambda i: i.pk)
    ]
    asked = simulator.operation(attempt.operation)["fields"]
    assert (asked["montant"], asked["refdet"]) == ("6000", attempt.reference)
    for invoice in bills:
        assert "en cours" in payability_of(invoice).reason  # each is reserved
        assert last_attempt(invoice) == attempt == attempts_of_invoice(invoice).get()
    assert {one.what for one in payabilities_of(bills).values()} == {What.OTHER_PAYS}
    assert {one.what for one in payabilities_of(bills, reader=attempt.account).values()} == {What.BEGUN}


@pytest.mark.parametrize("outcome", [Outcome.PAID_CARD, Outcome.PAID_DEBIT])
def test_paid_once_whatever_repeats(attempt: Attempt, bills: list[Invoice], outcome: Outcome) -> None:
    for _ in range(3):
        assert says(attempt, outcome).state == S.PAID
    assert paid(bills) == euros("10", "20", "30")
    payment = Payment.objects.get()
    assert (payment.amount, payment.unallocated) == (SUM, 0)
    assert [list(money_about(invoice)) for invoice in bills] == [[payment]] * 3
    assert auditing.audit_money() == []
    queue_planned()
    told = OutgoingMail.objects.get(kind="receipt").text
    assert all(invoice.number in told for invoice in bills)


def test_the_poller_settles_it(attempt: Attempt, bills: list[Invoice], simulator: Simulator) -> None:
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())
    assert paying.check_due() == 1
    assert paid(bills) == euros("10", "20", "30")


@pytest.mark.parametrize("outcome", [Outcome.REFUSED_CARD, Outcome.TOO_OLD])
def test_a_no_frees_them_all(
    attempt: Attempt, bills: list[Invoice], alice: Account, outcome: Outcome
) -> None:
    says(attempt, outcome)
    assert not AttemptInvoice.objects.filter(live=True).exists()
    assert all(payability_of(invoice).can for invoice in bills)
    paying.start_payment(actor=alice, invoice=bills[1])
    with pytest.raises(Busy, match=f"n° {bills[1].number} : Un paiement de cette facture est en cours"):
        paying.start_payment_of(actor=alice, invoices=bills)
    assert payability_of(bills[0]).can


def test_two_hours_then_free_then_really_paid(attempt: Attempt, bills: list[Invoice]) -> None:
    Attempt.objects.update(free_at=timezone.now() - timedelta(seconds=1))
    assert says(attempt, Outcome.PENDING).state == S.EXPIRED
    cash(bills[1], "20")  # paid at the counter meanwhile
    assert says(attempt, Outcome.PAID_CARD).state == S.PAID
    assert paid(bills) == euros("10", "20", "30")
    payment = Payment.objects.get(provider="payfip")
    assert payment.unallocated == Decimal("20")
    assert {a.invoice_id for a in payment.allocations.all()} == {bills[0].pk, bills[2].pk}
    assert auditing.audit_money() == []


def test_what_an_invoice_no_longer_needs_stays_visible(attempt: Attempt, bills: list[Invoice]) -> None:
    cash(bills[0], "4")
    cash(bills[2], "30")
    says(attempt, Outcome.PAID_CARD)
    payment = Payment.objects.get(provider="payfip")
    assert paid(bills) == euros("10", "20", "30")
    assert payment.unallocated == Decimal("34")
    assert payment in money_about(bills[2])  # staff see on this invoice the money that was meant for it
    assert not other_invoices(payment)


def test_an_avoir_waits_for_the_end(attempt: Attempt, bills: list[Invoice]) -> None:
    with pytest.raises(NotCorrectable, match="en cours"):
        cancel_invoice(actor="system", invoice=bills[2], reason="Erreur")
    says(attempt, Outcome.REFUSED_CARD)
    cancel_invoice(actor="system", invoice=bills[2], reason="Erreur")
    says(attempt, Outcome.PAID_CARD)  # the payer tried again, too late
    assert paid(bills) == euros("10", "20", "0")
    assert Payment.objects.get().unallocated == Decimal("30")


@pytest.mark.parametrize("wrong", [{"amount": Decimal("10")}, {"reference": "2026001000001"}])
def test_what_was_not_asked_is_held_for_all(
    attempt: Attempt, bills: list[Invoice], make_account: Any, wrong: dict[str, Any]
) -> None:
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    assert says(attempt, Outcome.PAID_DEBIT, **wrong).state == S.REVIEW
    assert paid(bills) == [0, 0, 0]
    assert {payability_of(invoice).code for invoice in bills} == {"examined"}
    review.confirm_attempt(actor=clerk, attempt=attempt)
    assert paid(bills) == euros("10", "20", "30")
    with pytest.raises(review.NotOpen):
        review.confirm_attempt(actor=clerk, attempt=attempt)
    review.reject_debit(actor=clerk, attempt=attempt, reason="Provision insuffisante")
    assert paid(bills) == [0, 0, 0]
    told = OutgoingMail.objects.get(kind="payment-cancelled").text
    assert all(invoice.number in told for invoice in bills)
    assert all(payability_of(invoice).can for invoice in bills)
    assert auditing.audit_money() == []


def test_a_late_answer_does_not_live_beside_another(
    attempt: Attempt, bills: list[Invoice], alice: Account
) -> None:
    says(attempt, Outcome.TOO_OLD)
    other = paying.start_payment(actor=alice, invoice=bills[2]).attempt
    assert says(attempt, Outcome.OTHER).state == S.EXPIRED  # kept as evidence, and shown
    assert Finding.objects.filter(attempt=attempt, kind="differs").exists()
    assert says(other, Outcome.PAID_CARD).state == S.PAID
    assert says(attempt, Outcome.PAID_CARD).state == S.PAID
    assert Payment.objects.get(attempt=attempt).unallocated == Decimal("30")


@pytest.mark.parametrize(
    ("product", "bill", "words"),
    [
        ({"takes_several": False}, {}, "facture par facture"),
        ({"takes_several": False, "kind": ProductKind.TITRE}, {}, "facture par facture"),
        ({"takes_several": False, "kind": ProductKind.ROLE}, {}, "facture par facture"),
        ({}, {"online_hold": "dispute"}, "n° {number} : Le paiement en ligne est suspendu"),
        ({}, {"paid": Decimal("20")}, "n° {number} : Cette facture est réglée"),
        ({}, {"state": "cancelled"}, "n° {number} : Cette facture a été annulée"),
        ({}, {"amount": Decimal("99980.00")}, "dépasse la limite"),
        ({"mode": "X"}, {}, "pas encore ouvert"),
    ],
)
def test_all_or_none(
    alice: Account, bills: list[Invoice], product: dict[str, Any], bill: dict[str, Any], words: str
) -> None:
    Product.objects.update(**product)
    Invoice.objects.filter(pk=bills[1].pk).update(**bill)
    with pytest.raises(NotPayable, match=words.format(number=bills[1].number)):
        paying.start_payment_of(actor=alice, invoices=bills)
    assert not Attempt.objects.exists()


def test_the_limits_are_those_of_the_sum(
    alice: Account, bills: list[Invoice], make_invoice: Any, simulator: Simulator
) -> None:
    small = [make_invoice(bills[0].payer, amount="0.60") for _ in range(2)]
    with pytest.raises(NotPayable, match="commence à 1 €"):
        paying.start_payment(actor=alice, invoice=small[0])
    assert paying.start_payment_of(actor=alice, invoices=small).attempt.amount == Decimal("1.20")
    tiny = [make_invoice(bills[0].payer, amount="0.20") for _ in range(2)]
    with pytest.raises(NotPayable, match="commence à 1 €"):
        paying.start_payment_of(actor=alice, invoices=tiny)
    many = [make_invoice(bills[0].payer, amount="2") for _ in range(21)]
    with pytest.raises(NotPayable, match="au plus 20"):
        paying.start_payment_of(actor=alice, invoices=many)
    assert paying.start_payment_of(actor=alice, invoices=many[1:]).attempt.amount == Decimal("40")


def test_of_two_services_is_two_payments(alice: Account, bills: list[Invoice], make_invoice: Any) -> None:
    other = Product.objects.create(code="CRECHE", label="Crèche", takes_several=True)
    with pytest.raises(NotPayable, match="même service"):
        paying.start_payment_of(actor=alice, invoices=[*bills, make_invoice(bills[0].payer, product=other)])
    with pytest.raises(NotPayable, match="même service"):
        paying.start_payment_of(actor=alice, invoices=[])


def test_one_ticked_is_the_ordinary_payment(
    alice: Account, bills: list[Invoice], simulator: Simulator
) -> None:
    attempt = paying.start_payment_of(actor=alice, invoices=bills[:1]).attempt
    assert (attempt.several, attempt.reference) == (False, bills[0].reference)
    assert [part.amount for part in attempt.parts.all()] == euros("10")


# --- what the database refuses -------------------------------------------------------------------------


def raw(attempt: Attempt, **changes: Any) -> Attempt:
    values = {
        field.attname: getattr(attempt, field.attname)
        for field in Attempt._meta.concrete_fields
        if field.name not in ("id", "uuid", "operation", "callback_hash")
    }
    return Attempt.objects.create(**{**values, **changes})


@pytest.mark.parametrize("state", list(S))
def test_a_part_lives_as_its_attempt(attempt: Attempt, bills: list[Invoice], state: AttemptState) -> None:
    says(attempt, Outcome.REFUSED_CARD)
    single = raw(attempt, several=False, invoice_id=bills[1].pk, amount=Decimal("20"), state=state)
    assert single.parts.get().live == (state in LIVE)
    several = raw(attempt, state=state)
    part = AttemptInvoice.objects.create(attempt=several, invoice=bills[0], amount=1, live=state not in LIVE)
    part.refresh_from_db()
    assert part.live == (state in LIVE)


def test_the_database_refuses_overlapping_live_attempts(attempt: Attempt, bills: list[Invoice]) -> None:
    with pytest.raises(IntegrityError, match="one_live_attempt"), transaction.atomic():
        raw(attempt, several=False, invoice_id=bills[2].pk, amount=Decimal("30"))
    other = raw(attempt)
    with pytest.raises(IntegrityError, match="one_live_attempt"), transaction.atomic():
        AttemptInvoice.objects.create(attempt=other, invoice=bills[1], amount=20)


@pytest.mark.parametrize("column", ["amount = 1", "invoice_id = %(other)s", "attempt_id = attempt_id + 1"])
def test_a_part_is_frozen(attempt: Attempt, bills: list[Invoice], column: str) -> None:
    with (
        pytest.raises(IntegrityError, match="does not change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE payments_attemptinvoice SET {column} WHERE invoice_id = %(id)s",
            {"id": bills[0].pk, "other": bills[1].pk},
        )


def test_the_audit_compares_the_parts(attempt: Attempt, bills: list[Invoice]) -> None:
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    AttemptInvoice.objects.filter(invoice=bills[0]).delete()
    found = auditing.differences()
    assert [(one.kind, one.expected, one.found) for one in found] == [("audit_parts", SUM, Decimal("50"))]
