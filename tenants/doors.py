"""What is answered in a town's stead, in the platform's look and without asking any town's database."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from tenants import registry
from tenants.models import Town
from tenants.outages import Outage
from tenants.states import TownState

PAGES = {Outage.READ_ONLY: "errors/read_only_town.html", Outage.SILENT: "errors/unavailable.html"}
SUSPENDED, UPDATING = 3600, 60  # in how many seconds to come back


def unknown(request: HttpRequest) -> HttpResponse:
    """404: nobody's address, or one that is not served yet."""
    return render(request, "errors/unknown_town.html", status=404)


def shut(request: HttpRequest, town: Town) -> HttpResponse:
    """503 while the town is suspended, 410 once it is closed; nothing in between may be kept by a browser."""
    if town.state == TownState.CLOSED:
        response = render(request, "errors/closed_town.html", {"town": town}, status=410)
        response["Cache-Control"] = "no-store"
        return response
    return _later(request, "errors/suspended_town.html", town, SUSPENDED)


def updating(request: HttpRequest, town: Town) -> HttpResponse:
    """503: its schema waits for a migration that the code needs."""
    return _later(request, "errors/updating_town.html", town, UPDATING)


def _later(request: HttpRequest, template: str, town: Town, seconds: int) -> HttpResponse:
    response = render(request, template, {"town": town}, status=503)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    return response


def unavailable(request: HttpRequest, outage: Outage, town: Town | None) -> HttpResponse:
    """503 in a passing state of the town's database. No context processor runs: some ask that database."""
    page = render_to_string(PAGES[outage], {"town": town, "path": request.path})
    headers = {"Retry-After": str(outage.value), "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers=headers)


def moved(request: HttpRequest, host: str) -> HttpResponse:
    """The same page at the town's primary host: 301, or 308 where the method and the body must follow.

    Links of messages already sent must serve, so the query follows too; its `?LIEN=` is in no Referer. The answer
    is asked again each time: an address may be taken back, and two permanent redirects would make a loop.
    """
    safe = request.method in ("GET", "HEAD")
    response = HttpResponse(status=HTTPStatus.MOVED_PERMANENTLY if safe else HTTPStatus.PERMANENT_REDIRECT)
    response["Location"] = registry.address(host) + request.get_full_path()
    response["Cache-Control"] = "no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response
