"""Why something about invoices could not be done. `str()` is the sentence to show."""


class InvoiceError(Exception):
    """Base of this room's errors."""


class WrongState(InvoiceError):
    """The batch is not where this can be done."""


class NotTaken(InvoiceError):
    """No format reads this file, or nothing may come beside it."""


class AlreadyPaid(InvoiceError):
    """Something of the batch was paid, or is being paid: it cannot be taken back."""
