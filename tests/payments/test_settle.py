"""`settle` applies each answer once; an answer that does not match is reviewed, and PAID never changes."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone, translation

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.errors import Busy, NotPayable, ProductRefused, ProviderUnavailable
from tenant_apps.payments.models import Allocation, Attempt, Means, Payment
from tenant_apps.payments.online import paying as services
from tenant_apps.payments.online import review
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.providers.payfip.client import paris_time
from tenant_apps.payments.queries import last_attempt
from tenant_apps.payments.states import EDGES, AttemptState
from tenant_apps.products import protocols
from tenant_apps.products.models import Mode, Product, ProductKind
from tests.payments.conftest import Simulator
from toolkit import clock

S = AttemptState


@pytest.fixture
def alice(town: Any, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def invoice(alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(alice))


@pytest.fixture
def attempt(alice: Account, invoice: Invoice, simulator: Simulator) -> Attempt:
    return services.start_payment(actor=alice, invoice=invoice).attempt


def says(attempt: Attempt, outcome: Outcome, **changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "amount": attempt.amount,
        "reference": attempt.reference,
        "merchant": attempt.merchant,
        "mode": attempt.mode,
        **changes,
    }
    return settle(attempt_id=attempt.pk, status=Status(outcome, **values), source="poller")


def paid(invoice: Invoice) -> Decimal:
    invoice.refresh_from_db()
    return Decimal(invoice.paid)


def test_paid_once_whatever_repeats(attempt: Attempt, invoice: Invoice) -> None:
    for _ in range(3):
        assert says(attempt, Outcome.PAID_CARD).state == S.PAID
    payment = Payment.objects.get()
    assert (payment.means, payment.provider_reference) == (Means.CARD, attempt.operation)
    assert paid(invoice) == Allocation.objects.get().amount == Decimal("37.50")


@pytest.mark.parametrize("day", ["31122099", "01012001"])
def test_a_day_that_cannot_be_is_today(attempt: Attempt, day: str) -> None:
    """An impossible day becomes today, so that the figures of a day show it. The Treasury's date is kept too."""
    moment = paris_time(day, "1030")
    assert says(attempt, Outcome.PAID_CARD, paid_at=moment, raw={"dattrans": day}).state == S.PAID
    assert Payment.objects.get().paid_on == clock.today()
    attempt.refresh_from_db()
    assert attempt.answer["dattrans"] == day
    notes = [event.note for event in attempt.events.all()]
    assert any(f"{day[:2]}/{day[2:4]}/{day[4:]}" in note for note in notes)


@pytest.mark.parametrize("later", list(Outcome))
def test_paid_is_never_overwritten(attempt: Attempt, invoice: Invoice, later: Outcome) -> None:
    says(attempt, Outcome.PAID_DEBIT)
    assert says(attempt, later).state == S.PAID
    assert paid(invoice) == Decimal("37.50")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": Decimal("0.01")},
        {"amount": None},
        {"reference": "ANOTHER0001"},
        {"merchant": "001965"},
        {"mode": "T"},
        {"mode": None},
    ],
)
def test_what_was_not_asked_is_held_and_pays_nothing(
    attempt: Attempt, invoice: Invoice, wrong: dict[str, Any]
) -> None:
    found = says(attempt, Outcome.PAID_CARD, **wrong)
    assert found.state == S.REVIEW
    assert "ne correspond pas" in found.reason
    assert not Payment.objects.exists()
    assert paid(invoice) == 0
    assert not payability_of(invoice).can  # nobody pays twice meanwhile


@pytest.mark.parametrize(
    ("said", "words"),
    [({"montant": "1", "saisie": "W"}, "0,01"), ({"montant": "3750", "saisie": "T"}, "paiement d'essai")],
)
def test_nobody_confirms_what_the_treasury_contradicts(
    attempt: Attempt, alice: Account, invoice: Invoice, said: dict[str, str], words: str
) -> None:
    """When one cent was paid, or test money, a click of staff must not book the whole amount."""
    says(attempt, Outcome.PAID_CARD, amount=Decimal(said["montant"]) / 100, mode=said["saisie"], raw=said)
    with pytest.raises(review.NotOpen, match=words):
        review.confirm_attempt(actor=alice, attempt=attempt)
    assert not Payment.objects.exists()
    review.refuse_attempt(actor=alice, attempt=attempt)
    assert payability_of(invoice).can


def test_an_unknown_code_is_held_never_a_failure(attempt: Attempt) -> None:
    assert says(attempt, Outcome.OTHER).state == S.REVIEW


@pytest.mark.parametrize("outcome", [Outcome.REFUSED_CARD, Outcome.REFUSED_DEBIT, Outcome.TOO_OLD])
def test_a_no_frees_the_invoice_at_once(
    attempt: Attempt, invoice: Invoice, alice: Account, outcome: Outcome
) -> None:
    says(attempt, outcome)
    assert payability_of(invoice).can
    assert services.start_payment(actor=alice, invoice=invoice).attempt.pk != attempt.pk


