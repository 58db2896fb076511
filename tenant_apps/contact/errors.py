"""Why a message is not written."""


class ContactError(Exception):
    """`str()` is one French sentence."""


class Changed(ContactError):
    """Somebody else wrote in the thread since the page was opened."""
