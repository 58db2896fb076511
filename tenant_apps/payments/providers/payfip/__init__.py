"""PayFiP's web service: a payment is opened by a call, and a look-up is proof of what became of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenant_apps.payments.providers.payfip.client import PayFiP


def make() -> "PayFiP":
    """With the addresses of the settings."""
    # Here, because the simulator reads the contract below without Django's settings.
    from django.conf import settings

    from tenant_apps.payments.providers.payfip.client import PayFiP

    return PayFiP(
        service_url=settings.PAYFIP_SERVICE_URL,
        payment_url=settings.PAYFIP_PAYMENT_URL,
        timeout=settings.PAYFIP_TIMEOUT,
    )
