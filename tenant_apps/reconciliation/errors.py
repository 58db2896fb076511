"""Why a file or a line could not be dealt with. `str()` is the sentence to show."""


class ReconciliationError(Exception):
    """Base of this room's errors."""


class CannotRead(ReconciliationError):
    """The file as a whole cannot be read."""


class FileGone(CannotRead):
    """The storage no longer has the file's bytes."""


class NotPossible(ReconciliationError):
    """This line is not where that can be done (any more)."""
