"""Why an act on invoices was refused. `str()` is the sentence to show."""


class InvoiceError(Exception):
    """Base of this room's errors."""


class WrongState(InvoiceError):
    """The batch or the invoice is not in a state that allows this."""


class NotTaken(InvoiceError):
    """No format reads this file, or its format takes no other file with it."""


class AlreadyPaid(InvoiceError):
    """An invoice of the batch was paid, or is being paid: the batch cannot be taken back."""
