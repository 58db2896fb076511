"""Invoices locked: in the order of their ids, before anything that hangs on them (`payments.locking` has the rest).

`FOR NO KEY UPDATE`: nobody else changes the row, while a row that only points at it (an event, a finding, a message)
is written without waiting. A full `FOR UPDATE` would make its foreign key's check wait, in an order nobody chose.
"""

from collections.abc import Iterable

from django.db.models import QuerySet

from tenant_apps.invoices.models import Invoice


def lock_invoices(rows: "QuerySet[Invoice] | Iterable[int]") -> list[Invoice]:
    """These invoices (a queryset of them, or ids) as they are now, locked until the transaction ends.

    Those that are gone are left out. In a transaction only.
    """
    wanted = rows if isinstance(rows, QuerySet) else Invoice.objects.filter(pk__in=set(rows))
    return list(wanted.select_for_update(of=("self",), no_key=True).order_by("pk"))


def lock_without_reading(rows: "QuerySet[Invoice]") -> None:
    """The same lock for as many invoices as a batch has, which nobody needs to read."""
    list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def lock_invoice(invoice: Invoice) -> Invoice:
    """One of them. Raises Invoice.DoesNotExist."""
    return Invoice.objects.select_for_update(no_key=True).get(pk=invoice.pk)
