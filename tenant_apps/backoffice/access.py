"""Who may open a page of the back office, and what every page of it knows."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from tenant_apps.residents.queries import waiting_access_requests
from tenant_apps.residents.sources import has_several
from tenant_apps.townhall.queries import current_townhall

View = Callable[..., HttpResponseBase]


class StaffRequest(HttpRequest):
    """A request past `staff_required`: a member of staff is signed in."""

    user: Account


def at_least(role: str, minimum: Role) -> bool:
    """True when `role` is a staff role that may do what `minimum` may (reader < clerk < cashier < manager)."""
    order = list(STAFF_ROLES)
    return role in order and order.index(Role(role)) >= order.index(minimum)


def staff_required(minimum: Role) -> Callable[[View], View]:
    """Only staff of this town with at least the role `minimum`; pages are never cached.

    Nobody is sent to the portal's sign-in, which leads back here; anybody else gets the 404 of a page that
    does not exist, as does a member of staff whose role is too small.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                response: HttpResponseBase = _to_sign_in(request)
            elif at_least(request.user.role, minimum):
                response = view(request, *args, **kwargs)
            else:
                raise Http404
            response["Cache-Control"] = "no-store, private"
            return response

        return wrapped

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A page is come back to; an action, or a fragment of a page, is not an address to come back to."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect("/?" + urlencode({"suite": "/gestion/"}))
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else "/gestion/"
    return redirect("/?" + urlencode({"suite": wanted}))


def screen(
    request: StaffRequest, template: str, *, section: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the back office; `can_act`, `can_book` and `can_manage` say which buttons to show."""
    rights = {
        "section": section,
        "townhall": current_townhall(),  # never from the cache: staff see at once what they changed
        "can_act": at_least(request.user.role, Role.CLERK),
        "can_book": at_least(request.user.role, Role.CASHIER),
        "can_manage": at_least(request.user.role, Role.MANAGER),
        "access_requests_to_decide": waiting_access_requests(),
        "several_sources": SimpleLazyObject(has_several),  # asked only by a page that shows codes
    }
    return render(request, f"backoffice/{template}", {**rights, **context}, status=status)


def found(reader: Callable[..., Any], *args: Any) -> Any:
    """What `reader(*args)` finds, or the 404 page: queries raise DoesNotExist for the absent."""
    try:
        return reader(*args)
    except ObjectDoesNotExist:
        raise Http404 from None
