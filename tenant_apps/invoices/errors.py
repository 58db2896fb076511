"""Why something about invoices could not be done. `str()` is the sentence to show."""


class InvoiceError(Exception):
    """Base of this room's errors."""


class WrongState(InvoiceError):
    """The batch is not where this can be done."""


class AlreadyPaid(InvoiceError):
    """Something of the batch was paid, or is being paid: it cannot be taken back."""
