"""The order in which code that moves money locks rows. Code that locks two of these locks them in this order:

1. the account of a resident who acts (`accounts.erasing.lock_present`), a batch, a statement and its lines;
2. invoices, by their ids (`invoices.locking`);
3. attempts, by their ids; their parts follow by a trigger;
4. payments, by their ids; their allocations and refunds after them;
5. a product, a test payment, a finding: one at a time;
6. messages and alerts, then the agenda, which `tenants.work.agenda` writes at the very end.

With one order for all, two transactions cannot wait for each other. All locks are `FOR NO KEY UPDATE` (see
`invoices.locking`). The tests read every statement and fail on one that breaks this order (tests/lock_order.py).

The ORM makes the SQL once per process: making it costs as much as running it. An attempt on one invoice, the usual
case, is locked with its invoice in one statement; several invoices cannot be locked in this order in one statement.
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
    """The amount, in euros, that an attempt pays of one invoice."""

    invoice: Invoice
    amount: Decimal


class Locked(NamedTuple):
    """A locked attempt and its parts, in the order of the invoices' ids, as the database has them now."""

    attempt: Attempt
    parts: tuple[Part, ...]


def lock_attempt(attempt_id: int) -> Locked:
    """Lock an attempt and its invoices until the transaction ends. Raises Attempt.DoesNotExist.

    Call it in a transaction only.
    """
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
    """Lock an attempt without its invoices, to change only its operation and dates. Raises Attempt.DoesNotExist."""
    return Attempt.objects.select_for_update(no_key=True).get(pk=attempt_id)


def lock_attempts(attempts: Collection[int]) -> list[Attempt]:
    """Lock several attempts in the order of their ids and read them again. The caller has locked their invoices."""
    return list(Attempt.objects.select_for_update(no_key=True).filter(pk__in=attempts).order_by("pk"))


def lock_payment_alone(payment: Payment) -> Payment:
    """Lock a payment whose allocations do not change. `corrections.lock_payment` locks its invoices first."""
    return Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)


def lock_payments(rows: QuerySet[Payment]) -> list[Payment]:
    """Lock several payments in the order of their ids and read them again."""
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


@cache
def _statement() -> str:
    # PostgreSQL locks the rows of a joined row in the order of `of`. The column `several` never changes.
    locked = Attempt.objects.select_for_update(of=("invoice", "self"), no_key=True).select_related("invoice")
    return str(locked.order_by().filter(several=False, pk=0).query.sql_with_params()[0])


def _made(model: type[models.Model], values: Any) -> Any:
    """An instance of `model` made from the next columns, as a queryset makes one."""
    fields = model._meta.concrete_fields
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, islice(values, len(fields)), strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], read)
