"""Why an act on a message failed. `str()` is the sentence to show."""


class MailError(Exception):
    """Base of this room's errors."""


class TooOld(MailError):
    """The link in the message no longer works."""
