"""The only readers of invoices that take a person: forbidden looks exactly like absent."""

from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState, InvoiceState
from tenant_apps.residents.queries import payer_ids_of

Status = Literal["all", "unpaid", "paid"]


def invoices_for_resident(account: Account, *, status: Status = "all") -> QuerySet[Invoice]:
    """What `account` may see, newest first (M6): published invoices of the payers it has access to."""
    invoices = (
        Invoice.objects.filter(payer__in=payer_ids_of(account), state=InvoiceState.PUBLISHED)
        .select_related("product", "payer")
        .order_by("-issued_on", "-id")
    )
    if status == "unpaid":
        return invoices.filter(paid__lt=F("amount"))
    if status == "paid":
        return invoices.filter(paid__gte=F("amount"))
    return invoices


def invoice_for_resident(account: Account, public_id: UUID) -> Invoice:
    """One of them. Raises Invoice.DoesNotExist for an absent and for a forbidden one alike."""
    return invoices_for_resident(account).select_related("product", "payer", "document").get(uuid=public_id)


def balance_for_resident(account: Account) -> tuple[int, Decimal]:
    """How many invoices remain to pay and for how much, in euros: « Vous avez 2 factures à régler, 47,50 € »."""
    figures = invoices_for_resident(account, status="unpaid").aggregate(
        number=Count("id"), total=Sum(F("amount") - F("paid"))
    )
    return figures["number"], figures["total"] or Decimal("0.00")


def batches() -> QuerySet[Batch]:
    """The town's imports, newest first, for staff; given-up ones left out."""
    return Batch.objects.exclude(state=BatchState.DISCARDED)


def batch(public_id: UUID) -> Batch:
    """One import. Raises Batch.DoesNotExist."""
    return batches().get(uuid=public_id)
