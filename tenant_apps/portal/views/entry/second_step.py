"""The second step of a member of staff's sign-in: the code of the telephone, a recovery code, or a passkey."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.sessions.steps import Pending, StepsPassed
from shared_apps.accounts.signing_in import passkeys, second_factor
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import client_address, next_page
from tenant_apps.portal.forms import SecondStepForm

View = Callable[[HttpRequest, Pending], HttpResponse]
GESTION = "/gestion/"


def _awaited(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Whoever passed the first step in this browser; anybody else goes to the sign-in page."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        found = _found(request)
        return _nobody_waits(request) if found is None else view(request, found)

    return never_cache(wrapped)


def _nobody_waits(request: HttpRequest) -> HttpResponse:
    """Signed in already: to the page that was wanted. Otherwise the first step again: it is too old, or void."""
    suite = next_page(request, default="/")
    if request.user.is_authenticated:
        return redirect(suite)
    steps.give_up(request.session)
    return redirect("/?" + urlencode({"suite": suite}) if suite != "/" else "/")


def _found(request: HttpRequest) -> Pending | None:
    """Not signed in yet; or signed in by a session that was open when the account became one of staff."""
    user = request.user
    if not isinstance(user, Account):
        return steps.pending(request.session)
    if not user.is_town_staff or steps.steps_passed(user, request.session) != StepsPassed.HALF:
        return None
    return Pending(user, expiry=0, suite=next_page(request, default=GESTION))


@require_http_methods(["GET", "HEAD", "POST"])
@_awaited
def second_step(request: HttpRequest, found: Pending) -> HttpResponse:
    """Ask for the code. A right one opens the session."""
    form = SecondStepForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.check(account=found.account, code=form.cleaned_data["code"])
        except AccountError as error:
            form.add_error("code", str(error))
            return marked(_page(request, found, form), error)
        return _open(request, found)
    return _page(request, found, form)


@require_POST
@_awaited
def with_key(request: HttpRequest, found: Pending) -> HttpResponse:
    """What the browser's passkey answered."""
    try:
        passkeys.check_second_step(
            account=found.account,
            place=passkeys.place_of(request),
            session=request.session,
            answer=request.POST.get("answer", ""),
            ip=client_address(request),
        )
    except AccountError as error:
        return marked(_page(request, found, SecondStepForm(), str(error)), error)
    return _open(request, found)


@require_POST
@_awaited
def ask_key(request: HttpRequest, found: Pending) -> HttpResponse:
    """For the script: what `navigator.credentials.get` wants."""
    place, ip = passkeys.place_of(request), client_address(request)
    try:
        return JsonResponse(passkeys.ask_second_step(place=place, session=request.session, ip=ip))
    except AccountError as error:
        return marked(JsonResponse({"problem": str(error)}), error)


@require_POST
@never_cache
def give_up(request: HttpRequest) -> HttpResponse:
    """« Utiliser un autre compte »."""
    logout(request)
    return redirect("portal:sign-in")


def _open(request: HttpRequest, found: Pending) -> HttpResponse:
    steps.finish(request, found)
    return redirect(found.suite)


def _page(request: HttpRequest, found: Pending, form: SecondStepForm, problem: str = "") -> HttpResponse:
    context = {
        "form": form,
        "problem": problem,
        "email": found.account.email,
        "has_key": passkeys.has_key_here(found.account, passkeys.place_of(request)),
        "suite": next_page(request, default=""),
    }
    return render(request, "portal/second_step.html", context, status=422 if form.errors or problem else 200)
