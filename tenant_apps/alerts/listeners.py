"""Facts of the rooms below that somebody must be told of."""

from uuid import UUID

from shared_apps.audit.models import Entry
from tenant_apps.alerts import services


def batch_published(entry: Entry) -> None:
    """Invoices were put online (docs/manual.md, M14)."""
    services.plan_new_invoice_alerts(batch=UUID(entry.object.removeprefix("batch:")))


def payment_received(entry: Entry) -> None:
    """Money came for an invoice: the payer gets a receipt message."""
    services.plan_receipt(payment=UUID(entry.object.removeprefix("payment:")))
