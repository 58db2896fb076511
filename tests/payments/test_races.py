"""Return × notification × poller × second tab × counter on real connections: one payment, whatever the order."""

import random
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.mail.models import OutgoingMail
from shared_apps.treasury import services as treasury
from tenant_apps.alerts.services import queue_alerts
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import services
from tenant_apps.payments.counter import book_counter_payment
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Attempt, Means, Payment
from tenants.models import Town
from tests.payments.conftest import Simulator

pytestmark = pytest.mark.xdist_group("payfip")


def at_once(town: Town, *acts: Callable[[], Any]) -> list[BaseException]:
    """Each act in a thread with its own connection, all let go together; what they raised."""
    barrier = threading.Barrier(len(acts))
    raised: list[BaseException] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            with tenant_context(town):
                barrier.wait(10)
                act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


@pytest.mark.parametrize("seed", range(8))
def test_everybody_comes_together(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    seed: int,
) -> None:
    alice = make_account("alice@example.net")
    invoice = make_invoice(make_payer(alice))
    attempt = services.start_payment(actor=alice, invoice=invoice).attempt
    simulator.act(attempt.idop, "pay")
    Attempt.objects.update(next_check_at=timezone.now())

    acts: list[Callable[[], Any]] = [
        lambda: services.ask(attempt=attempt, source="return"),
        lambda: services.ask(attempt=attempt, source="staff"),
        services.check_due,
        services.check_due,
        lambda: treasury.ring(kind="payfip", token=attempt.idop or "", fields={}),
        lambda: services.start_payment(actor=alice, invoice=invoice),
        lambda: book_counter_payment(
            actor="system", invoice=invoice, means=Means.CASH, amount=Decimal("10"), paid_on=invoice.due_on
        ),
    ]
    random.Random(seed).shuffle(acts)
    raised = at_once(live_town, *acts)
    assert all(isinstance(error, NotPayable) for error in raised), raised

    services.check_due()
    payments = Payment.objects.filter(provider="payfip")
    assert payments.count() == 1
    invoice.refresh_from_db()
    allocated = sum(a.amount for payment in Payment.objects.all() for a in payment.allocations.all())
    assert invoice.paid == allocated == invoice.amount
    queue_alerts()
    assert OutgoingMail.objects.filter(kind="receipt").count() == 1


def test_two_tabs_make_one_attempt(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    alice, bob = make_account("alice@example.net"), make_account("bob@example.net")
    invoice = make_invoice(make_payer(alice, bob))
    raised = at_once(
        live_town,
        *[lambda: services.start_payment(actor=alice, invoice=invoice)] * 2,
        *[lambda: services.start_payment(actor=bob, invoice=invoice)] * 2,
    )
    assert len(raised) == 3
    assert all(isinstance(error, NotPayable) for error in raised), raised
    assert Attempt.objects.count() == 1


def test_another_town_s_bell_changes_nothing(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    alice = make_account("alice@example.net")
    attempt = services.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt
    assert not treasury.ring(kind="payfip", token="unknown", fields={})
    assert not treasury.ring(kind="tipi", token=attempt.idop or "", fields={"resultrans": "P"})
    assert treasury.ring(kind="payfip", token=attempt.idop or "", fields={"resultrans": "P"})
    attempt.refresh_from_db()
    assert attempt.state == "started"
    assert not Payment.objects.exists()
