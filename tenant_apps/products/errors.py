"""The errors of products. `str(error)` is the sentence to show to the person."""


class ProductError(Exception):
    """The base class of the errors of products."""


class StillDefault(ProductError):
    """The product is the default one, for files that name none: another must become the default first."""


class InUse(ProductError):
    """The product has invoices or payments, so it cannot be deleted."""


class Ended(ProductError):
    """The product is closed, and the act needs an open one."""


class CannotBeLimited(ProductError):
    """A manager works for the whole town, and somebody who is no staff for none of it."""
