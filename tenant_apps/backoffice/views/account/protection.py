"""« Protégez votre compte »: the second factor of a member of staff, its application and its recovery codes."""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts.errors import AccountError, AlreadyEnrolled
from shared_apps.accounts.models import Role
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.signing_in import second_factor
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.backoffice.access import (
    StaffRequest,
    is_unprotected,
    must_be_protected,
    screen,
    staff_required,
)
from tenant_apps.backoffice.forms.account import CodeForm
from tenant_apps.backoffice.views.account.proof import proven, wanted
from tenant_apps.townhall.queries import current_townhall


@require_safe
@staff_required(Role.READER, unprotected=True, in_person=True)
@proven
def protect(request: StaffRequest) -> HttpResponse:
    """Why, and which of the two ways."""
    suite = wanted(request)
    if not is_unprotected(request):
        return redirect(suite or "backoffice:account")
    must = must_be_protected(request.user)
    return screen(request, "account/protect.html", section="account", suite=suite, must=must)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.READER, unprotected=True, in_person=True)
@proven
def application(request: StaffRequest) -> HttpResponse:
    """Scan the QR code or type the secret, confirm with a code, then the recovery codes, shown once."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    refused: AccountError | None = None
    try:
        secret = second_factor.begin(account=request.user)
        if request.method == "POST" and form.is_valid():
            codes = second_factor.confirm(account=request.user, code=form.cleaned_data["code"])
            steps.note_passed(request, request.user)
            return codes_screen(request, codes, done=_("Votre compte est protégé."))
    except AlreadyEnrolled:
        return redirect("backoffice:account")
    except AccountError as error:
        form.add_error("code", str(error))
        refused = error
    return marked(_application_page(request, form, secret), refused)


def _application_page(request: StaffRequest, form: CodeForm, secret: str) -> HttpResponse:
    address = second_factor.address_for_app(account=request.user, secret=secret)
    return screen(
        request,
        "account/application.html",
        section="account",
        status=422 if form.errors else 200,
        form=form,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        address=address,
        picture=second_factor.picture(address),
        suite=wanted(request),
    )


@require_POST
@staff_required(Role.READER, in_person=True)
@proven
def remove_application(request: StaffRequest) -> HttpResponse:
    """« Retirer l'application »."""
    must = must_be_protected(request.user)
    try:
        second_factor.remove_application(actor=request.user, must_keep_one=must)
        messages.success(request, _("L'application de codes est retirée."))
    except AccountError as error:
        messages.error(request, str(error))
    return redirect("backoffice:account")


@require_POST
@staff_required(Role.READER, in_person=True)
@proven
def renew_codes(request: StaffRequest) -> HttpResponse:
    """Ten new recovery codes, shown once; the old ones stop working."""
    try:
        codes = second_factor.replace_recovery_codes(actor=request.user)
    except AccountError:  # the last second factor was removed meanwhile
        return redirect("backoffice:account")
    done = _("Vos anciens codes de secours ne servent plus. Voici les nouveaux.")
    return codes_screen(request, codes, done=done)


def codes_screen(request: StaffRequest, codes: list[str], *, done: str) -> HttpResponse:
    """The codes, this once, to print or to keep as a file, and the way on."""
    title = _("Codes de secours de %(email)s – %(town)s") % {
        "email": request.user.email,
        "town": current_townhall().name,
    }
    file = "\r\n".join([title, "", *codes, ""])
    return screen(
        request,
        "account/codes.html",
        section="account",
        codes=codes,
        done=done,
        file=f"data:text/plain;charset=utf-8,{quote(file)}",
        onwards=wanted(request) or reverse("backoffice:account"),
    )
