"""The return, notification, poller, second tab and counter act at once on real connections: one payment is booked."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import OutgoingMail
from shared_apps.treasury import services as treasury
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Allocation, Attempt, Finding, Means, Payment
from tenant_apps.payments.online import paying
from tenant_apps.payments.online.incoming import notifications
from tenants.models import Town
from tests.payments.conftest import Simulator
from tests.races import at_once


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
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())

    acts: list[Callable[[], Any]] = [
        lambda: paying.ask(attempt=attempt, source="return"),
        lambda: paying.ask(attempt=attempt, source="staff"),
        paying.check_due,
        paying.check_due,
        lambda: treasury.deliver(kind="payfip", token=attempt.operation or "", fields={}),
        lambda: paying.start_payment(actor=alice, invoice=invoice),
        lambda: book_counter_payment(
            actor="system", invoice=invoice, means=Means.CASH, amount=Decimal("10"), paid_on=invoice.issued_on
        ),
    ]
    random.Random(seed).shuffle(acts)
    raised = at_once(live_town, *acts)
    assert all(isinstance(error, NotPayable) for error in raised), raised

    paying.check_due()
    payments = Payment.objects.filter(provider="payfip")
    assert payments.count() == 1
    invoice.refresh_from_db()
    allocated = sum(a.amount for payment in Payment.objects.all() for a in payment.allocations.all())
    assert invoice.paid == allocated == invoice.amount
    queue_planned()
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
        *[lambda: paying.start_payment(actor=alice, invoice=invoice)] * 2,
        *[lambda: paying.start_payment(actor=bob, invoice=invoice)] * 2,
    )
    assert len(raised) == 2  # both tabs of the person who was first get the same page
    assert all(isinstance(error, NotPayable) for error in raised), raised
    assert Attempt.objects.count() == 1


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """Our WSGI application on a real socket, with one thread per request."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("seed", range(4))
def test_everybody_comes_over_http(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    web: str,
    seed: int,
) -> None:
    """Two residents' returns, a second tab, the Treasury's notifications, staff, the poller: over real sockets."""
    host = f"{live_town.slug}.localhost"
    alice, bob = make_account("alice@example.net"), make_account("bob@example.net")
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    invoice = make_invoice(make_payer(alice, bob))
    cookies = {person.email: signed_in(person, host) for person in (alice, bob, clerk)}
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())

    def call(method: str, path: str, person: Account | None = None, at: str = host, **data: str) -> None:
        jar = cookies[person.email] if person else {}
        headers = {
            "Host": at,
            "X-CSRFToken": jar.get("csrf", ""),
            "Origin": f"http://{at}",
            "Referer": f"http://{at}/",
        }
        answer = requests.request(
            method, web + path, headers=headers, cookies=jar, data=data, allow_redirects=False, timeout=30
        )
        assert answer.status_code in (200, 302, 409), (path, answer.status_code)

    back = f"/factures/{invoice.uuid}/retour/"
    notification = ("post", "/payfip/notification/", None, "paiement.localhost")
    acts: list[Callable[[], Any]] = [
        lambda: call("get", f"{back}?idop={attempt.operation}", alice),
        lambda: call("get", f"{back}etat/", bob),
        lambda: call("post", f"/factures/{invoice.uuid}/payer/", bob),
        lambda: call(*notification, idop=attempt.operation or ""),
        lambda: call(*notification, idOp=attempt.operation or ""),
        lambda: call("post", f"/gestion/tentatives/{attempt.uuid}/verifier/", clerk),
        paying.check_due,
    ]
    random.Random(seed).shuffle(acts)
    assert at_once(live_town, *acts) == []
    paying.check_due()
    assert Payment.objects.get().provider_reference == attempt.operation
    invoice.refresh_from_db()
    assert invoice.is_paid
    queue_planned()
    assert OutgoingMail.objects.filter(kind="receipt").count() == 1


def signed_in(person: Account, host: str) -> dict[str, str]:
    """The cookies of a browser in which `person` is signed in, and a token for its forms."""
    browser = Client(headers={"host": host})
    browser.force_login(person)
    token = "a" * 32
    return {"session": browser.cookies[settings.SESSION_COOKIE_NAME].value, "csrf": token}


