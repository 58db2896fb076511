"""Cash, cheques and transfers: nobody is sent anywhere and nothing can be asked; a person of the town books it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from tenant_apps.payments.errors import ProviderRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import (
    CallbackAddress,
    Capabilities,
    Limits,
    Outcome,
    PaymentRequest,
    Started,
    Status,
)
from tenant_apps.payments.providers.schedule import Schedule
from tenant_apps.payments.providers.words import Labels, Reasons


class Offline:
    """The road of the counter is `counter.booking`: no attempt ever has this provider."""

    name = "offline"
    capabilities = Capabilities(
        is_online=False,
        can_be_asked=False,
        opens_popup=False,
        limits=Limits(Decimal("0.01"), Decimal("99999999.99")),
    )
    schedule = Schedule()
    labels = Labels()
    reasons = Reasons()
    callback_addresses: Sequence[CallbackAddress] = ()
    secret_fields: frozenset[str] = frozenset()
    personal_fields: frozenset[str] = frozenset()
    test_debt = None

    def product_problem(self, merchant: str) -> str:
        """The counter wants no number."""
        return ""

    def identify(self, merchant: str) -> tuple[str, ...]:
        """Nobody knows it by a number."""
        return ()

    def callback_path(self, token: str) -> str:
        """Nobody calls for the counter."""
        return ""

    def start(self, request: PaymentRequest) -> Started:
        """Nothing can be started from a browser."""
        raise ProviderRefused(_("Ce moyen de paiement se règle au guichet."))

    def page(self, operation: str) -> str:
        """There is none: nothing here has an operation."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de reprendre un paiement."))

    def fetch_status(self, operation: str) -> Status:
        """Cannot be: see `capabilities`."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de vérifier un paiement."))

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> None:
        """Nobody rings for the counter."""
        return

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """Nothing was ever answered."""
        return Status(Outcome.OTHER, raw=raw)

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """Nothing is asked."""
        return []


def make() -> Offline:
    """The counter."""
    return Offline()
