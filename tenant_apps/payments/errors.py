"""Why a payment could not begin. `str()` is the sentence to show the resident."""

from datetime import datetime


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


class StillHeld(NotCorrectable):
    """An avoir would ask less than what the invoice holds: the money must be let go with it."""