def test_the_invoice_is_locked_before_the_attempt(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    """A settlement that waits for the invoice has not locked the attempt: two orders could be a deadlock."""
    alice = make_account("alice@example.net")
    attempt = paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt
    simulator.act(attempt.operation, "pay")
    waiting = threading.Thread(
        target=at_once, args=(live_town, lambda: paying.ask(attempt=attempt, source="poller"))
    )
    with transaction.atomic():
        Invoice.objects.select_for_update(no_key=True).get(pk=attempt.invoice_id)
        waiting.start()
        wait_for_a_waiter()
        Attempt.objects.select_for_update(nowait=True, no_key=True).get(pk=attempt.pk)
    waiting.join(20)
    attempt.refresh_from_db()
    assert attempt.state == "paid"


def test_an_attempt_that_opens_at_the_last_second_is_not_lost(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    """A second tab takes the first call for lost while the Treasury answers it: the idOp must stay."""
    alice = make_account("alice@example.net")
    attempt = paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt
    idop, connected = attempt.operation, connection.cursor()
    connected.execute("ALTER TABLE payments_attempt DISABLE TRIGGER USER")
    Attempt.objects.update(state="created", operation=None, free_at=timezone.now())
    connected.execute("ALTER TABLE payments_attempt ENABLE TRIGGER USER")
    raised: list[BaseException] = []
    waiting = threading.Thread(
        target=lambda: raised.extend(
            at_once(live_town, lambda: paying.start_payment(actor=alice, invoice=attempt.invoice))
        )
    )
    with transaction.atomic():
        Attempt.objects.update(state="started", operation=idop)
        waiting.start()
        wait_for_a_waiter()
    waiting.join(20)
    assert raised == []  # the second tab gets the same page
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.operation) == ("started", idop)


def wait_for_a_waiter(number: int = 1) -> None:
    """Wait until `number` other connections wait for a lock of this transaction."""
    for _ in range(1200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
            )
            if cursor.fetchone()[0] >= number:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_money_allocated_while_its_payment_is_cancelled_does_not_count(
    live_town: Town, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]
) -> None:
    """The two acts lock different rows. Without the lock of the trigger, each would miss the other."""
    invoice = make_invoice(make_payer())
    payment = Payment.objects.create(
        product=invoice.product,
        provider="offline",
        provider_reference="1",
        means=Means.CASH,
        amount=10,
        paid_on=invoice.issued_on,
        recorded_by="x",
    )
    cancelling = threading.Thread(
        target=at_once,
        args=(live_town, lambda: Payment.objects.filter(pk=payment.pk).update(cancelled_at=timezone.now())),
    )
    with transaction.atomic():
        Allocation.objects.create(payment=payment, invoice=invoice, amount=10)
        cancelling.start()
        wait_for_a_waiter()
    cancelling.join(20)
    invoice.refresh_from_db()
    assert invoice.paid == 0


def test_another_town_s_notification_changes_nothing(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    alice = make_account("alice@example.net")
    attempt = paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt
    assert not treasury.deliver(kind="payfip", token="unknown", fields={})
    assert not treasury.deliver(kind="tipi", token=attempt.operation or "", fields={"resultrans": "P"})
    assert treasury.deliver(kind="payfip", token=attempt.operation or "", fields={"resultrans": "P"})
    attempt.refresh_from_db()
    assert attempt.state == "started"
    assert not Payment.objects.exists()


@pytest.mark.parametrize("how", ["notification", "return"])
def test_a_forged_claim_that_waits_for_the_invoice_locks_nothing(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    how: str,
) -> None:
    """A claim once locked the attempt and waited for the invoice of its finding, which a settlement had locked."""
    alice = make_account("alice@example.net")
    attempt = paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt
    claim = {"resultrans": "P", "montant": "100"}
    acts = {
        "notification": lambda: treasury.deliver(kind="payfip", token=attempt.operation or "", fields=claim),
        "return": lambda: notifications.receive_return(invoice=attempt.invoice, fields=claim),
    }
    raised: list[BaseException] = []
    waiting = threading.Thread(target=lambda: raised.extend(at_once(live_town, acts[how])))
    with transaction.atomic():
        Invoice.objects.select_for_update(no_key=True).get(pk=attempt.invoice_id)
        waiting.start()
        wait_for_a_waiter()
        Attempt.objects.select_for_update(nowait=True, no_key=True).get(pk=attempt.pk)
    waiting.join(20)
    assert raised == []
    assert Finding.objects.filter(attempt=attempt, kind="claim").count() == 1
