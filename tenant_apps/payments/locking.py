"""An attempt and its invoice, locked in one trip and in the order that everybody takes: the invoice first.

The SQL is the ORM's own, made once a process: making it anew each time costs as much as running it.
"""

from functools import cache
from itertools import islice
from typing import Any

from django.db import connection, models

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt


def lock_attempt(attempt_id: int) -> Attempt:
    """The attempt, with its invoice, both locked until the transaction ends and as they are now.

    Raises Attempt.DoesNotExist. In a transaction only.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [attempt_id])
        row = cursor.fetchone()
    if row is None:
        raise Attempt.DoesNotExist
    values = iter(row)
    attempt: Attempt = _made(Attempt, values)
    attempt.invoice = _made(Invoice, values)
    return attempt


@cache
def _statement() -> str:
    # PostgreSQL locks the rows of one line of a join in the order of `of`.
    locked = Attempt.objects.select_for_update(of=("invoice", "self")).select_related("invoice")
    return str(locked.order_by().filter(pk=0).query.sql_with_params()[0])


def _made(model: type[models.Model], values: Any) -> Any:
    """The next columns, as an instance: what a queryset does with them."""
    fields = model._meta.concrete_fields
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, islice(values, len(fields)), strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], read)
