"""Sign in, activate, forgotten password, and the `?LIEN=` pages (docs/manual.md, M1 to M4)."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import (
    AccountError,
    IdentityTaken,
    PasswordNotTaken,
    TeamInvitationDead,
    TooBusy,
    TooManyTries,
    WeakPassword,
)
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.team.joining import join
from shared_apps.accounts.team.queries import inviter_of
from shared_apps.accounts.throttling import known_browsers, limits, throttle
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import client_address, next_page, password_not_taken, sign_in_checked
from tenant_apps.portal.forms import AddressForm, PasswordForm, SignInForm
from tenant_apps.portal.openid import road
from tenant_apps.portal.views.entry import openid, staff_openid
from tenant_apps.portal.views.mine import access_requests
from tenant_apps.residents import activation as residents
from tenant_apps.residents import sharing
from tenant_apps.residents.account import addresses
from tenant_apps.residents.emails.stopping import check_link
from tenant_apps.residents.errors import AddressGone
from tenant_apps.townhall.queries import password_rule

_PAGES = {
    LinkPurpose.ADDRESS: "portal/confirm_address.html",
    LinkPurpose.REGRET: "portal/put_address_back.html",
    LinkPurpose.SHARE: "portal/accept_invitation.html",
    LinkPurpose.TEAM: "portal/join_team.html",
}
THIRTY_DAYS = 30 * 24 * 3600
ASKED = throttle.Limit("link", 20)  # per IP address
BAD_LINKS = throttle.Limit("lien", limits.TRIES_PER_ADDRESS)  # links opened per IP address


@require_http_methods(["GET", "HEAD", "POST"])
def front_door(request: HttpRequest) -> HttpResponse:
    """`/`: the sign-in page, or the page of a `?LIEN=`."""
    token = request.GET.get("LIEN")
    response = open_link(request, token) if token is not None else sign_in(request)
    response["Cache-Control"] = "no-store, private"
    return response


def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in form: show it, and check what was typed."""
    home = "/gestion/" if getattr(request.user, "is_town_staff", False) else "/factures/"
    if request.user.is_authenticated and request.method != "POST":
        return redirect(next_page(request, default=home))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            account = sign_in_checked(request, email=data["email"], password=data["password"])
        except AccountError as error:
            return sign_in_page(request, form, error)
        return signed_in(request, account, remember=data["remember"])
    return sign_in_page(request, form)


def sign_in_page(request: HttpRequest, form: SignInForm, error: AccountError | None = None) -> HttpResponse:
    """The page with every way to sign in, after an error in any of them."""
    context = {
        "form": form,
        "problem": str(error or ""),
        "suite": next_page(request, default=""),
        "provider": road.offered(Audience.RESIDENTS),
        "staff_provider": road.offered(Audience.STAFF),
    }
    return marked(render(request, "portal/sign_in.html", context), error)


def signed_in(
    request: HttpRequest, account: Account, *, remember: bool, both_steps: bool = False
) -> HttpResponse:
    """Whoever proved to be `account` is let in and led on, or asked for the second factor (`steps`)."""
    suite = next_page(request, default="/gestion/" if account.is_town_staff else "/factures/")
    # Thirty days, sliding, or until the browser is closed.
    expiry = THIRTY_DAYS if remember else 0
    is_open = steps.enter(request, account, expiry=expiry, suite=suite, both=both_steps)
    return redirect(suite if is_open else "portal:second-step")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session, and the provider's session if it opened this one."""
    onwards = road.sign_out_of_provider(request)
    logout(request)
    response = render(request, "portal/openid_leaving.html", {"onwards": onwards}) if onwards else None
    messages.success(request, _("Vous êtes déconnecté."))
    return response or redirect("portal:sign-in")


@require_http_methods(["GET", "HEAD", "POST"])
def activation(request: HttpRequest) -> HttpResponse:
    """« Activer mon compte ». Known and unknown addresses get the same answer."""
    return _ask_for_link(request, LinkPurpose.ACTIVATION)


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """« Mot de passe oublié ». Known and unknown addresses get the same answer."""
    return _ask_for_link(request, LinkPurpose.RESET)


def _ask_for_link(request: HttpRequest, purpose: LinkPurpose) -> HttpResponse:
    form = AddressForm(request.POST or None)
    context: dict[str, object] = {"form": form, "purpose": purpose}
    if request.method == "POST" and form.is_valid():
        throttle.take((ASKED, client_address(request)))
        ask = residents.request_activation if purpose == LinkPurpose.ACTIVATION else residents.request_reset
        ask(email=form.cleaned_data["email"])
        return render(request, "portal/link_sent.html", {**context, "email": form.cleaned_data["email"]})
    return render(request, "portal/ask_link.html", context)


