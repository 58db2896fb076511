"""Check the size of an upload before anything of it is read."""

from django.http import HttpRequest

_CHUNK = 64 * 1024
_PATIENCE = 1024 * 1024 * 1024  # bytes; a larger body is not read: the connection is cut


def announced_size(request: HttpRequest) -> int:
    """The bytes that the browser announces; 0 without a length, and then nothing is read."""
    try:
        return max(int(request.META.get("CONTENT_LENGTH") or 0), 0)
    except ValueError:
        return 0


def let_finish(request: HttpRequest) -> None:
    """Read the body in pieces and drop it: a browser shows our answer only after it has sent everything."""
    if announced_size(request) <= _PATIENCE:
        while request.read(_CHUNK):
            pass
