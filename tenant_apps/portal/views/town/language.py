"""The language of the portal: of this browser, and of the signed-in account."""

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
    """« English » or « Français »: change the language, and go back to the page where the button is."""
    wanted = request.POST.get("langue", "")
    response = redirect(next_page(request, default=_page_before(request)))
    if wanted not in dict(settings.LANGUAGES):
        return response
    if isinstance(request.user, Account):
        # An operator in somebody's place changes this browser's language only, not the account's.
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
    """The path of the page where the button was pressed; the front page if the browser does not say."""
    before = request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    path, query = urlsplit(before)[2:4]
    # « //elsewhere/ » becomes a path of this host, which does not exist
    path = escape_leading_slashes(path or "/")
    return f"{path}?{query}" if query else path
