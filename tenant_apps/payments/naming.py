"""The reference of a payment on documents, messages and screens. Staff can search for it."""

from tenant_apps.payments.models import Payment


def receipt_reference(payment: Payment) -> str:
    """The reference of `payment`: « 3F2A91C07B »."""
    return payment.uuid.hex[:10].upper()
