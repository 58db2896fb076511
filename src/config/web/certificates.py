"""Tell the proxy in front whether it may request a certificate for a host."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from config.web.inside import insiders_only
from tenants.hosts import registry
from tenants.states import TownState


@require_safe
@insiders_only
def ask(request: HttpRequest) -> HttpResponse:
    """`?domain=…` → 200 when we answer on that host, 404 otherwise (Caddy's `on_demand_tls.ask`).

    One query for a name not asked in the last seconds; none for an invalid host.
    """
    host = registry.host_name(request.GET.get("domain", ""))
    return HttpResponse(status=200 if _is_ours(host) else 404, content_type="text/plain")


def _is_ours(host: str) -> bool:
    if not host or len(host) > 253:
        return False
    if host in registry.public_hosts():
        return True
    if host.endswith(f".{settings.BASE_DOMAIN}") and host.count(".") > settings.BASE_DOMAIN.count(".") + 1:
        return False  # towns have one label below the base domain
    place = registry.place_of_host(host)
    return place is not None and place.town.state != TownState.OPENING
