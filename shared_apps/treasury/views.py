"""The doors the Treasury knocks at: any method it uses, a short 200, whatever is said."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shared_apps.treasury import services

OK = "OK"
LONGEST = 200


@csrf_exempt
@require_http_methods(["GET", "POST"])
def payfip_notification(request: HttpRequest) -> HttpResponse:
    """PayFiP's urlnotif: GET or POST, query or body, `idop` or `idOp`. It is a door-bell and proves nothing."""
    fields = _fields(request)
    idop = fields.pop("idop", "") or fields.pop("idOp", "")
    if idop and len(idop) < LONGEST:
        services.ring(kind="payfip", token=idop, fields=fields)
    return HttpResponse(OK, content_type="text/plain")


@csrf_exempt
@require_http_methods(["GET", "POST"])
def tipi_callback(request: HttpRequest, token: str) -> HttpResponse:
    """TIPI's urlcl: the fields are unsigned; the one-use token names the attempt they claim to be about."""
    fields = _fields(request)
    services.ring(kind="tipi", token=token, fields=fields)
    return HttpResponse(OK, content_type="text/plain")


def _fields(request: HttpRequest) -> dict[str, str]:
    """Query and body together, cut to a length; the room that hears them picks what it knows."""
    return {
        name: str(value)[:LONGEST] for name, value in {**request.GET.dict(), **request.POST.dict()}.items()
    }
