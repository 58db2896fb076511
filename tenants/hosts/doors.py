"""What we answer when a town cannot be served: in the platform's look, without asking a town's database."""

import re
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from tenants.databases.outages import Outage
from tenants.hosts import registry
from tenants.models import Town
from tenants.states import TownState

_PRIVATE = re.compile("pass|code|secret|token", re.I)  # fields whose value is never shown again
# title, what happened, what to do
_WORDS = {
    Outage.SILENT: (
        _("Le portail ne répond pas pour le moment"),
        _("Rien n'est perdu : vos factures et vos règlements sont conservés."),
        _("Attendez quelques minutes, puis recommencez."),
    ),
    Outage.CROWDED: (
        _("Beaucoup de monde en ce moment"),
        _("Le portail reçoit trop de demandes à la fois. Rien n'a été enregistré de la vôtre."),
        _("Attendez quelques secondes, puis recommencez."),
    ),
    Outage.CROSSED: (
        _("Deux demandes se sont croisées"),
        _("Quelqu'un enregistrait la même chose au même instant. Rien n'a été enregistré de votre demande."),
        _("Recommencez maintenant : cela ne se reproduit presque jamais."),
    ),
    Outage.SLOW: (
        _("Cette demande a pris trop de temps"),
        _("Nous l'avons arrêtée. Rien n'a été enregistré."),
        _("Recommencez dans un instant ; si vous cherchez, demandez moins à la fois."),
    ),
    Outage.FULL: (
        _("Le portail ne peut rien enregistrer pour le moment"),
        _(
            "L'exploitant est prévenu. Rien n'a été enregistré de votre demande ; ce qui l'était déjà est conservé."
        ),
        _("Recommencez dans quelques minutes."),
    ),
    Outage.FILES: (
        _("Les documents ne sont pas accessibles pour le moment"),
        _("Les fichiers du portail ne répondent pas. Ils sont conservés ; le reste du portail fonctionne."),
        _("Recommencez dans quelques minutes."),
    ),
}
_UNSURE = _(
    "La réponse s'est perdue en route : si vous veniez d'enregistrer quelque chose, regardez d'abord si c'est fait."
)
SUSPENDED, UPDATING = 3600, 60  # in how many seconds to come back


def unknown(request: HttpRequest) -> HttpResponse:
    """404: no town has this address, or it is not served yet."""
    return render(request, "errors/unknown_town.html", status=404)


def shut(request: HttpRequest, town: Town) -> HttpResponse:
    """503 while the town is suspended, 410 once it is closed; browsers may keep neither."""
    if town.state == TownState.CLOSED:
        response = render(request, "errors/closed_town.html", {"town": town}, status=410)
        response["Cache-Control"] = "no-store"
        return response
    return _later(request, "errors/suspended_town.html", town, SUSPENDED)


def updating(request: HttpRequest, town: Town) -> HttpResponse:
    """503: the town's schema lacks a migration that the code needs."""
    return _later(request, "errors/updating_town.html", town, UPDATING)


def _later(request: HttpRequest, template: str, town: Town, seconds: int) -> HttpResponse:
    response = render(request, template, {"town": town}, status=503)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response


def unavailable(request: HttpRequest, outage: Outage, town: Town | None) -> HttpResponse:
    """503 during an outage of the town's database. No context processor runs, because some ask that database.

    When nothing was written, a button sends the form again with what was typed.
    """
    if outage is Outage.READ_ONLY:
        page = render_to_string("errors/read_only_town.html", {"town": town, "path": request.path})
    else:
        title, what, then = _WORDS[outage]
        writes = request.method not in ("GET", "HEAD")
        context = {
            "town": town,
            "path": request.path,
            "title": title,
            "sentences": [what, *([_UNSURE] if writes and not outage.undone else []), then],
            "again": _typed(request) if writes and outage.undone else [],
            "is_read": not writes,
        }
        page = render_to_string("errors/unavailable.html", context)
    headers = {"Retry-After": str(outage.seconds), "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers=headers)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of a form as they came; none for a form with files or a secret, or without a token."""
    form = getattr(request, "_post", None)  # the parsed form, if Django has read it
    if not form or getattr(request, "_files", None) or "csrfmiddlewaretoken" not in form:
        return []
    names = [name for name in form if name != "csrfmiddlewaretoken"]
    if any(_PRIVATE.search(name) for name in names):
        return []
    return [(name, value) for name in form for value in form.getlist(name)]


def moved(request: HttpRequest, host: str) -> HttpResponse:
    """The same page at the town's primary host: 301, or 308 where the method and the body must follow.

    Links in messages already sent must work, so the query follows; its `?LIEN=` is in no Referer. Browsers must ask
    again each time: an address may be taken back, and two permanent redirects would make a loop.
    """
    safe = request.method in ("GET", "HEAD")
    response = HttpResponse(status=HTTPStatus.MOVED_PERMANENTLY if safe else HTTPStatus.PERMANENT_REDIRECT)
    response["Location"] = registry.address(host) + request.get_full_path()
    response["Cache-Control"] = "no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response
