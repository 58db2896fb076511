"""How much the files of one import may weigh."""

from django.conf import settings

from toolkit.files.arriving import announced_size, let_finish

__all__ = ["announced_size", "let_finish", "most"]

_FORM = 64 * 1024  # bytes that the form adds to its files


def most() -> int:
    """The largest accepted request, in bytes."""
    return int(settings.UPLOAD_MAX_BYTES) + _FORM
