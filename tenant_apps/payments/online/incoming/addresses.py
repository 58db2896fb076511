"""The routes of the callback host `paiement.<base domain>`, which the providers declare.

Each call gets the same short answer 200, whatever it says: the answer must not reveal what we know.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shared_apps.treasury import services as treasury
from tenant_apps.payments.providers.base import Call, CallbackAddress
from tenant_apps.payments.providers.registry import every_provider

OK = "OK"
LONGEST, LARGEST = 200, 8000  # characters of a field, of a body


def view_of(name: str, address: CallbackAddress) -> Callable[..., HttpResponse]:
    """The view of `address`: provider `name` reads the call, and the town of its operation gets it."""

    @csrf_exempt
    @require_http_methods(["GET", "POST"])
    def receive(request: HttpRequest, **route: str) -> HttpResponse:
        notification = address.read(_call(request, route))
        if notification is not None and 0 < len(notification.token) < LONGEST:
            treasury.deliver(kind=name, token=notification.token, fields=notification.fields)
        return HttpResponse(OK, content_type="text/plain")

    return receive


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
    path(address.path, view_of(one.name, address), name=address.name)
    for one in every_provider()
    for address in one.callback_addresses
]
