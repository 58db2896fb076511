"""Cash, cheques and transfers: nobody is sent anywhere and nothing can be asked; a person of the town books it."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from tenant_apps.payments.errors import ProviderRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import Capabilities, Limits, PaymentRequest, Started, Status


class Offline:
    """The road of the counter is `settling.book`, as for the others: only the way in differs."""

    name = "offline"
    capabilities = Capabilities(
        is_online=False,
        can_be_asked=False,
        opens_popup=False,
        limits=Limits(Decimal("0.01"), Decimal("99999999.99")),
    )

    def start(self, request: PaymentRequest) -> Started:
        """Nothing can be started from a browser."""
        raise ProviderRefused(_("Ce moyen de paiement se règle au guichet."))

    def page(self, idop: str) -> str:
        """There is none: nothing here has an idOp."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de reprendre un paiement."))

    def fetch_status(self, idop: str) -> Status:
        """Cannot be: see `capabilities`."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de vérifier un paiement."))

    def read_notification(self, given: Mapping[str, str]) -> None:
        """Nobody rings for the counter."""
        return
