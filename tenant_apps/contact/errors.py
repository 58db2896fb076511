"""Why a message was not written."""


class ContactError(Exception):
    """`str()` is one French sentence."""


class Changed(ContactError):
    """Somebody else has written in the thread since the page was opened."""
