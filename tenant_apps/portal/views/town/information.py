"""The information pages that the law asks of a public site, and the manual; open to everybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tenant_apps.portal.manual import manual
from tenant_apps.townhall.notices import NOTICES, language_of, text_of
from tenant_apps.townhall.queries import shown_townhall
from toolkit import prose


@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    """« Mentions légales »: the town's text, or the default one."""
    return _notice(request, "legal")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """« Données personnelles »: what the portal keeps about people, and for how long."""
    return _notice(request, "privacy")


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """« Accessibilité »: the statement to which the footer links."""
    return _notice(request, "accessibility")


def _notice(request: HttpRequest, kind: str) -> HttpResponse:
    townhall = shown_townhall()
    text = text_of(kind, townhall, address=_address(request))
    context = {"title": NOTICES[kind].title, "body": prose.html(text), "lang": language_of(kind, townhall)}
    return render(request, "portal/notice.html", context)


@require_safe
def site_map(request: HttpRequest) -> HttpResponse:
    """« Plan du site »: links to the pages of the portal."""
    return render(request, "portal/site_map.html")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """« Aide »: the resident's manual, with the name and address of this town."""
    found = manual(townhall=shown_townhall(), address=_address(request))
    return render(request, "portal/help.html", {"body": found.body, "titles": found.titles})


def _address(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
