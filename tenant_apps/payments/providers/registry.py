"""The providers of this deployment (setting PAYMENT_PROVIDERS), one object per process."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from tenant_apps.payments.providers.base import Capabilities, Provider
from tenant_apps.payments.providers.words import Labels
from tenant_apps.products.protocols import Taker

NEUTRAL = Labels()


def provider(name: str) -> Provider:
    """The provider called `name` (`Product.protocol`, `Attempt.provider`). Raises KeyError."""
    return _made(settings.PAYMENT_PROVIDERS[name])


@cache
def _made(folder: str) -> Provider:
    """The object that `make()` of this folder returns, made once per process."""
    found: Provider = import_string(f"{folder}.make")()
    return found


def takers() -> list[Taker]:
    """The providers that a product may have, for `products.protocols`."""
    return [
        Taker(one.name, str(one.labels.choice), one.product_problem)
        for one in every_provider()
        if one.capabilities.is_online
    ]


def every_provider() -> list[Provider]:
    """All providers, in the order of the setting."""
    return [provider(name) for name in settings.PAYMENT_PROVIDERS]


def capabilities_of(name: str) -> Capabilities | None:
    """What the provider can do; None for a product that is not paid online."""
    return provider(name).capabilities if name in settings.PAYMENT_PROVIDERS else None


def labels_of(name: str) -> Labels:
    """The provider's labels; neutral ones for a product that is not paid online."""
    return provider(name).labels if name in settings.PAYMENT_PROVIDERS else NEUTRAL
