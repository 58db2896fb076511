"""The passkeys of a member of staff: add, rename, remove."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.signing_in import passkeys
from tenant_apps.backoffice.access import StaffRequest, found, must_be_protected, screen, staff_required
from tenant_apps.backoffice.forms.account import KeyNameForm
from tenant_apps.backoffice.views.account.proof import proven, wanted
from tenant_apps.backoffice.views.account.protection import codes_screen


@require_POST
@staff_required(Role.READER, unprotected=True, in_person=True)
def ask_to_add(request: StaffRequest) -> HttpResponse:
    """For the script: what `navigator.credentials.create` wants, or why not."""
    place = passkeys.place_of(request)
    try:
        return JsonResponse(passkeys.ask_to_add(actor=request.user, place=place, session=request.session))
    except AccountError as error:
        return JsonResponse({"problem": str(error)}, status=422)


@require_POST
@staff_required(Role.READER, unprotected=True, in_person=True)
def add_key(request: StaffRequest) -> HttpResponse:
    """What the browser answered. With the first second factor come the recovery codes, shown once."""
    try:
        codes = _add(request)
    except AccountError as error:
        messages.error(request, str(error))
        return redirect("backoffice:account" if request.user.second_factor_at else "backoffice:protect")
    done = _("La clé d'accès est ajoutée. Vous pouvez vous connecter avec elle.")
    if codes:
        return codes_screen(request, codes, done=done)
    messages.success(request, done)
    return redirect(wanted(request) or reverse("backoffice:account"))


def _add(request: StaffRequest) -> list[str]:
    """The recovery codes, if the account had none. Raises AccountError."""
    place = passkeys.place_of(request)
    new = passkeys.read_new_key(place=place, session=request.session, answer=request.POST.get("answer", ""))
    agent = request.META.get("HTTP_USER_AGENT", "")
    codes = passkeys.add_staff_key(actor=request.user, place=place, new=new, user_agent=agent)
    steps.note_passed(request, request.user)
    return codes


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.READER, in_person=True)
def key_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One key: its name, and taking it away."""
    key = found(passkeys.key_of, request.user, public_id)
    form = KeyNameForm(request.POST if request.method == "POST" else None, initial={"name": key.name})
    if form.is_valid():
        passkeys.rename_key(actor=request.user, key=key, name=form.cleaned_data["name"])
        messages.success(request, _("Le nom de la clé est enregistré."))
        return redirect("backoffice:account")
    status = 422 if form.errors else 200
    return screen(request, "account/key.html", section="account", status=status, key=key, form=form)


@require_POST
@staff_required(Role.READER, in_person=True)
@proven
def remove_key(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Retirer cette clé »."""
    key, must = found(passkeys.key_of, request.user, public_id), must_be_protected(request.user)
    try:
        passkeys.remove_staff_key(actor=request.user, key=key, must_keep_one=must)
        messages.success(request, _("La clé d'accès est retirée : elle ne permet plus de se connecter."))
    except AccountError as error:
        messages.error(request, str(error))
    return redirect("backoffice:account")
