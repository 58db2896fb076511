"""A request with files: its size is looked at before anything of it is read."""

from django.http import HttpRequest

_CHUNK = 64 * 1024
_PATIENCE = 1024 * 1024 * 1024  # beyond it the connection is simply cut


def announced_size(request: HttpRequest) -> int:
    """The bytes that the browser says it is sending; without a length no body is read at all."""
    try:
        return max(int(request.META.get("CONTENT_LENGTH") or 0), 0)
    except ValueError:
        return 0


def let_finish(request: HttpRequest) -> None:
    """Read and forget the body, piece by piece: a browser shows our answer only once it has sent everything."""
    if announced_size(request) <= _PATIENCE:
        while request.read(_CHUNK):
            pass
