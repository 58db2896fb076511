"""The small interface between our payments and whoever takes the money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.utils.functional import Promise


@dataclass(frozen=True)
class PaymentRequest:
    """What is asked of the Treasury, frozen in the attempt before the call. Euros as Decimal."""

    numcli: str  # [0-9]{6}
    fiscal_year: str  # [0-9]{4}
    reference: str  # refdet, [A-Za-z0-9]{6,30}
    label: str  # objet, folded by the provider; generic, never a person's name
    amount: Decimal
    email: str
    mode: str  # saisie: T, X or W (A in production on TIPI)
    notify_url: str
    return_url: str


@dataclass(frozen=True)
class Started:
    """The payer may go: `url` is where. `idop` is a bearer secret until used; None on a redirect."""

    url: str
    idop: str | None = None


class Outcome(StrEnum):
    """What the provider says became of an attempt (docs/payfip.md §2, resultrans and faults)."""

    PENDING = "pending"  # P5, or nothing yet
    PAID_CARD = "paid_card"  # P
    PAID_DEBIT = "paid_debit"  # V
    REFUSED_CARD = "refused_card"  # R
    REFUSED_DEBIT = "refused_debit"  # Z
    ABANDONED = "abandoned"  # A
    UNKNOWN = "unknown"  # P1: not yet received, or purged in the night
    USED = "used"  # P3: the idOp was redirected already
    TOO_OLD = "too_old"  # P4: not opened within fifteen minutes
    OTHER = "other"  # a code nobody announced: held for review, never taken for a failure

    @property
    def is_paid(self) -> bool:
        return self in (Outcome.PAID_CARD, Outcome.PAID_DEBIT)


@dataclass(frozen=True)
class Status:
    """An answer of the provider. None where it said nothing; `raw` is the evidence, as received."""

    outcome: Outcome
    amount: Decimal | None = None
    reference: str | None = None
    numcli: str | None = None
    mode: str | None = None
    paid_at: datetime | None = None
    authorization: str = ""
    raw: Mapping[str, str] = field(default_factory=dict)


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


class ProviderError(Exception):
    """`sentence` is for the resident, in their language when it is shown; `code` and `detail` for staff.

    Never holds an idOp.
    """

    def __init__(self, sentence: str | Promise, *, code: str = "", detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.code, self.detail = sentence, code, detail


class ProviderUnavailable(ProviderError):
    """No usable answer: down, slow, cut, garbage, a technical fault. Retry later; nothing is known."""


class ProviderRefused(ProviderError):
    """A final no to this request, before or after the call. Retrying the same changes nothing."""


class EmailRefused(ProviderRefused):
    """The Treasury does not accept this e-mail address (A1, A2): ask for another."""


class ProductRefused(ProviderRefused):
    """The numcli is wrong, unknown or closed (T*): the product must be looked at by the town."""


class Provider(Protocol):
    """What a provider must do. Implementations are thread-safe and hold no state of a payment."""

    name: str
    capabilities: Capabilities

    def start(self, request: PaymentRequest) -> Started:
        """Open an attempt. Raises ProviderRefused or ProviderUnavailable."""

    def page(self, idop: str) -> str:
        """Where the payer of an open attempt goes: what `Started.url` said. Only for attempts with an idOp."""

    def fetch_status(self, idop: str) -> Status:
        """Ask what became of it; no side effect. Raises ProviderUnavailable."""

    def read_notification(self, given: Mapping[str, str]) -> Status | None:
        """What a message that nobody signed says of an attempt; None when it is only a door-bell.

        Never proof: the caller compares every field with what was asked, or asks.
        """
