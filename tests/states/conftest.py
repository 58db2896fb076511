"""Bring an invoice to each state of the table, with the services that people use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState, InvoiceState
from tenant_apps.payments.corrections.credits import cancel_invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Attempt, Means
from tenant_apps.payments.online import paying
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.payability.deciding import free_from
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.products import protocols
from tenant_apps.products.models import Product
from tenant_apps.residents.sources import default_source
from tests.payments.conftest import Simulator, simulator
from toolkit import clock

__all__ = ["simulator"]


@dataclass(frozen=True)
class World:
    """Alice and Bob, who share a payer, and the acts that bring the payer's invoice to a state."""

    alice: Account
    bob: Account
    bill: Callable[..., Invoice]
    simulator: Simulator

    def make(self, state: str) -> Invoice:
        """A new invoice in `state`."""
        days = {"soon": 3, "late": -1, "too late": -1, "direct debit, past": -2}.get(state, 40)
        batch = Batch.objects.create(
            source=default_source(), state=BatchState.PUBLISHED, created_by="x", published_at=timezone.now()
        )
        made_on = timezone.now() - timedelta(days=100)
        invoice = self.bill(
            amount="37.50", due_on=clock.today() + timedelta(days=days), batch=batch, published_at=made_on,
            issued_on=made_on.date(), state=InvoiceState.DRAFT if state == "draft" else InvoiceState.PUBLISHED,
        )  # fmt: skip
        MAKERS.get(state, lambda world, invoice: None)(self, invoice)
        return Invoice.objects.get(pk=invoice.pk)


def _cash(amount: str) -> Callable[[World, Invoice], Any]:
    return lambda world, invoice: book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal(amount), paid_on=clock.today()
    )


def _paying(world: World, invoice: Invoice) -> None:
    """The Treasury says that the page was opened, so it cannot be opened again."""
    attempt = paying.start_payment(actor=world.alice, invoice=invoice).attempt
    world.simulator.behave(opened="P3")
    world.simulator.act(attempt.operation, "open")
    paying.ask(attempt=attempt, source="poller")


def _announced(world: World, invoice: Invoice) -> None:
    Product.objects.update(protocol="tipi")
    attempt = paying.start_payment(actor=world.alice, invoice=invoice).attempt
    Attempt.objects.filter(pk=attempt.pk).update(state="reported")


def _examined(world: World, invoice: Invoice) -> None:
    attempt = paying.start_payment(actor=world.alice, invoice=invoice).attempt
    settle(attempt_id=attempt.pk, status=Status(Outcome.OTHER, raw={"resultrans": "K"}), source="poller")


def _change(**values: Any) -> Callable[[World, Invoice], Any]:
    return lambda world, invoice: Invoice.objects.filter(pk=invoice.pk).update(**values)


def _product(**values: Any) -> Callable[[World, Invoice], Any]:
    return lambda world, invoice: Product.objects.update(**values)


MAKERS: dict[str, Callable[[World, Invoice], Any]] = {
    "partly paid": _cash("10.00"),
    "paid": _cash("37.50"),
    "begun": lambda world, invoice: paying.start_payment(actor=world.alice, invoice=invoice),
    "paying": _paying,
    "somebody else pays": lambda world, invoice: paying.start_payment(actor=world.bob, invoice=invoice),
    "announced": _announced,
    "in review": _examined,
    "declared": lambda world, invoice: paying.declare_paid(actor=world.alice, invoice=invoice),
    "direct debit": _change(online_hold="debit"),
    "direct debit, past": _change(online_hold="debit"),
    "disputed": _change(online_hold="dispute"),
    "sent to collection": _change(online_hold="collection"),
    "cancelled": lambda world, invoice: cancel_invoice(actor="system", invoice=invoice, reason="double"),
    "not online": _product(protocol=protocols.NONE),
    "too late": _product(payable_days_after_due=0),
    "interrupted": _product(closed_at=timezone.now(), closed_code="T2"),
}


@pytest.fixture
def world(town: Any, make_account: Any, make_payer: Any, make_invoice: Any, simulator: Simulator) -> World:
    alice, bob = make_account("alice@example.net"), make_account("bob@example.net")
    payer = make_payer(alice, bob, email="alice@example.net", first_name="Camille")
    return World(alice, bob, lambda **fields: make_invoice(payer, **fields), simulator)


def names(invoice: Invoice) -> dict[str, str]:
    """The values of the names in the sentences of the table."""
    attempt = invoice.attempts.order_by("-id").first()
    return {
        "due": clock.in_figures(invoice.due_on),
        "in_words": clock.in_words(invoice.due_on),
        "today": clock.in_figures(clock.today()),
        "today_in_words": clock.in_words(clock.today()),
        "free": free_from(attempt.free_at) if attempt else "",
    }
