"""Error pages in the town's or platform's look, each with a way on (docs/look.md)."""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from config.web.language import speak_to_person
from tenants.databases.outages import Outage, first_sqlstate, outage_of
from tenants.hosts.doors import unavailable

log = structlog.get_logger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return render(request, "errors/bad_request.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return render(request, "errors/permission_denied.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long, or sent without cookies."""
    return render(request, "errors/csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: absent and forbidden look the same."""
    speak_to_person(request)
    return render(request, "errors/not_found.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, made without the database, which may have failed. 503 during an outage of the town's database."""
    town = getattr(request, "town", None)
    outage = outage_of(sys.exception(), town)
    if outage is not None:
        _tell_the_operator(request, outage)
        return unavailable(request, outage, town)
    return HttpResponse(render_to_string("errors/server_error.html"), status=500)


def _tell_the_operator(request: HttpRequest, outage: Outage) -> None:
    """Log the error's type and place, but not the address (it may hold a token) or message (it may quote a row)."""
    town, match = getattr(request, "town", None), getattr(request, "resolver_match", None)
    tell = log.info if outage is Outage.READ_ONLY else log.error
    tell(
        "outage",
        kind=outage.key,
        sqlstate=first_sqlstate(sys.exception()),
        error=type(sys.exception()).__name__,
        town=town.slug if town else "-",
        method=request.method,
        view=match.view_name if match else "-",
    )
