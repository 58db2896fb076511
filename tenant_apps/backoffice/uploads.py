"""How much the files of one import may weigh."""

from django.conf import settings

from toolkit.files.arriving import announced_size, let_finish

__all__ = ["announced_size", "let_finish", "most"]

_FORM = 64 * 1024  # what the form itself weighs around its files


def most() -> int:
    """The largest request that is accepted, in bytes."""
    return int(settings.UPLOAD_MAX_BYTES) + _FORM
