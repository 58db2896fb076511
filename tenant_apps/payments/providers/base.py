"""The interface between our payments and the payment providers.

A provider is a folder here, named in the setting PAYMENT_PROVIDERS. It is plain Python: no model, no town, no other
room. `settling.settle` applies its answers; a provider never changes an invoice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.utils.translation import gettext_noop as _  # rows keep the French sentence: toolkit.words

from tenant_apps.payments.providers.schedule import Schedule
from tenant_apps.payments.providers.words import Labels, Reasons


@dataclass(frozen=True)
class PaymentRequest:
    """A request to a provider, stored in the attempt before the call. `amount` is in euros."""

    merchant: str  # the product's number at its provider
    fiscal_year: str  # [0-9]{4}
    reference: str  # [A-Za-z0-9]{6,30}
    label: str  # the provider removes accents; it never contains a person's name
    amount: Decimal
    email: str
    mode: str  # the product's stage: T, X or W
    notify_url: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class Started:
    """An open payment: the payer pays at `url`. `operation` is the provider's name for it, None without one.

    Anybody who knows an unused operation can open its page, so it is a secret.
    """

    url: str
    operation: str | None = None


class Outcome(StrEnum):
    """The result of an attempt, as a provider reports it."""

    PENDING = "pending"  # no result yet
    PAID_CARD = "paid_card"
    PAID_DEBIT = "paid_debit"
    REFUSED_CARD = "refused_card"
    REFUSED_DEBIT = "refused_debit"
    ABANDONED = "abandoned"
    UNKNOWN = "unknown"  # the provider does not know the operation: not yet, or not any more
    USED = "used"  # the payment page was opened already
    TOO_OLD = "too_old"  # the payment page was not opened in time
    OTHER = "other"  # an unknown code: staff must decide; it is never taken for a failure

    @property
    def is_paid(self) -> bool:
        return self in (Outcome.PAID_CARD, Outcome.PAID_DEBIT)


@dataclass(frozen=True)
class Status:
    """An answer of the provider, with None for what it did not say. `raw` is the answer as received, for evidence.

    `amount` is in euros. `mode` is the provider's own word; only its `compare` understands it.
    """

    outcome: Outcome
    amount: Decimal | None = None
    reference: str | None = None
    merchant: str | None = None
    mode: str | None = None
    paid_at: datetime | None = None
    authorization: str = ""
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportedStatus:
    """What a message says about an attempt. `is_proof`: the provider signed all of it, with the operation."""

    status: Status
    is_proof: bool = False


@dataclass(frozen=True)
class Call:
    """A call to a callback address of a provider. Anybody can send one. Long texts are cut."""

    fields: Mapping[str, str]  # query and body
    route: Mapping[str, str]  # the variable parts of the address
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Notification:
    """What a call says: `token` is the operation or one-use token, `fields` are the rest."""

    token: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class CallbackAddress:
    """An address on the callback host. `path` is a Django route.

    `read` turns a call into a Notification; None if the call names no operation.
    """

    name: str
    path: str
    read: Callable[[Call], Notification | None]


@dataclass(frozen=True)
class Limits:
    """The smallest and the largest amount of one payment, in euros, both allowed."""

    smallest: Decimal
    largest: Decimal


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do."""

    is_online: bool  # the payer pays on the provider's page; False: staff book the money
    can_be_asked: bool  # we can ask for the result, and the answer is proof
    opens_popup: bool
    limits: Limits
    # Its answers name no operation: we add a one-use token to the callback address of each attempt.
    wants_token: bool = False
    # A test payment by each of these means must succeed in mode X before a product is opened.
    opening_means: tuple[str, ...] = ("card",)


class Provider(Protocol):
    """What a provider must implement. An object is thread-safe and keeps nothing about a payment."""

    name: str  # at most 10 letters
    capabilities: Capabilities
    schedule: Schedule
    labels: Labels
    reasons: Reasons
    callback_addresses: Sequence[CallbackAddress]
    # Query fields that are secrets: a page whose address has one is not stored by browsers nor sent as a referrer.
    secret_fields: frozenset[str]
    # Fields of its answers with the payer's e-mail address, erased with the payer.
    personal_fields: frozenset[str]
    # The fiscal year and reference of a debt that does not exist, for test payments; None: we choose them.
    test_debt: tuple[str, str] | None

    def product_problem(self, merchant: str) -> str:
        """What is wrong with a product's number, as a sentence; empty when it is correct."""

    def identify(self, merchant: str) -> tuple[str, ...]:
        """The lines of text that the provider shows for a product's number, so that a manager can confirm it.

        Raises ProviderRefused (unknown number) or ProviderUnavailable.
        """

    def callback_path(self, token: str) -> str:
        """The path on the callback host that the provider calls, without the first slash.

        `token` is empty unless the provider's `capabilities.wants_token` is set.
        """

    def start(self, request: PaymentRequest) -> Started:
        """Open a payment at the provider. Raises ProviderRefused or ProviderUnavailable."""

    def page(self, operation: str) -> str:
        """The payment page of an operation, the same as `Started.url`. Only for attempts with an operation."""

    def fetch_status(self, operation: str) -> Status:
        """Ask for the result of an operation. This changes nothing there. Raises ProviderUnavailable."""

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> ReportedStatus | None:
        """What a message about the operation `token` says; None when it says no result.

        A message without `is_proof` never books money. If the provider can be asked, the message is kept as evidence
        and we ask; else it is compared with the request, and the attempt is at best reported.
        """

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """The Status of a `Status.raw` that was kept."""

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """The names, in French, of the fields of `status` that differ from the request; rows keep them."""


def differences(
    asked: PaymentRequest, status: Status, *, merchant: str, mode: str | None = None
) -> list[str]:
    """Compare amount, reference, number and mode; return the names of those that differ.

    `merchant` is the provider's name for the product's number, `mode` the provider's word for our mode.
    The fiscal year is not compared on purpose: a provider has shortened it in its answers.
    """
    pairs = (
        (_("le montant"), asked.amount, status.amount),
        (_("la référence"), asked.reference, status.reference),
        (merchant, asked.merchant, status.merchant),
        (_("le mode"), asked.mode if mode is None else mode, status.mode),
    )
    return [name for name, wanted, answered in pairs if wanted != answered]