def test_what_is_kept_is_french_whoever_brings_the_answer(attempt: Attempt) -> None:
    """Rows keep French sentences: staff and other residents read them, each in their own language."""
    with translation.override("en"):
        assert says(attempt, Outcome.REFUSED_CARD).reason == "La carte a été refusée. Rien n'a été débité."


def test_abandoned_is_believed_the_second_time(attempt: Attempt, invoice: Invoice) -> None:
    assert says(attempt, Outcome.ABANDONED).state == S.STARTED
    assert says(attempt, Outcome.ABANDONED).state == S.STARTED  # not applied the first time
    Attempt.objects.update(abandoned_seen_at=timezone.now() - timedelta(minutes=2))
    assert says(attempt, Outcome.ABANDONED).state == S.ABANDONED
    assert payability_of(invoice).can


def test_abandoned_then_paid_is_paid(attempt: Attempt, invoice: Invoice) -> None:
    Attempt.objects.update(abandoned_seen_at=timezone.now() - timedelta(minutes=3))
    assert says(attempt, Outcome.ABANDONED).state == S.ABANDONED
    assert says(attempt, Outcome.PAID_CARD).state == S.PAID
    assert paid(invoice) == Decimal("37.50")


def test_two_hours_then_free_then_really_paid(attempt: Attempt, invoice: Invoice) -> None:
    assert says(attempt, Outcome.PENDING).state == S.STARTED
    Attempt.objects.update(free_at=timezone.now() - timedelta(seconds=1))
    assert says(attempt, Outcome.PENDING).state == S.EXPIRED
    assert payability_of(invoice).can
    assert says(attempt, Outcome.PAID_CARD).state == S.PAID  # an expired attempt can still be paid
    assert paid(invoice) == Decimal("37.50")


def test_busy_until(attempt: Attempt, invoice: Invoice, make_account: Callable[..., Account]) -> None:
    with pytest.raises(Busy) as busy:
        services.start_payment(actor=make_account("bob@example.net"), invoice=invoice)
    assert timedelta(minutes=118) < busy.value.until - timezone.now() <= timedelta(minutes=120)
    shown = timezone.localtime(busy.value.until + timedelta(seconds=59))  # at this minute the invoice is free
    assert f"{shown:%H:%M}" in str(busy.value)


def test_paid_at_the_counter_and_online_keeps_the_rest_visible(attempt: Attempt, invoice: Invoice) -> None:
    book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal("30"), paid_on=invoice.issued_on
    )
    says(attempt, Outcome.PAID_CARD)
    assert paid(invoice) == Decimal("37.50")
    online = Payment.objects.get(provider="payfip")
    assert online.amount == Decimal("37.50")
    assert sum(a.amount for a in online.allocations.all()) == Decimal("7.50")


def test_the_attempt_is_written_before_the_treasury_is_called(
    alice: Account, invoice: Invoice, simulator: Simulator
) -> None:
    simulator.behave(soap="cut")  # the Treasury opened it, but the answer was lost
    with pytest.raises(ProviderUnavailable):
        services.start_payment(actor=alice, invoice=invoice)
    assert Attempt.objects.get().state == S.EXPIRED
    simulator.behave(soap="ok")
    assert services.start_payment(actor=alice, invoice=invoice).attempt.state == S.STARTED


def test_a_product_that_the_treasury_refuses(alice: Account, invoice: Invoice) -> None:
    Product.objects.update(numcli="999902")
    with pytest.raises(ProductRefused):
        services.start_payment(actor=alice, invoice=Invoice.objects.get(pk=invoice.pk))
    assert Attempt.objects.get().state == S.FAILED


@pytest.mark.parametrize(
    ("product", "bill", "words"),
    [
        ({"protocol": protocols.NONE}, {}, "ne se règle pas en ligne"),
        ({"mode": Mode.TEST}, {}, "pas encore ouvert"),
        ({"payable_days_after_due": 30}, {"due_on": "2020-01-01"}, "date limite"),
        ({}, {"amount": Decimal("0.50")}, "commence à 1 €"),
        ({}, {"state": "cancelled"}, "annulée"),
        ({"kind": ProductKind.TITRE}, {"paid": Decimal("1.00")}, "Une partie"),
        ({}, {"paid": Decimal("37.50")}, "est réglée"),
    ],
)
def test_why_not_online(
    alice: Account, invoice: Invoice, product: dict[str, Any], bill: dict[str, Any], words: str
) -> None:
    Product.objects.update(**product)
    Invoice.objects.filter(pk=invoice.pk).update(**bill)
    found = Invoice.objects.get(pk=invoice.pk)
    assert words in payability_of(found).reason
    with pytest.raises(NotPayable):
        services.start_payment(actor=alice, invoice=found)
    assert not Attempt.objects.exists()


