"""An operator's own account: password, recovery codes."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AccountError, WeakPassword
from shared_apps.accounts.signing_in import second_factor
from shared_apps.accounts.throttling import known_browsers
from shared_apps.accounts.throttling.refusals import marked
from shared_apps.console.access import OperatorRequest, in_words
from shared_apps.console.look.forms import OPERATOR_RULE, CodeStep, OwnPasswordForm
from shared_apps.console.look.screens import screen


@require_http_methods(["GET", "HEAD", "POST"])
def own_account(request: OperatorRequest) -> HttpResponse:
    """Change the password; other sessions end, this one stays."""
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            account = accounts.change_password(actor=request.user, rule=OPERATOR_RULE, **form.cleaned_data)
        except AccountError as error:
            form.add_error("new" if isinstance(error, WeakPassword) else "current", in_words(error))
            return marked(_page(request, form, CodeStep()), error)
        else:
            update_session_auth_hash(request, account)
            known_browsers.opened(request, account)
            messages.success(request, "Votre mot de passe est changé.")
            return redirect("admin:password_change")
    return _page(request, form, CodeStep())


@require_POST
def renew_recovery_codes(request: OperatorRequest) -> HttpResponse:
    """Make ten new recovery codes after a fresh code of the telephone."""
    form = CodeStep(request.POST)
    if form.is_valid():
        try:
            codes = second_factor.renew_recovery_codes(account=request.user, code=form.cleaned_data["code"])
        except AccountError as error:
            form.add_error("code", str(error))
            return marked(_page(request, OwnPasswordForm(), form), error)
        else:
            return screen(request, "recovery_codes_page", title="Vos codes de secours", codes=codes)
    return _page(request, OwnPasswordForm(), form)


def _page(request: OperatorRequest, form: OwnPasswordForm, codes_form: CodeStep) -> HttpResponse:
    factor = second_factor.confirmed(request.user)
    return screen(
        request,
        "account",
        title="Mon compte",
        status=422 if form.errors or codes_form.errors else 200,
        form=form,
        codes_form=codes_form,
        codes_left=len(factor.recovery_hashes) if factor else 0,
    )
