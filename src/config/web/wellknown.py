"""Files for programs, on every host: security.txt (RFC 9116) and robots.txt (RFC 9309)."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tenants.hosts import registry
from toolkit.words import same_for_all

A_DAY = 24 * 3600
HALF_A_YEAR = timedelta(days=182)  # RFC 9116 recommends less than a year
# In a town: its front page and the pages that explain the portal. The rest is personal.
_INDEXED = ("/$", "/aide/$", "/mentions-legales/$", "/accessibilite/$", "/donnees-personnelles/$", "/static/")


@same_for_all
@require_safe
@cache_control(public=True, max_age=A_DAY)
def security_txt(request: HttpRequest) -> HttpResponse:
    """404 without SECURITY_CONTACT. Without SECURITY_EXPIRES, the expiry renews itself."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    last = settings.SECURITY_EXPIRES or (timezone.now() + HALF_A_YEAR).date()
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {datetime.combine(last, time(), UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: fr, en",
        f"Canonical: {registry.address(settings.BASE_DOMAIN)}/.well-known/security.txt",
    ]
    return _text(lines)


@same_for_all
@require_safe
@cache_control(public=True, max_age=A_DAY)
def robots_txt(request: HttpRequest) -> HttpResponse:
    """A town's front page may be indexed; the platform's own hosts may not."""
    allowed = _INDEXED if getattr(request, "town", None) else ()
    return _text(["User-agent: *", *(f"Allow: {path}" for path in allowed), "Disallow: /"])


def _text(lines: list[str]) -> HttpResponse:
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