def test_the_poller_alone_is_enough(attempt: Attempt, invoice: Invoice, simulator: Simulator) -> None:
    simulator.act(attempt.operation, "pay")
    assert services.check_due() == 0  # it is not due yet
    Attempt.objects.update(next_check_at=timezone.now())
    assert services.check_due() == 1
    assert paid(invoice) == Decimal("37.50")


def test_the_treasury_down_for_an_hour(attempt: Attempt, invoice: Invoice, simulator: Simulator) -> None:
    simulator.act(attempt.operation, "pay")
    simulator.behave(soap="down")
    Attempt.objects.update(next_check_at=timezone.now())
    services.check_due()
    attempt.refresh_from_db()
    assert attempt.state == S.STARTED
    assert attempt.next_check_at is not None
    simulator.behave(soap="ok")
    Attempt.objects.update(next_check_at=timezone.now())
    services.check_due()
    assert paid(invoice) == Decimal("37.50")


def test_the_database_refuses_a_second_live_attempt(attempt: Attempt, invoice: Invoice) -> None:
    attempt.pk, attempt.operation, attempt.uuid = None, "other", None
    with pytest.raises(DatabaseError), transaction.atomic():
        attempt.save()


def test_the_database_refuses_more_than_the_amount(invoice: Invoice) -> None:
    payment = Payment.objects.create(
        product=invoice.product,
        provider="x",
        provider_reference="1",
        means=Means.CASH,
        amount=100,
        paid_on=invoice.issued_on,
        recorded_by="x",
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        Allocation.objects.create(payment=payment, invoice=invoice, amount=Decimal("37.51"))
    Allocation.objects.create(payment=payment, invoice=invoice, amount=Decimal("30.00"))
    assert paid(invoice) == Decimal("30.00")
    Payment.objects.filter(pk=payment.pk).update(cancelled_at=timezone.now())
    assert paid(invoice) == 0
    Payment.objects.filter(pk=payment.pk).update(cancelled_at=None)
    assert paid(invoice) == Decimal("30.00")
    Allocation.objects.all().delete()
    assert paid(invoice) == 0


def test_every_edge_has_its_reason_and_paid_has_no_way_out() -> None:
    assert all(EDGES.values())
    assert not [to for (start, to) in EDGES if start == S.PAID]
    assert {to for pair in EDGES for to in pair} == set(S)


def test_a_silent_treasury_is_not_asked_about_everybody(
    alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice], simulator: Simulator
) -> None:
    payer = make_payer(alice)
    for _ in range(5):
        services.start_payment(actor=alice, invoice=make_invoice(payer))
    simulator.behave(soap="down")
    Attempt.objects.update(next_check_at=timezone.now())
    services.check_due()
    soon = timezone.now() + timedelta(minutes=5)
    assert Attempt.objects.filter(checks=1, next_check_at__lt=soon).count() == 3
    assert Attempt.objects.filter(checks=0, next_check_at__gt=soon).count() == 2  # they are due again later


def test_one_attempt_that_cannot_be_settled_does_not_stop_the_others(
    alice: Account,
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    payer = make_payer(alice)
    stuck, good = (services.start_payment(actor=alice, invoice=make_invoice(payer)).attempt for _ in range(2))
    # A payment with this operation exists already: the database refuses to book it twice.
    Payment.objects.create(
        product=stuck.product,
        provider="payfip",
        provider_reference=stuck.operation,
        means=Means.CARD,
        amount=1,
        paid_on="2026-01-01",
        recorded_by="x",
    )
    for attempt in (stuck, good):
        simulator.act(attempt.operation, "pay")
    Attempt.objects.filter(pk=stuck.pk).update(next_check_at=timezone.now() - timedelta(minutes=1))
    Attempt.objects.filter(pk=good.pk).update(next_check_at=timezone.now())
    services.check_due()
    for attempt in (stuck, good):
        attempt.refresh_from_db()
    assert (stuck.state, good.state) == (S.STARTED, S.PAID)
    assert stuck.next_check_at is not None
    assert stuck.next_check_at > timezone.now()
    assert str(stuck.uuid) in caplog.text
    assert stuck.operation not in caplog.text


def test_the_return_page_of_what_was_settled_while_it_was_made(
    attempt: Attempt, alice: Account, client_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker settles the attempt after the view has read the invoice and before it reads the attempt."""
    from tenant_apps.portal.views.invoices import paying

    def settled_just_now(invoice: Invoice) -> Attempt | None:
        says(attempt, Outcome.PAID_CARD)
        return last_attempt(invoice)

    monkeypatch.setattr(paying, "last_attempt", settled_just_now)
    page = client_for(alice).get(f"/factures/{attempt.invoice.uuid}/retour/").content.decode()
    assert "Merci, votre paiement est enregistré" in page
    assert "pas abouti" not in page


def test_settling_talks_little(attempt: Attempt, django_assert_num_queries: Any) -> None:
    """Few statements keep the lock of the invoice short: the locks, four rows, the fact, the receipt, the agenda."""
    with django_assert_num_queries(7):  # two of them are the savepoint of the test
        says(attempt, Outcome.PAID_CARD)
