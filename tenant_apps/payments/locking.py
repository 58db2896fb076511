"""An attempt and its invoices, locked in the order that everybody takes: the invoices by their ids, then the attempt.

The SQL is the ORM's own, made once a process: making it anew each time costs as much as running it. An attempt on one
invoice, nearly every one, is one trip; several invoices cannot be locked in that order by one statement.
"""

from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, models

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, AttemptInvoice


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
    invoices = list(Invoice.objects.select_for_update().filter(pk__in=amounts).order_by("pk"))
    attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
    attempt.invoice = next(invoice for invoice in invoices if invoice.pk == attempt.invoice_id)
    return Locked(attempt, tuple(Part(invoice, amounts[invoice.pk]) for invoice in invoices))


@cache
def _statement() -> str:
    # PostgreSQL locks the rows of one line of a join in the order of `of`. `several` never changes.
    locked = Attempt.objects.select_for_update(of=("invoice", "self")).select_related("invoice")
    return str(locked.order_by().filter(several=False, pk=0).query.sql_with_params()[0])


def _made(model: type[models.Model], values: Any) -> Any:
    """The next columns, as an instance: what a queryset does with them."""
    fields = model._meta.concrete_fields
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, islice(values, len(fields)), strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], read)
