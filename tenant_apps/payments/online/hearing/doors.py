"""The addresses of the one declared callback host, `paiement.<base domain>`: those that the providers declare.

Any method, a short 200, whatever is said: a call proves nothing here, and says nothing of what we know.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shared_apps.treasury import services as treasury
from tenant_apps.payments.providers.base import Call, Door
from tenant_apps.payments.providers.registry import every_provider

OK = "OK"
LONGEST, LARGEST = 200, 8000  # characters of a field, of a body


def knock_at(name: str, door: Door) -> Callable[..., HttpResponse]:
    """The view of `door`: provider `name` reads the call, and the town that it is about hears it."""

    @csrf_exempt
    @require_http_methods(["GET", "POST"])
    def knock(request: HttpRequest, **route: str) -> HttpResponse:
        ring = door.hear(_call(request, route))
        if ring is not None and 0 < len(ring.token) < LONGEST:
            treasury.ring(kind=name, token=ring.token, fields=ring.fields)
        return HttpResponse(OK, content_type="text/plain")

    return knock


def _call(request: HttpRequest, route: dict[str, str]) -> Call:
    body = request.body[:LARGEST].decode("utf-8", "replace")
    fields = {**request.GET.dict(), **request.POST.dict()}
    return Call(
        fields={name: str(value)[:LONGEST] for name, value in fields.items()},
        route={name: str(value) for name, value in route.items()},
        headers={name: value[:LONGEST] for name, value in request.headers.items()},
        body=body,
    )


app_name = "treasury"
urlpatterns: list[URLPattern] = [
    path(door.path, knock_at(one.name, door), name=door.name)
    for one in every_provider()
    for door in one.doors
]
