"""Why a payment could not begin, or be corrected. `str()` is the sentence to show."""

from datetime import datetime

from django.utils.functional import Promise


class PaymentError(Exception):
    """Base of this room's errors."""


class NotPayable(PaymentError):
    """This invoice cannot be paid online now; the sentence says why."""


class Busy(NotPayable):
    """Another attempt is alive; `until` is when a new one may begin at the latest (docs/manual.md, M11)."""

    def __init__(self, sentence: str, until: datetime) -> None:
        super().__init__(sentence)
        self.until = until


class ForbiddenMove(PaymentError):
    """A transition that `states.EDGES` does not have."""


class NotCorrectable(PaymentError):
    """Staff cannot put this right as they ask; the sentence says why."""


class StillAllocated(NotCorrectable):
    """An avoir would ask less than what the invoice holds: the money must be let go with it."""


class NotOpen(PaymentError):
    """The attempt waits for nobody's word (any more)."""


class NotYet(PaymentError):
    """A step of going live whose conditions are not met; the sentence says which."""


class ProviderError(Exception):
    """`sentence` is for the resident, in their language when it is shown; `code` and `detail` for staff.

    Never holds an operation.
    """

    def __init__(self, sentence: str | Promise, *, code: str = "", detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.code, self.detail = sentence, code, detail


class ProviderUnavailable(ProviderError):
    """No usable answer: down, slow, cut, garbage, a technical fault. Retry later; nothing is known."""


class ProviderRefused(ProviderError):
    """A final no to this request, before or after the call. Retrying the same changes nothing."""


class EmailRefused(ProviderRefused):
    """The provider does not accept this e-mail address: ask for another."""


class ProductRefused(ProviderRefused):
    """The number is wrong, unknown or closed: the product must be looked at by the town."""
