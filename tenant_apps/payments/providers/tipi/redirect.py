"""TIPI's redirect (docs/payfip.md §3): an address with the fields in it, and an unsigned answer."""

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

# What is kept of a return. Neither the payer's address nor urlcl, whose token may still be good.
EVIDENCE = (
    *("numcli", "exer", "refdet", "objet", "montant", "saisie"),
    *("resultrans", "numauto", "dattrans", "heurtrans"),
)


class Tipi:
    """Nothing can be asked and nothing is signed: an answer is a report, never a proof."""

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
        """The numcli has six digits."""
        return fields.product_problem(merchant)

    def identify(self, merchant: str) -> tuple[str, ...]:
        """The redirect tells nothing; the web service knows the same numbers."""
        return self._service.identify(merchant)

    def callback_path(self, token: str) -> str:
        """urlcl, with the one-use token that tells the attempt."""
        return f"tipi/{token}/"

    def start(self, request: PaymentRequest) -> Started:
        """The address of the payment screen. `notify_url` is urlcl and must hold a one-use token."""
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
        """There is none: nothing here has an operation."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de reprendre un paiement."))

    def fetch_status(self, operation: str) -> Status:
        """Cannot be: see `capabilities`."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de vérifier un paiement."))

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> ReportedStatus:
        """The fields that urlcl was called with; the caller compares them with what it asked."""
        return ReportedStatus(
            self.read_answer({name: clean(given[name]) for name in EVIDENCE if name in given})
        )

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """Those fields → what they say."""
        return read_detail(raw)

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """Every field, and `A` where we asked for production."""
        return differences(asked, status, merchant=words.MERCHANT, mode=_saisie(asked.mode))

    def _read_call(self, call: Call) -> Notification:
        """The fields are unsigned; the one-use token names the attempt they claim to be about."""
        return Notification(call.route["token"], call.fields)


def _saisie(mode: str) -> str:
    """`A` is TIPI's word for production."""
    return "A" if mode == "W" else mode
