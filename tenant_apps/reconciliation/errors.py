"""Why a file or a row could not be handled. `str()` is the sentence to show."""


class ReconciliationError(Exception):
    """Base of this room's errors."""


class CannotRead(ReconciliationError):
    """The whole file cannot be read."""


class FileGone(CannotRead):
    """The storage no longer has the file's bytes."""


class NotPossible(ReconciliationError):
    """The row or the file is not (or no longer) in a state that allows this."""
