"""A second provider, written with only the list of docs/ajouter-un-moyen-de-paiement.md: this folder and settings."""

from django.conf import settings

from tests.payments.second.provider import Second


def make() -> Second:
    """The provider object, with the address and the key of the settings."""
    return Second(service_url=settings.SECOND_SERVICE_URL, key=settings.SECOND_KEY)
