"""Headers for browsers and caches on every answer: pages, files, errors, redirects."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse

from tenant_apps.payments.providers.registry import every_provider

# None of what a browser can do, but for the passkeys of the sign-in.
_NEVER = """accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen gamepad
geolocation gyroscope hid idle-detection local-fonts magnetometer microphone midi payment picture-in-picture
screen-wake-lock serial storage-access usb xr-spatial-tracking""".split()  # noqa: SIM905
PERMISSIONS = ", ".join(
    [f"{name}=()" for name in _NEVER] + [f"publickey-credentials-{name}=(self)" for name in ("create", "get")]
)
# Where a secret comes in an address or a form: it is in the route, or has one of these names.
_OURS = frozenset({"LIEN", "ticket", "token", "code", "state", "csrfmiddlewaretoken"})
_SAFE_POLICIES = ("no-referrer", "same-origin")


class HeadersMiddleware:
    """Permissions-Policy everywhere; no cache and no referrer for pages with a token.

    Other HTML pages may be kept by the browser, which must revalidate them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if has_token(request):
            if "no-store" not in response.headers.get("Cache-Control", ""):
                response.headers["Cache-Control"] = "no-store, private"
            if response.headers.get("Referrer-Policy") not in _SAFE_POLICIES:
                response.headers["Referrer-Policy"] = "same-origin"
        elif response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "no-cache, private")
        return response


@cache
def tokens() -> frozenset[str]:
    """Ours, and those that a payment provider brings back in an address."""
    return _OURS.union(*(one.secret_fields for one in every_provider()))


def has_token(request: HttpRequest) -> bool:
    """Whether the request brought a secret, or its page contains a form's token."""
    match = getattr(request, "resolver_match", None)
    secret = tokens()
    in_route = bool(match and secret & set(match.kwargs))
    # `_post`: the form as it was read, if it was; META: a form's token was written into the page.
    in_form = bool(secret & set(getattr(request, "_post", None) or ()))
    return (
        in_route or in_form or bool(secret & set(request.GET)) or "CSRF_COOKIE_NEEDS_UPDATE" in request.META
    )
