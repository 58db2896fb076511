"""Headers for browsers and caches on every answer: pages, files, errors, redirects."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# No browser features, except for passkeys.
_NEVER = """accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen gamepad
geolocation gyroscope hid idle-detection local-fonts magnetometer microphone midi payment picture-in-picture
screen-wake-lock serial storage-access usb xr-spatial-tracking""".split()  # noqa: SIM905
PERMISSIONS = ", ".join(
    [f"{name}=()" for name in _NEVER] + [f"publickey-credentials-{name}=(self)" for name in ("create", "get")]
)
# Secrets come in a route's arguments or in parameters with one of these names.
TOKENS = frozenset({"LIEN", "ticket", "token", "idop", "idOp", "code", "state", "csrfmiddlewaretoken"})
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


def has_token(request: HttpRequest) -> bool:
    """Whether the request brought a secret, or its page contains a form's token."""
    match = getattr(request, "resolver_match", None)
    in_route = bool(match and TOKENS & set(match.kwargs))
    # `_post`: the parsed form, if Django has read it; META: the page contains a form's token.
    in_form = bool(TOKENS & set(getattr(request, "_post", None) or ()))
    return (
        in_route or in_form or bool(TOKENS & set(request.GET)) or "CSRF_COOKIE_NEEDS_UPDATE" in request.META
    )
