"""Find the town from the host, before anything else."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import set_urlconf

from tenants import current
from tenants.databases.outages import Outage
from tenants.hosts import doors, registry
from tenants.models import Town
from tenants.schema.readiness import can_serve
from tenants.states import TownState


class TownRequest(HttpRequest):
    """A request whose host was resolved."""

    town: Town | None
    tenant: Town  # django-tenants' own name for it
    public_role: str | None
    urlconf: str


Answer = Callable[[TownRequest], HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS")


class TownMiddleware:
    """Put the connection on the schema of the host's town, or answer (`doors`) without touching any town.

    Sets ``request.town`` (None on the platform's own hosts) and ``request.public_role``.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: TownRequest) -> HttpResponse:
        current.leave()
        request.town = None
        request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
        set_urlconf(settings.PUBLIC_SCHEMA_URLCONF)
        host = registry.host_name(request.META.get("HTTP_HOST", ""))
        if request.path.startswith("/healthz/"):
            return self.get_response(request)
        request.public_role = registry.public_hosts().get(host)
        if request.public_role:
            request.urlconf = settings.PUBLIC_URLCONFS[request.public_role]
            set_urlconf(request.urlconf)
            return self.get_response(request)
        place = registry.place_of_host(host) if host else None
        if place is None or place.town.state == TownState.OPENING:
            return doors.unknown(request)
        town = place.town
        if not town.is_served:
            return doors.shut(request, town)
        if place.moved_to:
            return doors.moved(request, place.moved_to)
        if not can_serve(town):
            return doors.updating(request, town)
        if town.read_only_since and request.method not in SAFE:
            return doors.unavailable(request, Outage.READ_ONLY, town)
        request.town = request.tenant = town
        request.urlconf = settings.ROOT_URLCONF
        set_urlconf(settings.ROOT_URLCONF)
        current.enter(town)
        return self.get_response(request)
