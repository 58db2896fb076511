"""A second provider, made by the list of docs/ajouter-un-moyen-de-paiement.md alone: this folder, and settings."""

from django.conf import settings

from tests.payments.second.provider import Second


def make() -> Second:
    """With the address and the key of the settings."""
    return Second(service_url=settings.SECOND_SERVICE_URL, key=settings.SECOND_KEY)
