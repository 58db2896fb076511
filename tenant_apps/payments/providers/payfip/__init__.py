"""PayFiP's web service: one call opens a payment, and another one proves its result."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenant_apps.payments.providers.payfip.client import PayFiP


def make() -> "PayFiP":
    """The provider object, with the addresses of the settings."""
    # Imported here, because the simulator imports this package without Django's settings.
    from django.conf import settings

    from tenant_apps.payments.providers.payfip.client import PayFiP

    return PayFiP(
        service_url=settings.PAYFIP_SERVICE_URL,
        payment_url=settings.PAYFIP_PAYMENT_URL,
        timeout=settings.PAYFIP_TIMEOUT,
    )
