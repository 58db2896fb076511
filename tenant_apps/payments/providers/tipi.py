"""TIPI's redirect (docs/payfip.md §3): an address with the fields in it, and an unsigned answer."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from tenant_apps.payments.providers.base import (
    Capabilities,
    Outcome,
    PaymentRequest,
    ProviderUnavailable,
    Started,
    Status,
)
from tenant_apps.payments.providers.payfip import fields
from tenant_apps.payments.providers.payfip.client import RESULTS, paris_time, read_amount

# What is kept of a return. Neither the payer's address nor urlcl, whose token may still be good.
EVIDENCE = (
    *("numcli", "exer", "refdet", "objet", "montant", "saisie"),
    *("resultrans", "numauto", "dattrans", "heurtrans"),
)
LONGEST = 100  # characters of a field


class Tipi:
    """Nothing can be asked and nothing is signed: an answer is a report, never a proof."""

    name = "tipi"
    capabilities = Capabilities(is_online=True, can_be_asked=False, opens_popup=True, limits=fields.LIMITS)

    def __init__(self, *, payment_url: str) -> None:
        self._payment_url = payment_url

    def start(self, request: PaymentRequest) -> Started:
        """The address of the payment screen. `notify_url` is urlcl and must hold a one-use token."""
        checked = fields.creation(_in_production(request))
        asked = {
            "numcli": checked["numcli"],
            "exer": checked["exer"],
            "refdet": checked["refdet"],
            "objet": checked.get("objet", ""),
            "montant": checked["montant"],
            "mel": checked["mel"],
            "urlcl": checked["urlnotif"],
            "saisie": request.mode,
        }
        return Started(url=f"{self._payment_url}?{urlencode(asked)}")

    def page(self, idop: str) -> str:
        """There is none: nothing here has an idOp."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de reprendre un paiement."))

    def fetch_status(self, idop: str) -> Status:
        """Cannot be: see `capabilities`."""
        raise ProviderUnavailable(_("Ce mode de paiement ne permet pas de vérifier un paiement."))

    def read_notification(self, given: Mapping[str, str]) -> Status:
        """The fields that urlcl was called with → a Status that the caller must compare with what it asked."""
        said = {name: _clean(given[name]) for name in EVIDENCE if name in given}
        return Status(
            outcome=RESULTS.get(said.get("resultrans", ""), Outcome.OTHER),
            amount=read_amount(said.get("montant", "")),
            reference=said.get("refdet"),
            numcli=said.get("numcli"),
            mode=said.get("saisie"),
            paid_at=paris_time(said.get("dattrans", ""), said.get("heurtrans", "")),
            authorization=said.get("numauto", ""),
            raw=said,
        )


def _clean(value: str) -> str:
    """Anybody can write these: short, and without what a database cannot hold (a NUL)."""
    return "".join(c if c.isprintable() else "\ufffd" for c in value[:LONGEST])


def _in_production(request: PaymentRequest) -> PaymentRequest:
    """The same request with a mode that the common checks know: `A` is TIPI's word for production."""
    return replace(request, mode="W" if request.mode in ("A", "M") else request.mode)
