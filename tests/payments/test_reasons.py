"""Why an invoice cannot be paid online: the code, words and next step of each reason, for residents and staff."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.online import paying, review
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.payability.reasons import WORDS, WhyNot
from tenant_apps.products import protocols
from tenant_apps.products.models import Mode, Product, ProductKind
from tests.backoffice.conftest import text
from tests.payments.conftest import Simulator
from toolkit import clock


@pytest.fixture
def alice(town: Any, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def invoice(alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(alice))


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(WhyNot)
    assert all(words.title and words.sentence and words.next_step for words in WORDS.values())
    assert len({str(words.title) for words in WORDS.values()}) >= len(WORDS) - 1  # each has its own title


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "paid": ({}, {"paid": Decimal("37.50")}),
    "debit": ({}, {"online_hold": "debit"}),
    "dispute": ({}, {"online_hold": "dispute"}),
    "collection": ({}, {"online_hold": "collection"}),
    "offline": ({"protocol": protocols.NONE}, {}),
    "closed": ({"closed_at": timezone.now(), "closed_code": "T2"}, {}),
    "not_open": ({"mode": Mode.ACTIVATION}, {}),
    "partly_paid": ({"kind": ProductKind.TITRE}, {"paid": Decimal("1.00")}),
    "too_small": ({}, {"amount": Decimal("0.99")}),
    "too_large": ({}, {"amount": Decimal("100000.00")}),
    "too_early": ({"payable_days_after_issue": 1}, {"issued_on": clock.today()}),
    "too_late": ({"payable_days_after_due": 0}, {"due_on": clock.today() - timedelta(days=1)}),
    "bad_reference": ({"kind": ProductKind.ROLE}, {}),
}


@pytest.mark.parametrize("code", CASES)
def test_each_is_its_own_page(
    invoice: Invoice, alice: Account, client_for: Callable[..., Client], code: str
) -> None:
    product, bill = CASES[code]
    Product.objects.update(**product)
    Invoice.objects.update(**bill)
    found = Invoice.objects.get()
    online = payability_of(found)
    assert online.code == code
    browser = client_for(alice)
    words = WORDS[WhyNot(code)]
    for answer in (
        browser.get(f"/factures/{found.uuid}/payer/"),
        browser.post(f"/factures/{found.uuid}/payer/"),
    ):
        page = text(answer)
        for part in (words.title, online.reason, words.next_step):
            assert str(part).replace("\xa0", " ") in page
        assert "Accès à l'écran" not in page
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("window", "can"),
    [
        ({"payable_days_after_issue": 1}, True),
        ({"payable_days_after_issue": 2}, False),
        ({"payable_days_after_due": 1}, True),
        ({"payable_days_after_due": 0}, False),
    ],
)
def test_the_window_ends_on_its_days(invoice: Invoice, window: dict[str, int], can: bool) -> None:
    yesterday = clock.today() - timedelta(days=1)
    Product.objects.update(**window)
    Invoice.objects.update(issued_on=yesterday, due_on=yesterday)
    assert payability_of(Invoice.objects.get()).can == can


def test_busy_is_mine_or_somebody_else_s(
    alice: Account,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    client_for: Callable[..., Client],
    simulator: Simulator,
) -> None:
    bob = make_account("bob@example.net")
    invoice = make_invoice(make_payer(alice, bob))
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    until = timezone.localtime(attempt.free_at + timedelta(seconds=59))
    path = f"/factures/{invoice.uuid}/payer/"
    mine, his = text(client_for(alice).get(path)), text(client_for(bob).get(path))
    assert "Vous avez commencé à payer cette facture" in mine
    assert "Un paiement de cette facture est en cours" in his
    assert "Reprendre mon paiement" in mine  # its page is not opened yet
    assert f"à partir de {until:%H:%M}" in his
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=16))
    mine = text(client_for(alice).get(path))
    assert f"à partir de {until:%H:%M}" in mine
    assert "Reprendre mon paiement" not in mine
    assert client_for(bob).post(path).status_code == 409
    simulator.act(attempt.operation, "refuse")
    assert client_for(bob).post(path).status_code == 302  # asked again: the invoice is free


def test_staff_hold_and_release_an_invoice(
    invoice: Invoice, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> None:
    clerk = client_for(make_account("clerk@example.net", role=Role.CLERK))
    path = f"/gestion/factures/{invoice.uuid}/en-ligne/"
    for value, code in (("dispute", "dispute"), ("invented", "dispute"), ("", "")):
        assert clerk.post(path, {"hold": value}).status_code == 302
        assert payability_of(Invoice.objects.get()).code == code
    assert AuditEntry.objects.filter(verb="invoice.held").count() == 2


def test_a_debit_that_the_bank_gives_back(
    invoice: Invoice,
    alice: Account,
    make_account: Callable[..., Account],
    client_for: Callable[..., Client],
    simulator: Simulator,
) -> None:
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    simulator.act(attempt.operation, "debit")
    paying.ask(attempt=attempt, source="poller")
    cashier = make_account("cashier@example.net", role=Role.CASHIER)
    path = f"/gestion/tentatives/{attempt.uuid}/rejeter/"
    client_for(cashier).post(path, {"reason": " "})
    assert Payment.objects.get().cancelled_at is None  # not without a reason
    for _ in range(2):
        client_for(cashier).post(path, {"reason": "Provision insuffisante"})
    payment = Payment.objects.get()
    assert (payment.cancel_reason, payment.cancelled_at is not None) == ("Provision insuffisante", True)
    invoice.refresh_from_db()
    assert invoice.paid == 0
    attempt.refresh_from_db()
    assert attempt.state == "paid"  # it was paid
    page = text(client_for(alice).get(f"/factures/{invoice.uuid}/retour/"))
    assert "Le prélèvement a été rejeté" in page
    assert "Provision insuffisante" in page
    again = paying.start_payment(actor=alice, invoice=invoice).attempt  # it is owed again and can be paid
    simulator.act(again.operation, "pay")
    paying.ask(attempt=again, source="poller")
    invoice.refresh_from_db()
    assert invoice.is_paid
    with pytest.raises(review.NotOpen):
        review.reject_debit(actor=cashier, attempt=again, reason="x")  # a payment by card cannot be rejected


def test_a_card_payment_that_staff_cancelled_is_no_rejected_debit(
    invoice: Invoice, alice: Account, client_for: Callable[..., Client], simulator: Simulator
) -> None:
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    simulator.act(attempt.operation, "pay")
    paying.ask(attempt=attempt, source="poller")
    cancel_payment(actor="system", payment=Payment.objects.get(), reason="payé par erreur")
    page = text(client_for(alice).get(f"/factures/{invoice.uuid}/retour/"))
    assert "Ce règlement a été annulé" in page
    assert "La facture reste à régler" in page
    assert "prélèvement" not in page
    book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal("37.50"), paid_on=clock.today()
    )
    page = text(client_for(alice).get(f"/factures/{invoice.uuid}/retour/"))
    assert "réglée par un autre paiement" in page
    assert "reste à régler" not in page


def test_nobody_is_promised_a_question_that_is_not_asked(
    invoice: Invoice, alice: Account, client_for: Callable[..., Client]
) -> None:
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    Attempt.objects.update(state="expired")
    page = f"/factures/{invoice.uuid}/retour/"
    assert "nous continuons à interroger" in text(client_for(alice).get(page))
    for change in ({"next_check_at": None}, {"next_check_at": timezone.now(), "operation": None}):
        Attempt.objects.filter(pk=attempt.pk).update(**change)
        assert "écrivez au service de facturation" in text(client_for(alice).get(page))


def test_no_hour_is_promised_once_it_is_past(
    invoice: Invoice, alice: Account, client_for: Callable[..., Client], simulator: Simulator
) -> None:
    """The Treasury does not answer after two hours: the invoice may be paid, so it stays reserved."""
    paying.start_payment(actor=alice, invoice=invoice)
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=119))
    hour = "à partir de"
    assert hour in text(client_for(alice).get(f"/factures/{invoice.uuid}/payer/"))
    Attempt.objects.update(free_at=timezone.now() - timedelta(minutes=1))
    simulator.behave(soap="down")
    for page in ("payer", "retour"):
        said = text(client_for(alice).get(f"/factures/{invoice.uuid}/{page}/"))
        assert hour not in said
        assert "dès qu'il" in said
    with pytest.raises(NotPayable) as busy:
        paying.start_payment(actor=alice, invoice=invoice)
    assert "ne répond pas encore" in str(busy.value)


def test_an_unopened_idop_ends_the_waiting(
    invoice: Invoice, alice: Account, client_for: Callable[..., Client], simulator: Simulator
) -> None:
    """P4 frees the invoice at once. It is final after two hours: a page opened at the last minute may be paid."""
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    simulator.behave(clock=960.0)
    paying.ask(attempt=attempt, source="poller")
    attempt.refresh_from_db()
    assert attempt.state == "expired"
    assert attempt.next_check_at is not None
    assert "Le délai pour payer est passé" in text(client_for(alice).get(f"/factures/{invoice.uuid}/retour/"))
    assert payability_of(Invoice.objects.get()).can
    back_in_time(attempt, minutes=121)
    paying.ask(attempt=attempt, source="poller")
    attempt.refresh_from_db()
    assert attempt.next_check_at is None


def back_in_time(attempt: Attempt, *, minutes: int) -> None:
    started = timezone.now() - timedelta(minutes=minutes)
    Attempt.objects.filter(pk=attempt.pk).update(created_at=started, started_at=started)


def test_an_opened_page_reserves_the_invoice(invoice: Invoice, alice: Account, simulator: Simulator) -> None:
    """With P3 the page was opened, so somebody may be typing a card number there (decision 0030)."""
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    simulator.behave(opened="P3")
    simulator.act(attempt.operation, "open")
    paying.ask(attempt=attempt, source="poller")
    with pytest.raises(NotPayable):
        paying.start_payment(actor=alice, invoice=invoice)
    back_in_time(attempt, minutes=20)
    paying.ask(attempt=attempt, source="poller")
    attempt.refresh_from_db()
    assert (attempt.state, payability_of(invoice).can) == ("expired", True)
    assert attempt.next_check_at is not None
    simulator.act(attempt.operation, "pay")  # the payer pays after all
    assert paying.ask(attempt=attempt, source="poller").state == "paid"
