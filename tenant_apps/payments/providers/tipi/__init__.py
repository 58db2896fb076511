"""TIPI's redirect: a payment page with the request in its address, and an unsigned answer."""

from django.conf import settings

from tenant_apps.payments.providers import payfip
from tenant_apps.payments.providers.tipi.redirect import Tipi


def make() -> Tipi:
    """The provider object, with the addresses of the settings. The web service confirms a product's number."""
    return Tipi(payment_url=settings.TIPI_PAYMENT_URL, service=payfip.make())
