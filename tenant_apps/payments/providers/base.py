"""The seam between our payments and whoever takes the money: what a provider says and does.

A provider is a folder here, named in the setting PAYMENT_PROVIDERS. It is plain Python: no model, no town, no other
room. Whatever it says goes through `settling.settle`; it never touches an invoice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from tenant_apps.payments.providers.schedule import Schedule
from tenant_apps.payments.providers.words import Labels, Reasons


@dataclass(frozen=True)
class PaymentRequest:
    """What is asked of a provider, frozen in the attempt before the call. Euros as Decimal."""

    merchant: str  # the product's number at its provider
    fiscal_year: str  # [0-9]{4}
    reference: str  # [A-Za-z0-9]{6,30}
    label: str  # folded by the provider; generic, never a person's name
    amount: Decimal
    email: str
    mode: str  # the product's stage: T, X or W
    notify_url: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class Started:
    """The payer may go: `url` is where. `operation` is a bearer secret until used; None when there is none."""

    url: str
    operation: str | None = None


class Outcome(StrEnum):
    """What a provider says became of an attempt."""

    PENDING = "pending"  # nothing yet
    PAID_CARD = "paid_card"
    PAID_DEBIT = "paid_debit"
    REFUSED_CARD = "refused_card"
    REFUSED_DEBIT = "refused_debit"
    ABANDONED = "abandoned"
    UNKNOWN = "unknown"  # the operation is not known: not yet received, or forgotten in the night
    USED = "used"  # its page was opened already
    TOO_OLD = "too_old"  # its page was not opened in time
    OTHER = "other"  # a code nobody announced: held for review, never taken for a failure

    @property
    def is_paid(self) -> bool:
        return self in (Outcome.PAID_CARD, Outcome.PAID_DEBIT)


@dataclass(frozen=True)
class Status:
    """An answer of the provider. None where it said nothing; `raw` is the evidence, as received.

    `mode` is the provider's own word: only its `compare` knows what it means.
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
    """What a message says of an attempt. `is_proof`: the provider signed it, the operation it is about included."""

    status: Status
    is_proof: bool = False


@dataclass(frozen=True)
class Call:
    """What came to an address of a provider on the callback host, from anybody; every text is cut to a length."""

    fields: Mapping[str, str]  # query and body
    route: Mapping[str, str]  # what the address itself holds
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Notification:
    """The operation, or the one-use token, that a call is about, and what it says of it."""

    token: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class CallbackAddress:
    """An address on the callback host: `path` as Django writes routes. `read` reads a call; None says nothing."""

    name: str
    path: str
    read: Callable[[Call], Notification | None]


@dataclass(frozen=True)
class Limits:
    """Euros, both ends included."""

    smallest: Decimal
    largest: Decimal


@dataclass(frozen=True)
class Capabilities:
    """What can be expected of a provider."""

    is_online: bool  # the payer is sent somewhere; False: somebody of the town books what came
    can_be_asked: bool  # a look-up exists and is proof
    opens_popup: bool
    limits: Limits
    # Nothing else tells its answers apart: each attempt has a one-use token of ours.
    wants_token: bool = False
    # Each must be paid once in activation before a product is opened.
    opening_means: tuple[str, ...] = ("card",)


class Provider(Protocol):
    """What a provider must do. Implementations are thread-safe and hold no state of a payment."""

    name: str  # at most 10 letters
    capabilities: Capabilities
    schedule: Schedule
    labels: Labels
    reasons: Reasons
    callback_addresses: Sequence[CallbackAddress]
    # Fields of an address that hold a secret of its: a page that was given one is kept and told nowhere.
    secret_fields: frozenset[str]
    # Fields of its answers that hold the payer's address: they go when the payer is erased.
    personal_fields: frozenset[str]
    # The fiscal year and reference of a debt that does not exist, for test payments; None: ours will do.
    test_debt: tuple[str, str] | None

    def product_problem(self, merchant: str) -> str:
        """What is wrong with a product's number, in words; empty when it may be opened."""

    def identify(self, merchant: str) -> tuple[str, ...]:
        """The lines by which the provider knows that number (« is this you? »).

        Raises ProviderRefused (unknown number) or ProviderUnavailable.
        """

    def callback_path(self, token: str) -> str:
        """Where it calls us, on the callback host, without the first slash. `token` is empty unless it wants one."""

    def start(self, request: PaymentRequest) -> Started:
        """Open an attempt. Raises ProviderRefused or ProviderUnavailable."""

    def page(self, operation: str) -> str:
        """Where the payer of an open attempt goes: what `Started.url` said. Only for attempts with an operation."""

    def fetch_status(self, operation: str) -> Status:
        """Ask what became of it; no side effect. Raises ProviderUnavailable."""

    def read_notification(self, given: Mapping[str, str], *, token: str = "") -> ReportedStatus | None:
        """What a message about the operation `token` says; None when it is only a door-bell.

        Without `is_proof` it is compared and at best reported, or kept as evidence while the provider is asked.
        """

    def read_answer(self, raw: Mapping[str, str]) -> Status:
        """A kept `Status.raw` → the Status it came with."""

    def compare(self, asked: PaymentRequest, status: Status) -> list[str]:
        """What in `status` is not what was asked, in French words that are kept; empty when all matches."""


def differences(
    asked: PaymentRequest, status: Status, *, merchant: str, mode: str | None = None
) -> list[str]:
    """The comparison that every provider makes. `merchant`: how it calls that number; `mode`: its word for ours.

    The fiscal year is left out on purpose: a service has been seen to shorten it.
    """
    pairs = (
        (_("le montant"), asked.amount, status.amount),
        (_("la référence"), asked.reference, status.reference),
        (merchant, asked.merchant, status.merchant),
        (_("le mode"), asked.mode if mode is None else mode, status.mode),
    )
    return [name for name, wanted, answered in pairs if wanted != answered]
