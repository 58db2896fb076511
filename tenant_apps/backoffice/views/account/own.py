"""« Mon compte »: the page, the password, and the devices."""

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AccountError, WeakPassword
from shared_apps.accounts.models import Role
from shared_apps.accounts.sessions import devices
from shared_apps.accounts.signing_in import passkeys, second_factor
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.team.services import change_own_name
from shared_apps.accounts.throttling import known_browsers
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.backoffice.access import StaffRequest, must_be_protected, screen, staff_required
from tenant_apps.backoffice.forms.account import OwnNameForm, OwnPasswordForm
from tenant_apps.townhall.identity_provider import provider_of
from tenant_apps.townhall.queries import current_townhall, password_rule


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.READER, in_person=True)
def account_page(request: StaffRequest) -> HttpResponse:
    """What there is about the account; the POST changes the password. Other sessions end, this one stays."""
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _change_password(request, form)
            return redirect("backoffice:account")
        except AccountError as error:
            form.add_error("new" if isinstance(error, WeakPassword) else "current", str(error))
            return marked(_page(request, form, _name_form(request)), error)
    return _page(request, form, _name_form(request))


@require_POST
@staff_required(Role.READER, in_person=True)
def change_name(request: StaffRequest) -> HttpResponse:
    """« Mon nom »."""
    form = OwnNameForm(request.POST)
    if not form.is_valid():
        return _page(request, OwnPasswordForm(), form)
    change_own_name(actor=request.user, name=form.cleaned_data["name"])
    messages.success(request, _("Votre nom est enregistré."))
    return redirect("backoffice:account")


def _name_form(request: StaffRequest) -> OwnNameForm:
    return OwnNameForm(initial={"name": request.user.name})


def _change_password(request: StaffRequest, form: OwnPasswordForm) -> None:
    """Raises AccountError."""
    account = accounts.change_password(
        actor=request.user,
        rule=password_rule(),
        device=request.session.get(devices.SESSION_MARK, ""),
        **form.cleaned_data,
    )
    update_session_auth_hash(request, account)
    known_browsers.opened(request, account)
    messages.success(request, _("Votre mot de passe est changé. Vos autres appareils sont déconnectés."))


def _page(request: StaffRequest, form: OwnPasswordForm, name_form: OwnNameForm) -> HttpResponse:
    form.fields["new"].help_text = password_rule().sentence
    provider = provider_of(current_townhall(), Audience.STAFF)
    linked = provider.opens(request.user)
    return screen(
        request,
        "account/own.html",
        section="account",
        status=422 if form.errors or name_form.errors else 200,
        form=form,
        name_form=name_form,
        bad_form=name_form if name_form.errors else form,
        sessions=devices.sessions_of(request.user, request.session),
        application=second_factor.confirmed(request.user),
        keys=passkeys.keys_of(request.user),
        place=passkeys.place_of(request),
        codes_left=second_factor.recovery_codes_left(request.user),
        must=must_be_protected(request.user),
        provider=provider if provider.is_offered or linked else None,
        linked=linked,
    )


@require_POST
@staff_required(Role.READER, in_person=True)
def sign_out_device(request: StaffRequest, mark: str) -> HttpResponse:
    """« Déconnecter » one of the other devices."""
    is_this_one = mark == request.session.get(devices.SESSION_MARK)
    if is_this_one or not devices.sign_out_device(actor=request.user, mark=mark):
        raise Http404
    messages.success(request, _("Cet appareil est déconnecté."))
    return redirect("backoffice:account")


@require_POST
@staff_required(Role.READER, in_person=True)
def sign_out_everywhere(request: StaffRequest) -> HttpResponse:
    """« Se déconnecter partout », here too."""
    devices.sign_out_everywhere(actor=request.user)
    logout(request)
    messages.success(request, _("Vous êtes déconnecté de tous vos appareils."))
    return redirect("portal:sign-in")
