"""Corrections by staff: cancelled payments, credits, money left over, refused declarations. Nothing is deleted."""

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.invoices.queries import invoice_for_resident, invoices_for_resident
from tenant_apps.payments.books.ledger import write_receipt
from tenant_apps.payments.corrections.credits import cancel_invoice, reduce_invoice
from tenant_apps.payments.corrections.payments import allocate, can_undo, cancel_payment, record_refund
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.counter.declarations import declarations, refuse_declaration
from tenant_apps.payments.counter.desk import left_over_figures, money_left_over, other_invoices
from tenant_apps.payments.errors import NotCorrectable, NotPayable, StillAllocated
from tenant_apps.payments.models import Allocation, Attempt, Declaration, Means, Payment
from tenant_apps.payments.online.paying import declare_paid
from tenant_apps.payments.online.review import reject_debit
from tenant_apps.payments.payability.reading import payability_of
from tests.payments.test_races import wait_for_a_waiter
from tests.races import at_once
from toolkit.scope import EVERYTHING

DAY = date(2026, 11, 12)


@pytest.fixture
def desk(
    town: Any, make_account: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> SimpleNamespace:
    """Alice owes two invoices of 20 €, Bob one."""
    alice = make_account("alice@example.net")
    payer, other = make_payer(alice), make_payer()
    return SimpleNamespace(
        alice=alice,
        clerk=make_account("clerk@example.net", role=Role.CLERK),
        first=make_invoice(payer, amount="20"),
        second=make_invoice(payer, amount="20"),
        others=make_invoice(other, amount="20"),
    )


def cash(invoice: Invoice, amount: str, actor: Any = "system") -> Payment:
    return book_counter_payment(
        actor=actor, invoice=invoice, means=Means.CASH, amount=Decimal(amount), paid_on=DAY
    )


def attempt(invoice: Invoice, account: Account, state: str) -> Attempt:
    return Attempt.objects.create(
        invoice=invoice, account=account, product=invoice.product, provider="payfip", state=state,
        merchant="001964", fiscal_year="2026", reference=invoice.reference, label="Facture", mode="W",
        amount=invoice.amount, email=account.email, free_at=timezone.now(), operation=f"op-{invoice.pk}",
    )  # fmt: skip


def online(invoice: Invoice, account: Account, means: Means = Means.DEBIT) -> Payment:
    """A payment that the Treasury reported."""
    made = attempt(invoice, account, "paid")
    payment = Payment.objects.create(
        attempt=made, product=made.product, provider="payfip", provider_reference=made.operation, means=means,
        amount=invoice.amount, paid_on=DAY, recorded_by="treasury", payer=invoice.payer,
    )  # fmt: skip
    write_receipt(
        payment, [Allocation.objects.create(payment=payment, invoice=invoice, amount=invoice.amount)]
    )
    return payment


def paid(invoice: Invoice) -> Decimal:
    invoice.refresh_from_db()
    return Decimal(invoice.paid)


def left(payment: Payment) -> Decimal:
    payment.refresh_from_db()
    return Decimal(payment.unallocated)


# --- a payment cancelled --------------------------------------------------------------------------


def test_a_rejected_debit_leaves_the_invoice_to_be_paid_again(desk: SimpleNamespace) -> None:
    payment = online(desk.first, desk.alice)
    assert paid(desk.first) == 20
    for _ in range(2):  # twice changes nothing
        cancel_payment(actor=desk.clerk, payment=payment, reason="prélèvement rejeté par la banque")
    assert paid(desk.first) == 0
    assert payability_of(desk.first).can
    assert Payment.objects.get().allocations.count() == 1  # kept, but no longer counted
    entry = AuditEntry.objects.get(verb="payment.cancelled")
    assert entry.old["invoices"] == {str(desk.first.uuid): "20.00"}
    assert entry.actor == desk.clerk.audit_name
    mail = OutgoingMail.objects.get(kind="payment-cancelled")
    assert mail.to == desk.alice.email
    assert "prélèvement rejeté par la banque" in mail.text


def test_a_counter_payment_cancelled_writes_to_nobody(desk: SimpleNamespace) -> None:
    cancel_payment(actor=desk.clerk, payment=cash(desk.first, "20"), reason="erreur de saisie")
    assert paid(desk.first) == 0
    assert not OutgoingMail.objects.exists()


def test_a_reason_is_wanted(desk: SimpleNamespace) -> None:
    payment = cash(desk.first, "20")
    with pytest.raises(NotCorrectable):
        cancel_payment(actor=desk.clerk, payment=payment, reason="  ")
    assert paid(desk.first) == 20


def test_who_may_undo(desk: SimpleNamespace, make_account: Any) -> None:
    payment = cash(desk.first, "20", desk.clerk)
    assert can_undo(desk.clerk, payment)
    assert not can_undo(make_account("other@example.net", role=Role.CLERK), payment)
    payment.recorded_at = timezone.now() - timezone.timedelta(minutes=31)
    assert not can_undo(desk.clerk, payment)


def test_a_debit_is_rejected_in_the_order_of_the_locks(
    live_town: Any, make_account: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    """A rejection that waits for an invoice has not locked the payment: « allocate » locks invoices first too."""
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    first, second = make_invoice(payer, amount="20"), make_invoice(payer, amount="20")
    payment = online(first, alice)
    reduce_invoice(actor="system", invoice=first, amount=Decimal("5"), reason="x", let_go=True)
    allocate(actor="system", payment=payment, invoice=second, amount=Decimal("5"))
    made, raised = payment.attempt, []

    def reject() -> None:
        raised.extend(
            at_once(live_town, lambda: reject_debit(actor=alice, attempt=made, reason="compte clos"))
        )

    waiting = threading.Thread(target=reject)
    with transaction.atomic():
        Invoice.objects.select_for_update(no_key=True).get(pk=second.pk)
        waiting.start()
        wait_for_a_waiter()
        Payment.objects.select_for_update(nowait=True, no_key=True).get(pk=payment.pk)
    waiting.join(20)
    assert not raised
    assert (paid(first), paid(second)) == (0, 0)


def test_a_payment_is_cancelled_while_what_is_left_of_it_goes_elsewhere(
    live_town: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    """The payment pays one more invoice since its cancellation started to wait: it locks that invoice first too."""
    payer = make_payer()
    first, second = make_invoice(payer, amount="20"), make_invoice(payer, amount="20")
    payment, raised = cash(first, "30"), []

    def at_the_desk(act: Callable[[], object]) -> threading.Thread:
        desk = threading.Thread(target=lambda: raised.extend(at_once(live_town, act)))
        desk.start()
        return desk

    def move(amount: str) -> object:
        return allocate(actor="system", payment=payment, invoice=second, amount=Decimal(amount))

    with transaction.atomic():
        move("4")
        cancelling = at_the_desk(lambda: cancel_payment(actor="system", payment=payment, reason="impayé"))
        wait_for_a_waiter()
        moving = at_the_desk(lambda: move("3"))
        wait_for_a_waiter(2)
    for desk in (cancelling, moving):
        desk.join(20)
    assert [type(error) for error in raised] in ([], [NotCorrectable])  # it may come after the cancellation
    assert (paid(first), paid(second)) == (0, 0)


def test_cancelled_and_paid_again_at_once(
    live_town: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    invoice = make_invoice(make_payer(), amount="20")
    payment = cash(invoice, "20")
    acts = [lambda: cancel_payment(actor="system", payment=payment, reason="impayé")] * 2
    assert not at_once(live_town, *acts, lambda: cash(invoice, "20"))
    live = Allocation.objects.filter(payment__cancelled_at=None, invoice=invoice)
    assert paid(invoice) == sum(allocation.amount for allocation in live)
    assert AuditEntry.objects.filter(verb="payment.cancelled").count() == 1


# --- credits --------------------------------------------------------------------------------------


def test_an_invoice_is_reduced(desk: SimpleNamespace) -> None:
    reduce_invoice(actor=desk.clerk, invoice=desk.first, amount=Decimal("5"), reason="absence justifiée")
    desk.first.refresh_from_db()
    assert (desk.first.amount, desk.first.credited, desk.first.original_amount) == (15, 5, 20)
    entry = AuditEntry.objects.get(verb="invoice.credited")
    assert (entry.old["amount"], entry.new["amount"]) == ("20.00", "15.00")
    with pytest.raises(DatabaseError, match="avoir"), transaction.atomic():
        Credit.objects.update(amount=1)
    with pytest.raises(DatabaseError, match="avoir"), transaction.atomic():
        Credit.objects.all().delete()


@pytest.mark.parametrize("amount", ["0", "-1", "20", "20.01"])
def test_an_avoir_that_is_none(desk: SimpleNamespace, amount: str) -> None:
    with pytest.raises(WrongState):
        reduce_invoice(actor=desk.clerk, invoice=desk.first, amount=Decimal(amount), reason="x")
    assert not Credit.objects.exists()


def test_never_below_what_was_paid_unless_it_is_let_go(desk: SimpleNamespace) -> None:
    older, newer = cash(desk.first, "12"), cash(desk.first, "8")
    with pytest.raises(StillAllocated):
        reduce_invoice(actor=desk.clerk, invoice=desk.first, amount=Decimal("10"), reason="x")
    assert paid(desk.first) == 20
    reduce_invoice(actor=desk.clerk, invoice=desk.first, amount=Decimal("10"), reason="x", let_go=True)
    assert (paid(desk.first), desk.first.amount) == (10, 10)
    assert (left(older), left(newer)) == (2, 8)  # the newest payment first
    assert AuditEntry.objects.filter(verb="allocation.let_go").count() == 2


def test_an_invoice_cancelled_is_still_there_for_the_resident(desk: SimpleNamespace) -> None:
    payment = cash(desk.first, "20")
    with pytest.raises(StillAllocated):
        cancel_invoice(actor=desk.clerk, invoice=desk.first, reason="doublon")
    cancel_invoice(actor=desk.clerk, invoice=desk.first, reason="doublon", let_go=True)
    assert (paid(desk.first), desk.first.balance, left(payment)) == (0, 0, 20)
    assert invoice_for_resident(desk.alice, desk.first.uuid).state == "cancelled"
    assert desk.first not in invoices_for_resident(desk.alice)
    mail = OutgoingMail.objects.get(kind="invoice-credited")
    assert mail.to == desk.alice.email
    assert "a été annulée : doublon." in mail.text
    with pytest.raises(WrongState):
        cancel_invoice(actor=desk.clerk, invoice=desk.first, reason="encore")
    with pytest.raises(NotPayable):
        declare_paid(actor=desk.alice, invoice=desk.first)


def test_money_for_a_cancelled_invoice_stays_unallocated(desk: SimpleNamespace) -> None:
    cancel_invoice(actor=desk.clerk, invoice=desk.first, reason="doublon")
    assert left(cash(desk.first, "20")) == 20
    with pytest.raises(DatabaseError, match="cancelled_invoice_holds_no_money"), transaction.atomic():
        Allocation.objects.create(payment=Payment.objects.get(), invoice=desk.first, amount=1)


@pytest.mark.parametrize(("state", "words"), [("started", "en cours"), ("review", "à examiner")])
def test_no_avoir_while_somebody_pays(desk: SimpleNamespace, state: str, words: str) -> None:
    attempt(desk.first, desk.alice, state)
    with pytest.raises(NotCorrectable, match=words):
        cancel_invoice(actor=desk.clerk, invoice=desk.first, reason="doublon")
    assert not Credit.objects.exists()


# --- money left over ------------------------------------------------------------------------------


def test_money_left_over_pays_another_invoice_of_the_same_payer(desk: SimpleNamespace) -> None:
    payment = cash(desk.first, "30")
    assert left_over_figures(EVERYTHING) == (1, 10)
    assert list(other_invoices(payment)) == [desk.second]
    allocate(actor=desk.clerk, payment=payment, invoice=desk.second, amount=Decimal("4"))
    allocate(actor=desk.clerk, payment=payment, invoice=desk.second, amount=Decimal("6"))
    assert (paid(desk.second), left(payment)) == (10, 0)
    assert not money_left_over(EVERYTHING).exists()
    assert [
        e.old["unallocated"] for e in AuditEntry.objects.filter(verb="payment.allocated").order_by("id")
    ] == [
        "10.00",
        "6.00",
    ]


def test_what_cannot_be_allocated(desk: SimpleNamespace) -> None:
    payment = cash(desk.first, "30")
    for invoice, amount in (
        (desk.others, "5"),
        (desk.second, "10.01"),
        (desk.second, "0"),
        (desk.first, "1"),
    ):
        with pytest.raises(NotCorrectable):
            allocate(actor=desk.clerk, payment=payment, invoice=invoice, amount=Decimal(amount))
    cancel_payment(actor=desk.clerk, payment=payment, reason="x")
    with pytest.raises(NotCorrectable):
        allocate(actor=desk.clerk, payment=payment, invoice=desk.second, amount=Decimal("5"))
    assert paid(desk.second) == 0
    assert not money_left_over(EVERYTHING).exists()


def test_a_refund_is_noted(desk: SimpleNamespace) -> None:
    payment = cash(desk.first, "30")

    def refund(amount: str) -> object:
        return record_refund(
            actor=desk.clerk,
            payment=payment,
            amount=Decimal(amount),
            refunded_on=DAY,
            means="transfer",
            reason="x",
        )

    refund("6")
    assert left(payment) == 4
    with pytest.raises(NotCorrectable):
        refund("4.01")
    refund("4")
    assert left(payment) == 0
    with pytest.raises(NotCorrectable):
        refund("0.01")
    assert AuditEntry.objects.filter(verb="payment.refunded").count() == 2


def test_left_over_money_is_spent_once(
    live_town: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    payer = make_payer()
    payment = cash(make_invoice(payer, amount="20"), "30")
    target = make_invoice(payer, amount="20")
    acts: list[Callable[[], object]] = [
        lambda: allocate(actor="system", payment=payment, invoice=target, amount=Decimal("10")),
        lambda: allocate(actor="system", payment=payment, invoice=target, amount=Decimal("10")),
        lambda: record_refund(
            actor="system", payment=payment, amount=Decimal("10"), refunded_on=DAY, means="cash", reason="x"
        ),
    ]
    raised = at_once(live_town, *acts)
    assert [type(error) for error in raised] == [NotCorrectable] * 2
    assert left(payment) == 0


# --- « J'ai réglé » -------------------------------------------------------------------------------


def test_a_declaration_is_refused_in_words_and_may_be_made_again(desk: SimpleNamespace) -> None:
    declaration = declare_paid(actor=desk.alice, invoice=desk.first)
    with pytest.raises(NotCorrectable):
        refuse_declaration(actor=desk.clerk, declaration=declaration, answer=" ")
    assert list(declarations(EVERYTHING)) == [declaration]
    for _ in range(2):
        refuse_declaration(actor=desk.clerk, declaration=declaration, answer="Aucun chèque à votre nom.")
    assert not declarations(EVERYTHING).exists()
    mail = OutgoingMail.objects.get()
    assert mail.to == desk.alice.email
    assert "Aucun chèque à votre nom." in mail.text
    declare_paid(actor=desk.alice, invoice=desk.first)
    declare_paid(actor=desk.alice, invoice=desk.first)
    assert declarations(EVERYTHING).count() == 1
    assert AuditEntry.objects.filter(verb="invoice.declared_paid").count() == 2
    assert Declaration.objects.count() == 1


def test_a_declaration_is_closed_by_the_money(desk: SimpleNamespace) -> None:
    declare_paid(actor=desk.alice, invoice=desk.first)
    cash(desk.first, "20")
    assert not declarations(EVERYTHING).exists()
