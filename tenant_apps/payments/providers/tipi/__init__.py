"""TIPI's redirect: an address with the fields in it, and an unsigned answer that nothing can prove."""

from django.conf import settings

from tenant_apps.payments.providers import payfip
from tenant_apps.payments.providers.tipi.redirect import Tipi


def make() -> Tipi:
    """With the addresses of the settings; the web service tells whose number it is."""
    return Tipi(payment_url=settings.TIPI_PAYMENT_URL, service=payfip.make())
