"""Who may open a page of the back office, and what every page of it shows."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from shared_apps.accounts.sessions import devices, steps
from shared_apps.accounts.sessions.steps import StepsPassed
from tenant_apps.products.queries import products_for_staff
from tenant_apps.residents.queries import waiting_access_requests
from tenant_apps.residents.sources import has_several
from tenant_apps.townhall.models import StaffSecondFactor
from tenant_apps.townhall.queries import current_townhall, shown_townhall
from toolkit.scope import Scope

View = Callable[..., HttpResponseBase]
P = ParamSpec("P")
Found = TypeVar("Found")


class StaffRequest(HttpRequest):
    """A request past `staff_required`: a member of staff is signed in, who sees the régies of `scope`."""

    user: Account
    scope: Scope


class Refused(PermissionDenied):
    """A member of staff of this town may not open this page: 403, which `refusals` draws.

    `minimum` is the role it asks for; None: it is not for an operator in somebody's place.
    """

    def __init__(self, minimum: Role | None = None) -> None:
        super().__init__()
        self.minimum = minimum


def at_least(role: str, minimum: Role) -> bool:
    """True when `role` is a staff role that may do what `minimum` may (reader < clerk < cashier < manager)."""
    order = list(STAFF_ROLES)
    return role in order and order.index(Role(role)) >= order.index(minimum)


def acting_role(request: StaffRequest) -> str:
    """The role that counts here and now: a manager without a second factor has the one below."""
    if request.user.role == Role.MANAGER and is_unprotected(request):
        return STAFF_ROLES[STAFF_ROLES.index(Role.MANAGER) - 1]
    return request.user.role


def may(request: StaffRequest, minimum: Role) -> bool:
    """Whether this person may do what `minimum` may, here and now."""
    return at_least(acting_role(request), minimum)


def is_unprotected(request: HttpRequest) -> bool:
    """Whether the account of this member of staff has no second factor. No statement."""
    assert isinstance(request.user, Account)
    return steps.steps_passed(request.user, request.session) == StepsPassed.UNPROTECTED


def must_be_protected(account: Account) -> bool:
    """Whether the account must have a second factor: a manager always, the others where the town wants it."""
    return account.role == Role.MANAGER or shown_townhall().staff_second_factor == StaffSecondFactor.ALL


def staff_required(
    minimum: Role, *, unprotected: bool = False, in_person: bool = False
) -> Callable[[View], View]:
    """Only staff of this town with at least the role `minimum`; pages are never cached.

    Nobody is sent to the portal's sign-in, which leads back here; anybody else gets the 404 of a page that
    does not exist. Whoever has a second factor has given it, or is asked for it. A member of staff whose role is too
    small is told which one it takes (`Refused`, decision 69). Whoever must have a second factor is led to set it up: a
    manager before a manager's page, everybody where the town wants it. `unprotected`: the page is open without one, to
    set it up. `in_person`: refused to an operator in somebody's place.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            elsewhere = _elsewhere(request, minimum, unprotected=unprotected, in_person=in_person)
            response = elsewhere or _inside(view, request, *args, **kwargs)
            response["Cache-Control"] = "no-store, private"
            return response

        return wrapped

    return decorate


def _inside(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The page. Once a day the session of the person themselves is noted among their devices."""
    assert isinstance(request.user, Account)
    if request.user.impersonated_by is None:
        agent = request.META.get("HTTP_USER_AGENT", "")
        devices.slide(account=request.user, session=request.session, user_agent=agent)
    request.scope = request.user.scope  # type: ignore[attr-defined]
    return view(request, *args, **kwargs)


def _elsewhere(
    request: HttpRequest, minimum: Role, *, unprotected: bool, in_person: bool
) -> HttpResponseBase | None:
    """Where to go before this page; None: it may be opened. Raises Http404 or Refused."""
    user = request.user
    if not isinstance(user, Account):
        awaited = steps.is_awaited(request.session)
        return _lead(request, reverse("portal:second-step") if awaited else "/")
    if not user.is_town_staff:
        raise Http404
    passed = steps.steps_passed(user, request.session)
    if passed == StepsPassed.HALF:
        return _lead(request, reverse("portal:second-step"))
    if in_person and user.impersonated_by is not None:
        raise Refused
    if not at_least(user.role, minimum):
        raise Refused(minimum)
    must = minimum == Role.MANAGER or (user.role != Role.MANAGER and must_be_protected(user))
    if passed == StepsPassed.UNPROTECTED and must and not unprotected:
        return _lead(request, reverse("backoffice:protect"))
    return None


def _lead(request: HttpRequest, to: str) -> HttpResponse:
    """A page is come back to; an action, or a fragment of a page, is not an address to come back to."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(f"{to}?" + urlencode({"suite": "/gestion/"}))
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else "/gestion/"
    return redirect(f"{to}?" + urlencode({"suite": wanted}))


def screen(
    request: StaffRequest, template: str, *, section: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the back office; `can_act`, `can_book` and `can_manage` say which buttons to show.

    `only_for` are the régies of somebody who works for some of them.
    """
    rights = {
        "section": section,
        # never from the cache: staff see at once what they changed
        "townhall": context.pop("townhall", None) or current_townhall(),
        "can_act": at_least(request.user.role, Role.CLERK),
        "can_book": at_least(request.user.role, Role.CASHIER),
        "can_manage": at_least(request.user.role, Role.MANAGER),
        "unprotected": is_unprotected(request),
        "access_requests_to_decide": waiting_access_requests(request.scope),
        "only_for": () if request.scope.is_whole else products_for_staff(request.scope),
        "several_sources": SimpleLazyObject(has_several),  # only a page that shows codes reads it
    }
    return render(request, f"backoffice/{template}", {**rights, **context}, status=status)


def found(reader: Callable[P, Found], *args: P.args, **kwargs: P.kwargs) -> Found:
    """The result of `reader(*args)`, or 404 when the query raises DoesNotExist."""
    try:
        return reader(*args, **kwargs)
    except ObjectDoesNotExist:
        raise Http404 from None
