"""The language of the portal: this browser's, and the person's who is signed in."""

from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_POST

from shared_apps.accounts.errors import NotWhileImpersonating
from shared_apps.accounts.models import Account
from shared_apps.accounts.services import choose_language
from tenant_apps.portal.access import next_page


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """« English » or « Français »: back to the page it was asked from, in that language."""
    wanted = request.POST.get("langue", "")
    response = redirect(next_page(request, default=_page_before(request)))
    if wanted not in dict(settings.LANGUAGES):
        return response
    if isinstance(request.user, Account):
        # For an operator in somebody's place it is this browser's only, and nothing is chosen for the person.
        with suppress(NotWhileImpersonating):
            choose_language(actor=request.user, language=wanted)
    if "details" in request.POST:
        with override(wanted):
            messages.success(request, _("Votre choix est enregistré."))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response


def _page_before(request: HttpRequest) -> str:
    """The path of this host that the button was pressed on; the front door when the browser does not say."""
    before = request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    path, query = urlsplit(before)[2:4]
    path = escape_leading_slashes(path or "/")  # « //elsewhere/ » is a page of ours, which does not exist
    return f"{path}?{query}" if query else path
