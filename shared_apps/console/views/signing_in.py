"""Sign in: password, then code; at the first time, set up the second factor. No other page opens before."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError, AlreadyEnrolled
from shared_apps.accounts.models import Account
from shared_apps.accounts.signing_in import second_factor
from shared_apps.accounts.throttling.refusals import marked
from shared_apps.console import access
from shared_apps.console.look.forms import CodeStep, PasswordStep


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password_step(request: HttpRequest) -> HttpResponse:
    """Ask for the password. A right one only leads to the code."""
    if request.method != "POST" and access.is_operator(request):
        return redirect("admin:index")
    form = PasswordStep(request.POST if request.method == "POST" else None)
    refused: AccountError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            account = access.check_password(request, **form.cleaned_data)
        except AccountError as error:
            form.add_error(None, access.in_words(error))
            refused = error
        else:
            enrolled = second_factor.is_enrolled(account)
            return redirect("admin:sign-in-code" if enrolled else "admin:sign-in-enrolment")
    wanted = request.POST.get("next") or request.GET.get("next", "")
    return marked(_page(request, "sign_in", form=form, next=wanted), refused)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code_step(request: HttpRequest) -> HttpResponse:
    """Ask for the telephone's code, or a recovery code."""
    account = access.pending(request)
    if account is None:
        return redirect("admin:login")
    form = CodeStep(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            factor = second_factor.check(account=account, code=form.cleaned_data["code"])
        except AccountError as error:
            form.add_error("code", str(error))
            return marked(_page(request, "sign_in_code", form=form, email=account.email), error)
        else:
            return redirect(access.open_session(request, account=account, factor=factor))
    return _page(request, "sign_in_code", form=form, email=account.email)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enrolment(request: HttpRequest) -> HttpResponse:
    """The first time: scan the QR code, confirm with a code, show the recovery codes."""
    account = access.pending(request)
    if account is None:
        return redirect("admin:login")
    form = CodeStep(request.POST if request.method == "POST" else None)
    try:
        secret = second_factor.begin(account=account)
        if request.method == "POST" and form.is_valid():
            return _enrolled(request, account, form.cleaned_data["code"])
    except AlreadyEnrolled:
        return redirect("admin:sign-in-code")
    except AccountError as error:
        form.add_error("code", str(error))
    address = second_factor.address_for_app(account=account, secret=secret)
    return _page(
        request,
        "sign_in_enrolment",
        form=form,
        email=account.email,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        address=address,
        picture=second_factor.picture(address),
    )


def _enrolled(request: HttpRequest, account: Account, code: str) -> HttpResponse:
    codes = second_factor.confirm(account=account, code=code)
    factor = second_factor.confirmed(account)
    assert factor is not None
    onwards = access.open_session(request, account=account, factor=factor)
    return _page(request, "recovery_codes", codes=codes, onwards=onwards)


def _page(request: HttpRequest, template: str, *, form: Any = None, **context: Any) -> HttpResponse:
    from shared_apps.console.site import site

    status = 422 if form is not None and form.errors else 200
    return render(
        request,
        f"console/{template}.html",
        {**site.each_context(request), "form": form, **context},
        status=status,
    )
