"""Several invoices in one payment, with TIPI's unsigned return and with two real connections at once."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.control import auditing
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Allocation, Attempt, AttemptInvoice, Finding, Payment
from tenant_apps.payments.online import paying, review
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.states import AttemptState
from tenant_apps.products.models import Product
from tenants.models import Town
from tests.payments.conftest import Simulator
from tests.payments.test_races import wait_for_a_waiter
from tests.payments.test_several import alice, bills, cash, euros, paid
from tests.races import at_once

__all__ = ["alice", "bills"]  # fixtures
S = AttemptState


@pytest.fixture
def redirect(alice: Account, bills: list[Invoice]) -> dict[str, str]:
    Product.objects.update(protocol="tipi")
    found = [Invoice.objects.get(pk=invoice.pk) for invoice in bills]
    url = paying.start_payment_of(actor=alice, invoices=found).url
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def come_back(redirect: dict[str, str], town: Town, **changes: str) -> Attempt:
    fields = {**redirect, "resultrans": "P", "dattrans": "24112026", "heurtrans": "1030", **changes}
    path = urlsplit(fields.pop("urlcl")).path
    assert Client().post(path, fields, headers={"host": "paiement.localhost"}).status_code == 200
    with tenant_context(town):  # the request was for the callback host
        return Attempt.objects.get(reference=redirect["refdet"])


def test_tipi_announces_them_all(
    redirect: dict[str, str], bills: list[Invoice], town: Town, make_account: Any
) -> None:
    assert (redirect["montant"], redirect["saisie"]) == ("6000", "A")
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    attempt = come_back(redirect, town)
    with tenant_context(town):
        assert attempt.state == S.REPORTED
        assert {payability_of(invoice).code for invoice in bills} == {"announced"}
        assert paid(bills) == [0, 0, 0]
        review.confirm_attempt(actor=clerk, attempt=attempt)
        assert paid(bills) == euros("10", "20", "30")


def test_tipi_late_beside_another_is_kept_and_not_applied(
    redirect: dict[str, str], bills: list[Invoice], town: Town, alice: Account
) -> None:
    Attempt.objects.update(free_at=timezone.now(), next_check_at=timezone.now())
    paying.check_due()
    assert Attempt.objects.get().state == S.EXPIRED
    paying.start_payment(actor=alice, invoice=Invoice.objects.get(pk=bills[2].pk))
    attempt = come_back(redirect, town)
    with tenant_context(town):
        assert attempt.state == S.EXPIRED
        assert Finding.objects.filter(attempt=attempt, kind="late").exists()


@pytest.mark.parametrize("forged", [{"montant": "1000"}, {"refdet": "2026001000001"}])
def test_tipi_forged(redirect: dict[str, str], town: Town, forged: dict[str, str]) -> None:
    reference = redirect["refdet"]
    attempt = come_back(redirect, town, **forged)
    assert attempt.reference == reference
    with tenant_context(town):
        assert attempt.state == S.STARTED
        assert not Payment.objects.exists()


@pytest.mark.parametrize("turn", range(4))
def test_two_parents_tick_overlapping_sets(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Any,
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    turn: int,
) -> None:
    Product.objects.update(takes_several=True)
    alice, bob = make_account("alice@example.net"), make_account("bob@example.net")
    payer = make_payer(alice, bob)
    a, b, c = (make_invoice(payer, amount="10") for _ in range(3))
    raised = at_once(
        live_town,
        lambda: paying.start_payment_of(actor=alice, invoices=[c, b]),
        lambda: paying.start_payment_of(actor=bob, invoices=[b, a]),
        lambda: paying.start_payment(actor=bob, invoice=b),
    )
    assert len(raised) == 2
    assert all(isinstance(error, NotPayable) for error in raised), raised
    attempt = Attempt.objects.get()
    assert set(AttemptInvoice.objects.filter(live=True).values_list("attempt", flat=True)) == {attempt.pk}


@pytest.mark.parametrize("turn", range(3))
def test_settled_from_all_sides_beside_the_counter(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Any,
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    turn: int,
) -> None:
    Product.objects.update(takes_several=True)
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    bills = [make_invoice(payer, amount="10") for _ in range(3)]
    attempt = paying.start_payment_of(actor=alice, invoices=bills).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())
    raised = at_once(
        live_town,
        lambda: paying.ask(attempt=attempt, source="return"),
        lambda: paying.ask(attempt=attempt, source="staff"),
        paying.check_due,
        lambda: cash(bills[2], "10"),
        lambda: cash(bills[0], "4"),
        lambda: paying.start_payment_of(actor=alice, invoices=[bills[1], bills[2]]),
    )
    assert all(isinstance(error, NotPayable) for error in raised), raised
    paying.check_due()
    assert paid(bills) == euros("10", "10", "10")
    online = Payment.objects.get(provider="payfip")
    assert sum(payment.unallocated for payment in Payment.objects.all()) == Decimal("14")
    assert sum(a.amount for a in Allocation.objects.all()) == Decimal("30")
    assert online.amount == Decimal("30")
    queue_planned()
    assert OutgoingMail.objects.filter(kind="receipt").count() == 1
    assert auditing.differences() == []


def test_the_invoices_are_locked_before_the_attempt_in_their_order(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Any,
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    """A settlement that waits for the second invoice has locked the first, but not the third nor the attempt."""
    Product.objects.update(takes_several=True)
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    bills = [make_invoice(payer, amount="10") for _ in range(3)]
    attempt = paying.start_payment_of(actor=alice, invoices=bills[::-1]).attempt
    simulator.act(attempt.operation, "pay")
    waiting = threading.Thread(
        target=at_once, args=(live_town, lambda: paying.ask(attempt=attempt, source="poller"))
    )
    with transaction.atomic():
        Invoice.objects.select_for_update(no_key=True).get(pk=bills[1].pk)
        waiting.start()
        wait_for_a_waiter()
        Attempt.objects.select_for_update(nowait=True, no_key=True).get(pk=attempt.pk)
        Invoice.objects.select_for_update(nowait=True, no_key=True).get(pk=bills[2].pk)
    waiting.join(20)
    assert paid(bills) == euros("10", "10", "10")
