"""A hundred rounds of acts in random order on real connections: no deadlock, no 503, and each payment once."""

import contextlib
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from tenant_apps.invoices import services as invoices
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState
from tenant_apps.payments.control import auditing
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Attempt, Finding, Means, Payment
from tenant_apps.payments.online import paying, review
from tenant_apps.products.models import Product
from tenant_apps.residents.sources import default_source
from tenants.models import Town
from tests.payments.conftest import Simulator
from tests.races import crowd

SEEDS, ROUNDS = 3, 35
Act = Callable[[], Any]


class Street:
    """A town, its people and their browsers. Each round has its own invoices."""

    def __init__(self, town: Town, make_account: Any, make_payer: Any, make_invoice: Any) -> None:
        self.town, self.host, self.make_invoice = town, f"{town.slug}.localhost", make_invoice
        self.alice, self.bob = (make_account(f"{name}@example.net") for name in ("alice", "bob"))
        self.clerk = make_account("clerk@example.net", role=Role.CLERK)
        self.payer = make_payer(self.alice, self.bob)
        self.browsers = [self.browser(person) for person in (self.alice, self.bob, self.clerk)]

    def browser(self, person: Account | None, host: str = "") -> Client:
        found = Client(headers={"host": host or self.host}, raise_request_exception=False)
        if person is not None:
            found.force_login(person)
        return found

    def batch(self, number: int) -> tuple[Batch, list[Invoice]]:
        batch = Batch.objects.create(
            source=default_source(),
            state=BatchState.PUBLISHED,
            published_at=timezone.now(),
            created_by="system",
            rows_name="x.csv",
        )
        return batch, [self.make_invoice(self.payer, amount="10", batch=batch) for _ in range(number)]


@pytest.fixture
def street(live_town: Town, make_account: Any, make_payer: Any, make_invoice: Any) -> Street:
    Product.objects.update(takes_several=True)
    return Street(live_town, make_account, make_payer, make_invoice)


def deadlocks() -> int:
    """The number of deadlocks that PostgreSQL counted. Services retry after one, so no test would see it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def told(answers: list[int], ask: Callable[..., Any], *args: Any, **data: Any) -> Act:
    """The act of a browser; its answer is kept in `answers`."""
    return lambda: answers.append(ask(*args, **data).status_code)


def refusable(act: Act) -> Act:
    """An act that a service may refuse, if it comes too late."""

    def acting() -> None:
        with contextlib.suppress(PaymentError, InvoiceError):
            act()

    return acting


def around_an_attempt(street: Street, simulator: Simulator, answers: list[int]) -> tuple[Attempt, list[Act]]:
    """A PayFiP attempt, and acts on it: true and forged returns, notifications, the poller, staff, an import."""
    batch, (first, second, third) = street.batch(3)
    attempt = paying.start_payment_of(actor=street.alice, invoices=[second, first]).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.filter(pk=attempt.pk).update(next_check_at=timezone.now())
    back, claim = (
        f"/factures/{first.uuid}/retour/",
        {"resultrans": "P", "montant": "100", "idop": attempt.operation},
    )
    alice, bob, clerk = street.browsers
    treasury = street.browser(None, "paiement.localhost")
    return attempt, [
        told(answers, alice.get, back, {"idop": attempt.operation}),
        told(answers, bob.get, f"/factures/{second.uuid}/retour/", claim),
        told(answers, treasury.post, "/payfip/notification/", claim),
        told(answers, treasury.post, "/payfip/notification/", {"idop": attempt.operation}),
        told(answers, clerk.post, f"/gestion/tentatives/{attempt.uuid}/verifier/"),
        paying.check_due,
        refusable(lambda: invoices.take_back_batch(actor=street.clerk, batch=batch)),
        refusable(lambda: paying.start_payment_of(actor=street.bob, invoices=[third, second])),
        refusable(lambda: cash(third, "4")),
        refusable(lambda: cash(first, "4")),
    ]


def around_a_redirect(street: Street, answers: list[int]) -> tuple[Attempt, list[Act]]:
    """A TIPI attempt, and acts on it: its return, a forged one, a repeated one, and staff's decision."""
    Product.objects.update(protocol="tipi")
    batch, (first, second) = street.batch(2)
    started = paying.start_payment_of(actor=street.alice, invoices=[second, first])
    Product.objects.update(protocol="payfip")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    path = urlsplit(asked.pop("urlcl")).path
    said = {**asked, "resultrans": "P", "dattrans": "24112026", "heurtrans": "1030"}
    treasury = street.browser(None, "paiement.localhost")
    with tenant_context(street.town):
        treasury.post(path, said)
    return started.attempt, [
        told(answers, treasury.post, path, {**said, "montant": "1"}),
        told(answers, treasury.post, path, {**said, "resultrans": "R"}),
        told(answers, treasury.post, path, said),
        refusable(lambda: review.confirm_attempt(actor=street.clerk, attempt=started.attempt)),
        refusable(lambda: review.confirm_attempt(actor=street.clerk, attempt=started.attempt)),
        refusable(lambda: invoices.take_back_batch(actor=street.clerk, batch=batch)),
        refusable(lambda: cash(second, "3")),
        paying.check_due,
    ]


def around_a_batch(street: Street) -> list[Act]:
    """Acts on a batch: taking it back, paying its invoices in two orders, and booking them at the counter."""
    batch, bills = street.batch(3)
    return [
        refusable(lambda: invoices.take_back_batch(actor=street.clerk, batch=batch)),
        refusable(lambda: paying.start_payment_of(actor=street.alice, invoices=bills[::-1])),
        refusable(lambda: paying.start_payment_of(actor=street.bob, invoices=bills[1:])),
    ]


def cash(invoice: Invoice, amount: str) -> None:
    book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal(amount), paid_on=invoice.issued_on
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nobody_waits_in_a_circle(street: Street, live_town: Town, simulator: Simulator, seed: int) -> None:
    chance, before = random.Random(seed), deadlocks()
    answers: list[int] = []
    with crowd(live_town) as at_once:
        for turn in range(ROUNDS):
            if turn % 3 == 2:
                attempt, acts = around_a_redirect(street, answers)
            else:
                attempt, acts = around_an_attempt(street, simulator, answers)
            acts = [*acts, *around_a_batch(street)]
            chance.shuffle(acts)
            assert at_once(*acts) == [], turn
            paying.check_due()
            attempt.refresh_from_db()
            assert attempt.state == "paid", turn
            assert Payment.objects.filter(attempt=attempt).count() == 1, turn
    assert set(answers) <= {200, 302}, sorted(set(answers))
    assert Finding.objects.exclude(kind__in=["claim", "forged", "replayed"]).count() == 0
    assert auditing.differences() == []
    assert deadlocks() == before
