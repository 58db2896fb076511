"""The providers of this deployment, one object a process."""

from collections.abc import Callable
from functools import cache

from django.conf import settings

from tenant_apps.payments.providers.base import Provider
from tenant_apps.payments.providers.offline import Offline
from tenant_apps.payments.providers.payfip.client import PayFiP
from tenant_apps.payments.providers.tipi import Tipi


@cache
def payfip() -> PayFiP:
    """The web service, with the addresses of the settings."""
    return PayFiP(
        service_url=settings.PAYFIP_SERVICE_URL,
        payment_url=settings.PAYFIP_PAYMENT_URL,
        timeout=settings.PAYFIP_TIMEOUT,
    )


@cache
def tipi() -> Tipi:
    """The redirect, with the address of the settings."""
    return Tipi(payment_url=settings.TIPI_PAYMENT_URL)


@cache
def offline() -> Offline:
    """The counter."""
    return Offline()


PROVIDERS: dict[str, Callable[[], Provider]] = {"payfip": payfip, "tipi": tipi, "offline": offline}


def provider(name: str) -> Provider:
    """The provider of that name (`Product.protocol`, `Attempt.provider`). Raises KeyError."""
    return PROVIDERS[name]()
