"""Pages for the operator's machines (proxy, monitoring); a stranger gets a 404."""

import hmac
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

HEADER = "HTTP_X_INSIDE_KEY"
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
View = Callable[[HttpRequest], HttpResponse]


def insiders_only(view: View) -> View:
    """Allow requests with INSIDE_KEY in `X-Inside-Key`, or directly from this machine without a proxy."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if not (_has_key(request) or _is_here(request)):
            raise Http404
        return view(request)

    return wrapped


def _has_key(request: HttpRequest) -> bool:
    key: str = settings.INSIDE_KEY
    return bool(key) and hmac.compare_digest(str(request.META.get(HEADER, "")).encode(), key.encode())


def _is_here(request: HttpRequest) -> bool:
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
