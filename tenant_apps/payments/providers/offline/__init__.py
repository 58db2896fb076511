"""The counter: cash, cheques and transfers. There is no payment page and nothing to ask; staff book the money."""

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
    """The provider of payments at the counter. `counter.booking` books them; no attempt has this provider."""

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
        """Empty: the counter needs no number."""
        return ""

    def identify(self, merchant: str) -> tuple[str, ...]:
        """Empty: the counter has no number."""
        return ()

    def callback_path(self, token: str) -> str:
        """Empty: nobody calls us about the counter."""
        return ""

    def start(self, request: PaymentRequest) -> Started:
        """Raises ProviderRefused: nobody can pay online at the counter."""
        raise ProviderRefused(_("Ce moyen de paiement se règle au guichet."))

    def page(self, operation: str) -> str:
        """Raises ProviderUnavailable: there is no payment page."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de reprendre un paiement."))

    def fetch_status(self, operation: str) -> Status:
        """Raises ProviderUnavailable: there is nothing to ask."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de vérifier un paiement."))

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> None:
        """None: the counter sends no messages."""
        return

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """A Status with OTHER: the counter gives no answers."""
        return Status(Outcome.OTHER, raw=raw)

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """Empty: there is no request to compare with."""
        return []


def make() -> Offline:
    """The provider object, made by the registry."""
    return Offline()
