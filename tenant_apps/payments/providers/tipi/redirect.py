"""TIPI's redirect (docs/payfip.md §3): a payment page with the request in its address, and an unsigned answer."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from tenant_apps.payments.errors import ProviderUnavailable
from tenant_apps.payments.providers.base import (
    Call,
    CallbackAddress,
    Capabilities,
    Notification,
    PaymentRequest,
    ReportedStatus,
    Started,
    Status,
    differences,
)
from tenant_apps.payments.providers.payfip import fields, words
from tenant_apps.payments.providers.payfip.client import (
    OPENING_MEANS,
    TREASURY_SCHEDULE,
    PayFiP,
    clean,
    read_detail,
)

# The fields of a return that are kept. The payer's e-mail and urlcl are not: its token may still be valid.
EVIDENCE = (
    *("numcli", "exer", "refdet", "objet", "montant", "saisie"),
    *("resultrans", "numauto", "dattrans", "heurtrans"),
)


class Tipi:
    """The provider of TIPI. We cannot ask it for a result, and its answers are unsigned: they prove nothing."""

    name = "tipi"
    capabilities = Capabilities(
        is_online=True,
        can_be_asked=False,
        opens_popup=True,
        limits=fields.LIMITS,
        wants_token=True,
        opening_means=OPENING_MEANS,
    )
    schedule = TREASURY_SCHEDULE
    labels = words.TipiLabels()
    reasons = words.TreasuryReasons()
    personal_fields = fields.PERSONAL
    secret_fields: frozenset[str] = frozenset()
    test_debt = fields.NO_DEBT

    def __init__(self, *, payment_url: str, service: PayFiP) -> None:
        self._payment_url, self._service = payment_url, service
        self.callback_addresses = (CallbackAddress("tipi-callback", "tipi/<slug:token>/", self._read_call),)

    def product_problem(self, merchant: str) -> str:
        """What is wrong with a numcli, which has six digits; empty when it is correct."""
        return fields.product_problem(merchant)

    def identify(self, merchant: str) -> tuple[str, ...]:
        """The lines of a numcli, which the web service gives: it has the same numbers."""
        return self._service.identify(merchant)

    def callback_path(self, token: str) -> str:
        """The path of urlcl, with the one-use token of the attempt."""
        return f"tipi/{token}/"

    def start(self, request: PaymentRequest) -> Started:
        """The address of the payment page. `notify_url` becomes urlcl and must contain a one-use token."""
        checked = fields.creation(request)
        asked = {
            "numcli": checked["numcli"],
            "exer": checked["exer"],
            "refdet": checked["refdet"],
            "objet": checked.get("objet", ""),
            "montant": checked["montant"],
            "mel": checked["mel"],
            "urlcl": checked["urlnotif"],
            "saisie": _saisie(request.mode),
        }
        return Started(url=f"{self._payment_url}?{urlencode(asked)}")

    def page(self, operation: str) -> str:
        """Raises ProviderUnavailable: a TIPI payment has no operation."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de reprendre un paiement."))

    def fetch_status(self, operation: str) -> Status:
        """Raises ProviderUnavailable: TIPI cannot be asked."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de vérifier un paiement."))

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> ReportedStatus:
        """The result in the fields of a call to urlcl. The caller compares it with the request."""
        return ReportedStatus(
            self.read_answer({name: clean(given[name]) for name in EVIDENCE if name in given})
        )

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """The Status of the kept fields."""
        return read_detail(raw)

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """The names of the fields that differ; for production, the mode must be `A`."""
        return differences(asked, status, merchant=words.MERCHANT, mode=_saisie(asked.mode))

    def _read_call(self, call: Call) -> Notification:
        """The token in the address, which names the attempt, and the unsigned fields."""
        return Notification(call.route["token"], call.fields)


def _saisie(mode: str) -> str:
    """TIPI's word for a mode: `A` for production, else the same letter."""
    return "A" if mode == "W" else mode
