"""A provider for cards that signs its messages: we can ask it, and its notifications are proof."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import requests

from tenant_apps.payments.errors import ProductRefused, ProviderRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import (
    Call,
    CallbackAddress,
    Capabilities,
    Limits,
    Notification,
    Outcome,
    PaymentRequest,
    ReportedStatus,
    Started,
    Status,
    differences,
)
from tenant_apps.payments.providers.schedule import Schedule
from tenant_apps.payments.providers.words import Labels, Reasons

RESULTS = {"waiting": Outcome.PENDING, "paid": Outcome.PAID_CARD, "refused": Outcome.REFUSED_CARD}


class SecondLabels(Labels):
    """The labels of this provider."""

    name = "Carte Simple"
    choice = "Carte Simple"
    merchant = "Numéro de boutique"
    go = "Payer avec Carte Simple"
    fields = {"status": "résultat", "shop": "boutique"}


class SecondReasons(Reasons):
    """One sentence of this provider; the others stay neutral."""

    refused_card = "Carte Simple a refusé la carte."


class Second:
    """The provider. It is thread-safe: it has only an address and a key."""

    name = "second"
    capabilities = Capabilities(
        is_online=True,
        can_be_asked=True,
        opens_popup=False,
        limits=Limits(Decimal("0.50"), Decimal("2000.00")),
    )
    schedule = Schedule(reserved_for=timedelta(minutes=30))
    labels = SecondLabels()
    reasons = SecondReasons()
    secret_fields: frozenset[str] = frozenset()
    personal_fields = frozenset({"email"})
    test_debt = None

    def __init__(self, *, service_url: str, key: str) -> None:
        self._url, self._key = service_url, key
        self.callback_addresses = (CallbackAddress("second-told", "carte-simple/", self._read_call),)

    def product_problem(self, merchant: str) -> str:
        return "" if re.fullmatch(r"SHOP-[0-9]{4}", merchant) else "La boutique s'écrit SHOP-1234."

    def identify(self, merchant: str) -> tuple[str, ...]:
        answer = self._call("GET", f"/shops/{merchant}")
        if answer.status_code == 404:
            raise ProductRefused("Cette boutique n'existe pas.", code="no-shop")
        return (str(answer.json()["name"]),)

    def callback_path(self, token: str) -> str:
        return "carte-simple/"

    def start(self, request: PaymentRequest) -> Started:
        asked = {
            "shop": request.merchant,
            "order": request.reference,
            "amount": str(request.amount),
            "test": request.mode != "W",
            "email": request.email,
            "notify": request.notify_url,
            "back": request.return_url,
        }
        answer = self._call("POST", "/operations", asked)
        if answer.status_code == 404:
            raise ProductRefused("Cette boutique n'existe pas.", code="no-shop")
        if answer.status_code != 200:
            raise ProviderRefused("Carte Simple refuse cette demande.", code=str(answer.status_code))
        operation = str(answer.json()["id"])
        return Started(url=self.page(operation), operation=operation)

    def page(self, operation: str) -> str:
        return f"{self._url}/pay/{operation}"

    def fetch_status(self, operation: str) -> Status:
        answer = self._call("GET", f"/operations/{operation}")
        if answer.status_code == 404:
            return Status(Outcome.UNKNOWN)
        found = self._signed(answer.text, answer.headers.get("X-Signature", ""), operation)
        if found is None:
            raise ProviderUnavailable("Carte Simple ne répond pas.", code="signature")
        return found

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> ReportedStatus | None:
        """A proof only if the signature is valid and signs this operation."""
        found = self._signed(given.get("body", ""), given.get("signature", ""), token)
        return ReportedStatus(found, is_proof=True) if found is not None else None

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        return Status(
            outcome=RESULTS.get(raw.get("status", ""), Outcome.OTHER),
            amount=Decimal(raw["amount"]) if "amount" in raw else None,
            reference=raw.get("order"),
            merchant=raw.get("shop"),
            mode=raw.get("test"),
            paid_at=datetime.fromisoformat(raw["at"]) if raw.get("at") else None,
            authorization=raw.get("ticket", ""),
            raw=raw,
        )

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        return differences(asked, status, merchant="la boutique", mode=str(asked.mode != "W"))

    def _read_call(self, call: Call) -> Notification | None:
        try:
            operation = json.loads(call.body)["id"]
        except (ValueError, LookupError, TypeError):
            return None
        return Notification(
            str(operation), {"body": call.body, "signature": call.headers.get("X-Signature", "")}
        )

    def _signed(self, body: str, signature: str, operation: str) -> Status | None:
        wanted = hmac.new(self._key.encode(), body.encode(), hashlib.sha256).hexdigest()
        if not operation or not hmac.compare_digest(wanted.encode(), signature.encode()):
            return None
        said = {name: str(value) for name, value in json.loads(body).items()}
        return (
            self.read_answer({k: v for k, v in said.items() if k != "id"})
            if said["id"] == operation
            else None
        )

    def _call(self, method: str, path: str, asked: object = None) -> requests.Response:
        try:
            answer = requests.request(method, self._url + path, json=asked, timeout=2, allow_redirects=False)
        except requests.RequestException:
            raise ProviderUnavailable("Carte Simple ne répond pas.") from None
        if answer.status_code >= 500:
            raise ProviderUnavailable("Carte Simple ne répond pas.", code=str(answer.status_code))
        return answer
