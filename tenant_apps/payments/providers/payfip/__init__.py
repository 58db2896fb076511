"""PayFiP's web service: a payment is opened by a call, and a look-up is proof of what became of it."""

from django.conf import settings

from tenant_apps.payments.providers.payfip.client import PayFiP


def make() -> PayFiP:
    """With the addresses of the settings."""
    return PayFiP(
        service_url=settings.PAYFIP_SERVICE_URL,
        payment_url=settings.PAYFIP_PAYMENT_URL,
        timeout=settings.PAYFIP_TIMEOUT,
    )
