"""Error pages in the look of the town, the platform or the back office, each with a way on (docs/look.md)."""

import sys
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from config.web.language import speak_to_person
from tenant_apps.backoffice import refusals
from tenant_apps.backoffice.access import Refused
from tenants.databases.outages import Outage, first_sqlstate, outage_of
from tenants.hosts.doors import unavailable

log = structlog.get_logger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    if refusals.meets_staff(request):
        return refusals.not_understood(request)
    return render(request, "errors/bad_request.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return render(request, "errors/permission_denied.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long, or sent without cookies."""
    if refusals.meets_staff(request):
        return refusals.too_late(request)
    return render(request, "errors/csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: absent and forbidden look the same."""
    speak_to_person(request)
    if refusals.meets_staff(request):
        return refusals.not_found(request)
    return render(request, "errors/not_found.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, made without the database, which may have failed. 503 during an outage of the town's database."""
    town = getattr(request, "town", None)
    outage = outage_of(sys.exception(), town)
    if outage is not None:
        _tell_the_operator(request, outage)
        return unavailable(request, outage, town)
    known = getattr(request, "_cached_person", None)  # whoever was read already (PeopleMiddleware)
    page = render_to_string("errors/server_error.html", {"path": request.path, "user": known})
    return HttpResponse(page, status=500)


class StaffPages:
    """What staff read inside `/gestion/` when their role is too small, and on Django's 405, which has no page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or not refusals.meets_staff(request):
            return response
        page = refusals.wrong_method(request)
        page["Allow"] = response["Allow"]
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusals.refused(request, exception) if isinstance(exception, Refused) else None


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