def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """`/?LIEN=…`: move the token from the address to the session, without using it up.

    So no browser history holds the secret, and the form's page may send its origin, which the CSRF check needs.
    """
    try:
        with throttle.take((BAD_LINKS, client_address(request))) as tries:
            link = accounts.find_link(token)
            check_link(link)
            tries.succeed()
    except TooManyTries as error:
        response = marked(render(request, "errors/too_many.html"), error)
    except AccountError as error:
        response = _bad_link(request, error)
    else:
        if link.purpose == LinkPurpose.TEAM:
            attempts.drop_pending(request.session)  # of a colleague who sat here before
        request.session["lien"] = token
        response = redirect("portal:link")
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def link_page(request: HttpRequest) -> HttpResponse:
    """A GET shows what the link does; the POST does it and uses the link up."""
    token = request.session.get("lien", "")
    try:
        link = accounts.find_link(token)
        check_link(link)
        if link.purpose == LinkPurpose.ACCESS_REQUEST:
            response = access_requests.confirm(request, link, token)
        elif request.method != "POST":
            response = _show_link(request, link, PasswordForm())
        elif link.purpose == LinkPurpose.ADDRESS:
            account = addresses.confirm_address(token=token)
            response = _done(request, _("Mon adresse est changée"), account.email)
        elif link.purpose == LinkPurpose.SHARE:
            response = _accept_invitation(request, link, token)
        elif link.purpose == LinkPurpose.REGRET:
            response = _put_address_back(request, token)
        elif link.purpose == LinkPurpose.TEAM:
            response = _join_team(request, link, token)
        else:
            response = _choose_password(request, link, token)
    except AccountError as error:
        response = _bad_link(request, error)
    response["Cache-Control"] = "no-store, private"
    return response


def _show_link(
    request: HttpRequest, link: Link, form: PasswordForm, error: AccountError | None = None
) -> HttpResponse:
    form.fields["password"].help_text = password_rule(link.account).sentence
    context: dict[str, object] = {
        "form": form,
        "link": link,
        "problem": "" if form.errors else str(error or ""),
    }
    if link.purpose == LinkPurpose.TEAM:
        context["inviter"], context["role"] = (
            inviter_of(link),
            Role(link.account.role) if link.account else "",
        )
        context.update(staff_openid.invitation(request))
    if link.purpose == LinkPurpose.SHARE:
        context["payer"], context["is_new"] = sharing.what_it_opens(link)
    template = _PAGES.get(LinkPurpose(link.purpose), "portal/choose_password.html")
    return marked(render(request, template, context, status=422 if form.errors else 200), error)


def _accept_invitation(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """Accept an invitation. A person without an active account also chooses a password; others only confirm."""
    _payer, is_new = sharing.what_it_opens(link)
    form = PasswordForm(request.POST)
    if is_new and not form.is_valid():
        return _show_link(request, link, form)
    try:
        sharing.accept_invitation(token=token, password=form.cleaned_data["password"] if is_new else "")
    except (WeakPassword, TooBusy) as error:
        form.add_error("password", str(error))
        return _show_link(request, link, form, error)
    return _done(request, _("L'accès est ouvert"), link.email)


def _put_address_back(request: HttpRequest, token: str) -> HttpResponse:
    undone, new_token = addresses.put_address_back(token=token)
    logout(request)  # in case this session is of the same account: it has ended
    if not new_token:
        return _done(request, _("L'autre compte est fermé"), undone.address)
    request.session["lien"] = new_token
    messages.success(request, _("Votre adresse est rétablie, et tous les appareils sont déconnectés."))
    return redirect("portal:link")


def _join_team(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """A new member of staff, who is signed in at once, with a first password or with whom the provider recognised."""
    provider, pending = staff_openid.recognised(request)
    by_provider = request.POST.get("quoi") == "fournisseur"
    form = PasswordForm(None if by_provider else request.POST)
    try:
        if by_provider and provider and pending:
            return staff_openid.join(request, provider, pending, token)
        if provider and provider.is_required:
            raise password_not_taken(provider)
    except (IdentityTaken, PasswordNotTaken) as error:
        return _show_link(request, link, form, error)
    if not form.is_valid():
        return _show_link(request, link, form)
    try:
        rule = password_rule(link.account)
        account = join(token=token, password=form.cleaned_data["password"], rule=rule)
    except (WeakPassword, TooBusy) as error:
        form.add_error("password", str(error))
        return _show_link(request, link, form, error)
    del request.session["lien"]
    messages.success(request, _("Bienvenue : votre compte est ouvert."))
    return signed_in(request, account, remember=False)


def _choose_password(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _show_link(request, link, form)
    try:
        account = residents.activate(token=token, password=form.cleaned_data["password"])
    except (WeakPassword, TooBusy) as error:
        form.add_error("password", str(error))
        return _show_link(request, link, form, error)
    # wrong passwords that a stranger tried do not block the sign-in that follows
    known_browsers.opened(request, account)
    activated = link.purpose == LinkPurpose.ACTIVATION
    return _done(
        request, _("Mon compte est activé") if activated else _("Mon mot de passe est changé"), link.email
    )


def _done(request: HttpRequest, done: str, email: str) -> HttpResponse:
    request.session.pop("lien", None)
    context = {"done": done, "email": email, "provider": openid.awaited(request)}
    return render(request, "portal/password_done.html", context)


def _bad_link(request: HttpRequest, error: AccountError) -> HttpResponse:
    context = {
        "problem": str(error),
        "address_gone": isinstance(error, AddressGone),
        "of_staff": isinstance(error, TeamInvitationDead),
    }
    return render(request, "portal/link_bad.html", context, status=410)
