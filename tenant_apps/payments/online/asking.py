"""What attempts and test payments share: the one-use token, the request, and the comparison with the answer.

They are two tables on purpose (decision 57): a test payment has no invoice and books no money.
"""

from typing import Any

from django.conf import settings

from shared_apps.treasury import services as treasury
from tenant_apps.payments.models import Attempt, TestPayment
from tenant_apps.payments.providers.base import PaymentRequest, Provider, Status
from tenant_apps.payments.providers.registry import provider
from tenants.current import current_town
from tenants.hosts import registry
from toolkit.secrecy import secrets

Row = Attempt | TestPayment


def new_token(found: Provider) -> str:
    """A one-use token for a provider whose answers name no operation; empty for the others."""
    return secrets.new_lien() if found.capabilities.wants_token else ""


def fingerprint_of(token: str) -> str | None:
    """The hash of a token, which the row keeps; None for an empty token."""
    return secrets.fingerprint(token) if token else None


def route(name: str, identity: str | None) -> None:
    """Record that calls of provider `name` about `identity` (an operation or a token) are for the current town."""
    if identity:
        treasury.add_route(kind=name, token=identity)


def key_of(found: Provider, identity: str) -> dict[str, Any]:
    """The filter for the row of `identity`, an operation or a token."""
    if found.capabilities.wants_token:
        return {"provider": found.name, "callback_hash": secrets.fingerprint(identity)}
    return {"provider": found.name, "operation": identity}


def request_of(row: Row, *, label: str, token: str, back: str) -> PaymentRequest:
    """The request to the provider. It calls us at our callback host; the payer comes back to the path `back`."""
    callback = registry.address(f"paiement.{settings.BASE_DOMAIN}")
    return _asked(
        row,
        label=label,
        notify_url=f"{callback}/{provider(row.provider).callback_path(token)}",
        return_url=f"{registry.address_of(current_town())}{back}",
    )


def differences_of(row: Row, status: Status) -> list[str]:
    """The names of the fields of `status` that differ from the request, in the words of the provider."""
    return provider(row.provider).compare(_asked(row), status)


def _asked(row: Row, label: str = "", notify_url: str = "", return_url: str = "") -> PaymentRequest:
    return PaymentRequest(
        merchant=row.merchant,
        fiscal_year=row.fiscal_year,
        reference=row.reference,
        label=label,
        amount=row.amount,
        email=row.email,
        mode=row.mode,
        notify_url=notify_url,
        return_url=return_url,
    )
