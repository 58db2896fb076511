"""The one order of locks of everything that moves money. Whoever takes two of these takes them in this order:

1. the account of a resident who acts (`accounts.erasing.lock_present`), a batch, a statement and its lines;
2. invoices, by their ids (`invoices.locking`);
3. attempts, by their ids; their parts follow by a trigger;
4. payments, by their ids; their allocations and refunds after them;
5. a product, a test payment, a finding: one at a time;
6. messages and alerts, then the agenda, which `tenants.work.agenda` writes by itself at the very end.

Nobody ever goes back up, so nobody waits in a circle. All are `FOR NO KEY UPDATE` (see `invoices.locking`). The tests
listen to every statement and fail on one that breaks this (tests/lock_order.py).

The SQL is the ORM's own, made once a process: making it anew each time costs as much as running it. An attempt on one
invoice, nearly every one, is one trip; several invoices cannot be locked in that order by one statement.
"""

from collections.abc import Collection
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models import QuerySet

from tenant_apps.invoices.locking import lock_invoices
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, AttemptInvoice, Payment


class Part(NamedTuple):
    """What an attempt pays of an invoice, in euros."""

    invoice: Invoice
    amount: Decimal


class Locked(NamedTuple):
    """An attempt and what it pays, by the ids of the invoices, all as they are now."""

    attempt: Attempt
    parts: tuple[Part, ...]


def lock_attempt(attempt_id: int) -> Locked:
    """Both locked until the transaction ends. Raises Attempt.DoesNotExist. In a transaction only."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [attempt_id])
        row = cursor.fetchone()
    if row is None:
        return _lock_several(attempt_id)
    values = iter(row)
    attempt: Attempt = _made(Attempt, values)
    attempt.invoice = _made(Invoice, values)
    return Locked(attempt, (Part(attempt.invoice, attempt.amount),))


def _lock_several(attempt_id: int) -> Locked:
    amounts = dict(AttemptInvoice.objects.filter(attempt=attempt_id).values_list("invoice_id", "amount"))
    invoices = lock_invoices(amounts)
    attempt = lock_attempt_alone(attempt_id)
    attempt.invoice = next(invoice for invoice in invoices if invoice.pk == attempt.invoice_id)
    return Locked(attempt, tuple(Part(invoice, amounts[invoice.pk]) for invoice in invoices))


def lock_attempt_alone(attempt_id: int) -> Attempt:
    """The attempt without its invoices, for its call and its clock. Raises Attempt.DoesNotExist."""
    return Attempt.objects.select_for_update(no_key=True).get(pk=attempt_id)


def lock_attempts(attempts: Collection[int]) -> list[Attempt]:
    """Several attempts by their ids, as they are now. The caller holds their invoices."""
    return list(Attempt.objects.select_for_update(no_key=True).filter(pk__in=attempts).order_by("pk"))


def lock_payment_alone(payment: Payment) -> Payment:
    """A payment whose allocations stay as they are; `corrections.lock_payment` takes its invoices first."""
    return Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)


def lock_payments(rows: QuerySet[Payment]) -> list[Payment]:
    """Several payments by their ids, as they are now."""
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


@cache
def _statement() -> str:
    # PostgreSQL locks the rows of one line of a join in the order of `of`. `several` never changes.
    locked = Attempt.objects.select_for_update(of=("invoice", "self"), no_key=True).select_related("invoice")
    return str(locked.order_by().filter(several=False, pk=0).query.sql_with_params()[0])


def _made(model: type[models.Model], values: Any) -> Any:
    """The next columns, as an instance: what a queryset does with them."""
    fields = model._meta.concrete_fields
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, islice(values, len(fields)), strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], read)
