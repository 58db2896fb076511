"""The errors of payments. `str(error)` is the sentence to show to the person."""

from datetime import datetime

from django.utils.functional import Promise


class PaymentError(Exception):
    """The base class of the errors of payments."""


class NotPayable(PaymentError):
    """This invoice cannot be paid online now; the sentence says why."""


class Busy(NotPayable):
    """Another attempt is live. A new one may begin at `until` at the latest (docs/manual.md, M11)."""

    def __init__(self, sentence: str, until: datetime) -> None:
        super().__init__(sentence)
        self.until = until


class ForbiddenMove(PaymentError):
    """A change of state that is not in `states.EDGES`."""


class NotCorrectable(PaymentError):
    """Staff cannot make this correction; the sentence says why."""


class StillAllocated(NotCorrectable):
    """A credit would make the amount lower than what payments allocate to the invoice: release that money first."""


class NotOpen(PaymentError):
    """The attempt does not wait for a decision of staff, or does not any more."""


class NotYet(PaymentError):
    """The conditions of a step of going live are not met; the sentence says which."""


class ProviderError(Exception):
    """A call to a provider failed. `sentence` is for the resident; `code` and `detail` are for staff.

    None of them contains an operation.
    """

    def __init__(self, sentence: str | Promise, *, code: str = "", detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.code, self.detail = sentence, code, detail


class ProviderUnavailable(ProviderError):
    """The provider gave no usable answer, so nothing is known. Retry later."""


class ProviderRefused(ProviderError):
    """The request is refused, by our own checks or by the provider. The same request would be refused again."""


class EmailRefused(ProviderRefused):
    """The provider does not accept this e-mail address: ask the payer for another one."""


class ProductRefused(ProviderRefused):
    """The product's number is wrong, unknown or closed at the provider: the town must check it."""
