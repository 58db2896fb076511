"""Why an act on a message failed. `str()` is the sentence to show."""


class MailError(Exception):
    """Base of this room's errors."""


class TooOld(MailError):
    """The message holds a link that no longer works."""
