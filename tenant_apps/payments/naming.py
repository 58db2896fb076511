"""The reference of a payment on our papers, messages and screens: the one that staff's search knows."""

from tenant_apps.payments.models import Payment


def receipt_reference(payment: Payment) -> str:
    """« 3F2A91C07B »."""
    return payment.uuid.hex[:10].upper()
