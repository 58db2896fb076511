"""Why a régie cannot be changed as asked. `str()` is the sentence to show."""


class ProductError(Exception):
    """Base of this room's errors."""


class StillDefault(ProductError):
    """Files that name no régie go to this one: another must be the default first."""


class InUse(ProductError):
    """Invoices or payments hang on it, so it cannot be deleted."""


class Ended(ProductError):
    """It is closed, and this is for one that is open."""


class CannotBeLimited(ProductError):
    """A manager works for the whole town, and somebody who is no staff for none of it."""
