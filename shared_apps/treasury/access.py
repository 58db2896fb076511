"""The callback paths exist on the callback host only."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse


def callback_host_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 on any host but `paiement.<base domain>`."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if getattr(request, "public_role", None) != "callback":
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped
