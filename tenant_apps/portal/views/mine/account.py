"""« Mes informations » (docs/manual.md, M12): change the address or the password, sign out everywhere."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AccountError, TooManyOwnTries, WeakPassword, WrongPassword
from shared_apps.accounts.sessions import devices
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.throttling import known_browsers
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import ResidentRequest, resident_required
from tenant_apps.portal.forms import ChangeAddressForm, ChangePasswordForm
from tenant_apps.portal.openid import road
from tenant_apps.residents.account import addresses
from tenant_apps.residents.errors import SameAddress
from tenant_apps.residents.queries import lapsed_accesses_of, payers_of, waiting_access_requests_of
from tenant_apps.townhall.queries import password_rule
from toolkit.forms.plain_forms import PlainForm

FORMS: dict[str, type[PlainForm]] = {
    "adresse": ChangeAddressForm,
    "mot-de-passe": ChangePasswordForm,
}


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def my_details(request: ResidentRequest) -> HttpResponse:
    """« Mes informations »: several small forms on one page, each with its own errors."""
    sent = request.POST.get("quoi", "")
    forms, refused = {name: _form(request, name, sent) for name in FORMS}, None
    if sent in forms and forms[sent].is_valid():
        try:
            _CHANGES[sent](request, forms[sent])
            return redirect("portal:my-details")
        except AccountError as error:
            forms[sent].add_error(_wrong(sent, error), str(error))
            refused = error
    return marked(_page(request, forms, sent), refused)


def _page(request: ResidentRequest, forms: dict[str, PlainForm], sent: str) -> HttpResponse:
    forms["mot-de-passe"].fields["new"].help_text = password_rule().sentence
    bad = forms[sent] if sent in forms and forms[sent].errors else None
    context: dict[str, object] = {"section": "account", "forms": list(forms.values()), "bad_form": bad}
    context["payers"] = payers_of(request.user)
    context["lapsed"] = lapsed_accesses_of(request.user).exists()
    context["waiting_access_requests"] = waiting_access_requests_of(request.user).count()
    context["provider"] = provider = road.offered(Audience.RESIDENTS)
    context["linked"] = provider is not None and provider.opens(request.user)
    context["sessions"] = devices.sessions_of(request.user, request.session)
    return render(request, "portal/my_details.html", context, status=422 if bad else 200)


def _wrong(sent: str, error: AccountError) -> str | None:
    """The name of the field that `error` is about; None for the whole form."""
    if isinstance(error, WrongPassword | TooManyOwnTries):
        return "current"
    if sent == "adresse":
        return "email" if isinstance(error, SameAddress) else None
    return "new" if isinstance(error, WeakPassword) else None


def _form(request: ResidentRequest, name: str, sent: str) -> PlainForm:
    form = FORMS[name](request.POST if name == sent else None, auto_id=f"id_{name}_%s")
    if name == "adresse" and not request.user.has_usable_password():
        del form.fields["current"]
    return form


def _change_address(request: ResidentRequest, form: PlainForm) -> None:
    addresses.request_address_change(
        actor=request.user,
        email=form.cleaned_data["email"],
        password=form.cleaned_data.get("current", ""),
        session=request.session,
    )
    sentence = _("Un message part vers %(email)s : ouvrez son lien pour confirmer votre nouvelle adresse.")
    messages.success(request, sentence % {"email": form.cleaned_data["email"]})


def _change_password(request: ResidentRequest, form: PlainForm) -> None:
    data = form.cleaned_data
    account = accounts.change_password(
        actor=request.user,
        current=data["current"],
        new=data["new"],
        rule=password_rule(),
        device=request.session.get(devices.SESSION_MARK, ""),
    )
    update_session_auth_hash(request, account)  # signs out the other devices, not this one
    known_browsers.opened(request, account)
    messages.success(request, _("Mon mot de passe est changé"))


_CHANGES: dict[str, Callable[[ResidentRequest, PlainForm], None]] = {
    "adresse": _change_address,
    "mot-de-passe": _change_password,
}


@require_POST
@resident_required
def sign_out_everywhere(request: ResidentRequest) -> HttpResponse:
    """« Se déconnecter partout »: every session of the account, this one too."""
    devices.sign_out_everywhere(actor=request.user)
    logout(request)
    messages.success(request, _("Vous êtes déconnecté de tous vos appareils."))
    return redirect("portal:sign-in")
