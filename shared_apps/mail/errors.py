"""Why something about a message could not be done. `str()` is the sentence to show."""


class MailError(Exception):
    """Base of this room's errors."""


class TooOld(MailError):
    """The message holds a link that no longer serves: sending it would only disappoint."""
