"""The graph of states: the diagram in docs/ and the trigger of the database are the same as `states.EDGES`."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.control import drawing
from tenant_apps.payments.models import Allocation, Attempt, Means, Payment
from tenant_apps.payments.online.moves import CHANGING
from tenant_apps.payments.states import EDGES, AttemptState

S = AttemptState


@pytest.fixture
def invoice(
    town: Any,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
) -> Invoice:
    return make_invoice(make_payer(make_account("alice@example.net")))


def an_attempt(invoice: Invoice, state: str) -> Attempt:
    return Attempt.objects.create(
        invoice=invoice,
        product=invoice.product,
        provider="payfip",
        state=state,
        merchant="001964",
        fiscal_year="2026",
        reference=invoice.reference,
        label="Facture",
        amount=invoice.amount,
        email="alice@example.net",
        mode="W",
        free_at=timezone.now(),
    )


def a_payment(invoice: Invoice, **changes: Any) -> Payment:
    values: dict[str, Any] = {
        "product": invoice.product,
        "provider": "offline",
        "provider_reference": "1",
        "means": Means.CASH,
        "amount": invoice.amount,
        "paid_on": invoice.due_on,
        "recorded_by": "x",
        **changes,
    }
    return Payment.objects.create(**values)


def test_the_picture_is_current() -> None:
    call_command("draw_states", "--check")
    assert drawing.mermaid().count(" --> ") == len(EDGES) + 1 + 2  # one start, and two ends


def test_the_database_refuses_every_move_that_is_not_an_edge(invoice: Invoice) -> None:
    """All pairs of states are tried on a real row: the trigger of migration 0002 agrees with EDGES."""
    let_through = set()
    for start in S:
        for to in set(S) - {start}:
            with transaction.atomic():
                attempt = an_attempt(invoice, start)
                try:
                    with transaction.atomic():
                        Attempt.objects.filter(pk=attempt.pk).update(state=to)
                    let_through.add((start, to))
                except IntegrityError:
                    """Refused."""
                transaction.set_rollback(True)
    assert let_through == set(EDGES), "write a migration with what `manage.py draw_states --sql` prints"


def test_the_frozen_request_is_not_among_what_an_answer_changes() -> None:
    frozen = {
        "invoice",
        "product",
        "provider",
        "merchant",
        "fiscal_year",
        "reference",
        "amount",
        "email",
        "mode",
    }
    assert not frozen & set(CHANGING)


def test_a_payment_is_never_deleted(invoice: Invoice) -> None:
    payment = a_payment(invoice)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).delete()


def paid(invoice: Invoice) -> Any:
    invoice.refresh_from_db()
    return invoice.paid


def test_paid_follows_every_path(
    invoice: Invoice, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]
) -> None:
    """`paid` follows an INSERT, each UPDATE and a DELETE of an allocation, also of a cancelled payment."""
    other = make_invoice(make_payer(), amount="50.00")
    money = a_payment(invoice, amount=60)
    cancelled = a_payment(
        invoice, provider_reference="2", cancelled_at=timezone.now(), cancel_reason="impayé"
    )
    allocation = Allocation.objects.create(payment=money, invoice=invoice, amount=10)
    Allocation.objects.create(payment=cancelled, invoice=invoice, amount=5)
    assert (paid(invoice), paid(other)) == (10, 0)  # a cancelled payment does not count
    rows = Allocation.objects.filter(pk=allocation.pk)
    rows.update(amount=30)
    assert (paid(invoice), paid(other)) == (30, 0)
    rows.update(invoice=other)
    assert (paid(invoice), paid(other)) == (0, 30)
    rows.update(payment=cancelled)
    assert (paid(invoice), paid(other)) == (0, 0)
    rows.update(payment=money, amount=20)
    assert (paid(invoice), paid(other)) == (0, 20)
    Payment.objects.filter(pk=money.pk).update(cancelled_at=timezone.now())
    assert (paid(invoice), paid(other)) == (0, 0)
    rows.delete()
    assert (paid(invoice), paid(other)) == (0, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM invoices_invoice WHERE paid <> 0")
        assert cursor.fetchone() == (0,)
