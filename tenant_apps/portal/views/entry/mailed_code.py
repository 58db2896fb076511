"""Sign in with a code received by e-mail, without a password."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError, CodesSuspended, MailedCodeError
from shared_apps.accounts.signing_in import codes
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import client_address, next_page
from tenant_apps.portal.forms import AskCodeForm, TypeCodeForm
from tenant_apps.portal.views.entry.signing_in import signed_in
from tenant_apps.residents import activation as residents
from tenant_apps.townhall.queries import current_townhall

ASKED = "code"  # key of the session: the code that this browser asked for


def _offered(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """404 if the town does not offer codes; a signed-in person goes on to their invoices. Never cached."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if not current_townhall().mailed_codes:
            raise Http404
        if request.user.is_authenticated:
            return redirect(next_page(request, default="/"))
        response = view(request)
        response["Cache-Control"] = "no-store, private"
        return response

    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
@_offered
def ask_code(request: HttpRequest) -> HttpResponse:
    """Ask for the address. Known and unknown addresses get the same answer."""
    typed = {"email": request.POST.get("email", ""), "remember": "remember" in request.POST}
    if (
        request.method != "POST" or "depuis" in request.POST
    ):  # filled in with the address typed on the sign-in page
        return _ask(request, AskCodeForm(initial=typed))
    form = AskCodeForm(request.POST)
    if not form.is_valid():
        return _ask(request, form)
    try:
        public_id = residents.request_code(email=form.cleaned_data["email"], ip=client_address(request))
    except AccountError as error:
        return _ask(request, form, problem=str(error))
    suite = next_page(request, default="")
    request.session[ASKED] = {**form.cleaned_data, "link": str(public_id), "suite": suite}
    return redirect("portal:type-code")


def _ask(request: HttpRequest, form: AskCodeForm, problem: str = "") -> HttpResponse:
    context = {"form": form, "problem": problem, "suite": next_page(request, default="")}
    context["has_asked"] = ASKED in request.session
    return render(request, "portal/ask_code.html", context, status=429 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@_offered
def type_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the message. When that code has expired, offer only to ask for another one."""
    asked = request.session.get(ASKED)
    if asked is None:
        return redirect("portal:ask-code")
    form = TypeCodeForm(request.POST or None)
    context: dict[str, object] = {"form": form, "asked": asked}
    if request.method == "POST" and form.is_valid():
        try:
            account = codes.use_code(
                public_id=UUID(asked["link"]), code=form.cleaned_data["code"], ip=client_address(request)
            )
        except AccountError as error:
            return marked(_type(request, form, {**context, **_refusal(form, error)}), error)
        else:
            del request.session[ASKED]
            return signed_in(request, account, remember=asked["remember"])
    return _type(request, form, context)


def _type(request: HttpRequest, form: TypeCodeForm, context: dict[str, object]) -> HttpResponse:
    return render(request, "portal/type_code.html", context, status=422 if form.errors else 200)


def _refusal(form: TypeCodeForm, error: AccountError) -> dict[str, object]:
    """What to show after a wrong code: the field again while the code is valid, else why it is not."""
    form.refuse(str(error))
    over = isinstance(error, MailedCodeError) and error.is_over
    return {
        "over": over,
        "problem": str(error) if over else "",
        "suspended": isinstance(error, CodesSuspended),
    }
