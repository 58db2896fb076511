"""A second click, Back or two tabs: the same person gets the page that is not opened yet (decision 0052)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.errors import Busy, NotPayable
from tenant_apps.payments.models import Attempt, Means
from tenant_apps.payments.online import paying, resuming
from tenant_apps.payments.payability.deciding import Act, What
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.products.models import Product
from tenants.models import Town
from tests.payments.conftest import Simulator
from tests.races import at_once


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def bob(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("bob@example.net")


@pytest.fixture
def bills(
    alice: Account, bob: Account, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> list[Invoice]:
    Product.objects.update(takes_several=True)
    payer = make_payer(alice, bob)
    return [make_invoice(payer, amount=amount) for amount in ("10", "20", "30")]


def start(actor: Account, *bills: Invoice) -> paying.StartedPayment:
    return paying.start_payment_of(actor=actor, invoices=bills)


def aged(attempt: Attempt, **age: float) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - timedelta(**age))


@pytest.mark.parametrize("number", [1, 3])
def test_the_second_press_goes_to_the_same_page(
    alice: Account, bills: list[Invoice], simulator: Simulator, number: int
) -> None:
    first = start(alice, *bills[:number])
    for seconds in (0, 30, 14 * 60):
        aged(first.attempt, seconds=seconds)
        again = start(alice, *bills[:number][::-1])
        assert (again.url, again.attempt) == (first.url, first.attempt)
    assert Attempt.objects.count() == 1
    payability = payability_of(bills[0], reader=alice)
    assert (payability.what, payability.act) == (What.BEGUN, Act.RESUME)
    simulator.act(first.attempt.operation, "pay")
    assert paying.ask(attempt=first.attempt, source="poller").state == "paid"


def test_somebody_else_is_told_to_wait(
    alice: Account, bob: Account, bills: list[Invoice], simulator: Simulator
) -> None:
    start(alice, bills[0])
    with pytest.raises(Busy, match="à partir de"):
        start(bob, bills[0])
    assert payability_of(bills[0], reader=bob).what == What.OTHER_PAYS
    assert paying.resume_payment(actor=bob, invoice=bills[0]) is None


def test_not_once_its_quarter_of_an_hour_is_over(
    alice: Account, bills: list[Invoice], simulator: Simulator
) -> None:
    attempt = start(alice, bills[0]).attempt
    aged(attempt, minutes=14, seconds=45)  # thirty seconds are left to reach the page
    assert payability_of(bills[0], reader=alice).what == What.PAYING
    with pytest.raises(Busy):
        start(alice, bills[0])


def test_not_when_the_treasury_says_that_its_page_was_opened(
    alice: Account, bills: list[Invoice], simulator: Simulator
) -> None:
    attempt = start(alice, bills[0]).attempt
    simulator.behave(opened="P3")
    simulator.act(attempt.operation, "open")
    aged(attempt, minutes=1)
    with pytest.raises(Busy):
        start(alice, bills[0])
    assert payability_of(bills[0], reader=alice).what == What.PAYING


def test_a_page_that_is_over_makes_way_at_once(
    alice: Account, bills: list[Invoice], simulator: Simulator
) -> None:
    attempt = start(alice, bills[0]).attempt
    simulator.act(attempt.operation, "refuse")
    aged(attempt, minutes=1)
    again = start(alice, bills[0])
    assert again.attempt != attempt
    assert Attempt.objects.get(pk=attempt.pk).state == "refused"


def test_not_when_something_else_has_paid_it_meanwhile(
    alice: Account, bills: list[Invoice], simulator: Simulator
) -> None:
    """The old page would charge the whole amount again."""
    start(alice, bills[1], bills[2])
    for invoice, amount in ((bills[2], "5"),):
        book_counter_payment(
            actor="system",
            invoice=invoice,
            means=Means.CASH,
            amount=Decimal(amount),
            paid_on=invoice.issued_on,
        )
    assert paying.resume_payment(actor=alice, invoice=bills[1]) is None
    with pytest.raises(Busy):
        start(alice, bills[1], bills[2])
    assert payability_of(bills[2], reader=alice).what == What.PAYING


def test_another_set_is_another_payment(alice: Account, bills: list[Invoice], simulator: Simulator) -> None:
    first = start(alice, *bills[:2])
    with pytest.raises(Busy):
        start(alice, *bills)
    with pytest.raises(Busy):
        start(alice, bills[0])
    for invoice in bills[:2]:  # from the page of each invoice, with a button of its own
        resumed = paying.resume_payment(actor=alice, invoice=invoice)
        assert resumed is not None
        assert resumed.url == first.url
    assert Attempt.objects.count() == 1


def test_a_redirect_has_no_page_to_resume(alice: Account, bills: list[Invoice]) -> None:
    """TIPI's page can be opened many times, so a second one could be paid too."""
    Product.objects.update(protocol="tipi")
    start(alice, bills[0])
    with pytest.raises(Busy):
        start(alice, bills[0])


def test_the_second_press_hears_why_the_first_failed(
    alice: Account, bills: list[Invoice], monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    attempt = start(alice, bills[0]).attempt
    attempt.state = "created"

    def over(seen: Attempt) -> Attempt:
        seen.state, seen.reason = "expired", "La demande n'a pas abouti."
        return seen

    monkeypatch.setattr(paying, "own_attempt", lambda actor, ids: attempt)
    monkeypatch.setattr(paying, "once_opened", over)
    with pytest.raises(NotPayable, match="n'a pas abouti"):
        start(alice, bills[0])


@pytest.mark.parametrize("slow", [0, 1])
def test_presses_at_the_same_instant_make_one_idop(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    slow: int,
) -> None:
    """On real connections, the second click waits for the Treasury's answer to the first, and gets the same page."""
    alice = make_account("alice@example.net")
    invoice = make_invoice(make_payer(alice))
    if slow:
        simulator.behave(soap="slow", soap_on="create", delay=slow)
    urls: list[str] = []
    acts = [lambda: urls.append(paying.start_payment(actor=alice, invoice=invoice).url)] * 4
    assert at_once(live_town, *acts) == []
    assert len(urls) == 4
    assert len(set(urls)) == 1
    attempt = Attempt.objects.get()
    assert attempt.operation in urls[0]
    asked = [event for event in simulator._get("events?kind=asked&limit=20") if "creer" in event["text"]]
    assert (
        len([one for one in simulator._get("operations") if one["fields"]["refdet"] == attempt.reference])
        >= 1
    )
    assert asked


def test_the_wait_for_the_first_press_has_an_end(
    alice: Account, bills: list[Invoice], monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    attempt = start(alice, bills[0]).attempt
    attempt.state, attempt.free_at = "created", timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr(resuming, "WAIT", 0.3)
    monkeypatch.setattr(Attempt, "refresh_from_db", lambda self: None)
    assert resuming.once_opened(attempt).state == "created"
    assert resuming.page_of(attempt) == ""
