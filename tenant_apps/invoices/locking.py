"""Lock invoices: in the order of their ids, and before the rows that point at them (see payments.books.locking).

`FOR NO KEY UPDATE`: nobody else can change the row, but others can still insert a row that points at it (an event, a
finding, a message). With `FOR UPDATE`, the check of their foreign key would wait, in no fixed order.
"""

from collections.abc import Iterable

from django.db.models import QuerySet

from tenant_apps.invoices.models import Invoice


def lock_invoices(rows: "QuerySet[Invoice] | Iterable[int]") -> list[Invoice]:
    """These invoices (a queryset, or ids) as they are now, locked until the transaction ends.

    Deleted ones are left out. Call it in a transaction.
    """
    wanted = rows if isinstance(rows, QuerySet) else Invoice.objects.filter(pk__in=set(rows))
    return list(wanted.select_for_update(of=("self",), no_key=True).order_by("pk"))


def lock_without_reading(rows: "QuerySet[Invoice]") -> None:
    """The same lock for all invoices of a batch, without loading them."""
    list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def lock_invoice(invoice: Invoice) -> Invoice:
    """One invoice, locked. Raises Invoice.DoesNotExist."""
    return Invoice.objects.select_for_update(no_key=True).get(pk=invoice.pk)
