"""Sign in through the town's OpenID provider (FranceConnect), and link it to an account."""

import logging
from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AccountError, NotForStaff
from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.signing_in.identities import account_of
from shared_apps.accounts.signing_in.openid import exchange
from shared_apps.accounts.signing_in.openid.discovery import discover
from shared_apps.accounts.signing_in.openid.errors import AttemptExpired, AttemptUnknown, ProviderError
from shared_apps.accounts.signing_in.openid.exchange import Identity, Way
from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import (
    ResidentRequest,
    client_address,
    next_page,
    resident_required,
    sign_in_checked,
)
from tenant_apps.portal.forms import ConfirmForm, LinkForm
from tenant_apps.portal.openid import attempts
from tenant_apps.portal.openid.attempts import Attempt, Pending
from tenant_apps.portal.openid.words import Problem, problem, taken
from tenant_apps.residents.account import identities
from tenant_apps.townhall.identity_provider import IdentityProvider, provider_of
from tenant_apps.townhall.queries import current_townhall, shown_townhall
from tenants.current import current_town, is_read_only
from tenants.errors import ReadOnly
from tenants.hosts.registry import address_of

STARTS, FAILURES = throttle.Limit("openid", 40), throttle.Limit("openid-bad", 40)  # per IP address
log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


def offered() -> IdentityProvider | None:
    """The provider that the sign-in page offers, or None."""
    found = provider_of(shown_townhall())
    return found if found.is_offered else None


def awaited(request: HttpRequest) -> IdentityProvider | None:
    """The provider of a person who has just activated an account and must still link it; or None."""
    found = offered()
    return found if found and attempts.pending(request.session, found.issuer) else None


def with_provider(view: View) -> View:
    """Pass the view the provider that the town offers. 404 without one, and for staff. ProviderError has its own
    page.
    """

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        provider = provider_of(current_townhall())
        if not provider.is_offered or getattr(request.user, "is_town_staff", False):
            raise Http404
        if is_read_only():
            raise ReadOnly  # each of these pages is a step of an act that writes
        try:
            response = view(request, provider)
        except ProviderError as error:
            log.warning("openid: %s (%s)", error, type(error).__name__)
            response = _problem_page(request, provider, problem(error, provider.label))
        response["Cache-Control"] = "no-store, private"
        return response

    return wrapped


def redirect_uri() -> str:
    """The return address, exactly as the town registered it at the provider."""
    return f"{address_of(current_town())}/connexion/fc/retour/"


@require_GET
@with_provider
def start(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Redirect to the provider, to sign in; a signed-in person goes there to link their account."""
    throttle.take((STARTS, client_address(request)))
    way = Way.new()
    to = exchange.way_out(
        provider.registration, discover(provider.issuer), way=way, redirect_uri=redirect_uri()
    )
    attempts.remember(request.session, Attempt(way, next_page(request, default=""), _who(request)))
    return redirect(to)


@require_GET
@with_provider
def come_back(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """The return from the provider. The address proves nothing: ask the provider, and verify its answer."""
    with throttle.take((FAILURES, client_address(request))) as tries:
        attempt, who = _proven(request, provider)
        tries.succeed()
    return _met(request, provider, attempt, who)


def _proven(request: HttpRequest, provider: IdentityProvider) -> tuple[Attempt, Identity]:
    """The attempt, and the person whom the provider identified. Raises ProviderError."""
    attempt = attempts.take(request.session, request.GET.get("state", ""))
    if attempt.account and attempt.account != _who(request):
        raise AttemptUnknown("whoever began to link is not who came back")
    who = exchange.identity(
        provider.registration,
        discover(provider.issuer),
        way=attempt.way,
        redirect_uri=redirect_uri(),
        answer=request.GET.dict(),
    )
    return attempt, who


def _met(request: HttpRequest, provider: IdentityProvider, attempt: Attempt, who: Identity) -> HttpResponse:
    account = account_of(issuer=who.issuer, subject=who.subject)
    if account is None:
        attempts.keep_pending(request.session, Pending(who, attempt.suite))
        if not _who(request):
            # their name does not stay in the session of a person who gives up
            request.session.set_expiry(attempts.LINKING)
        return redirect("portal:openid-link")
    if not attempt.account:
        return _enter(request, account, who, attempt.suite)
    if account != request.user:
        return _problem_page(request, provider, taken(provider.label))
    messages.info(request, _("%(label)s est déjà relié à votre compte.") % {"label": provider.label})
    return redirect("portal:my-openid")


def _who(request: HttpRequest) -> str:
    return str(request.user.uuid) if isinstance(request.user, Account) else ""


def _enter(request: HttpRequest, account: Account, who: Identity, suite: str) -> HttpResponse:
    to = suite or reverse("portal:invoices")
    is_open = steps.enter(request, account, expiry=0, suite=to)  # until the browser is closed
    attempts.drop_pending(request.session)
    attempts.came_by(request.session, who)
    return redirect(to if is_open else "portal:second-step")


@require_http_methods(["GET", "HEAD", "POST"])
@with_provider
def link(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """« Relier FranceConnect à mon compte »: link the account whose password the person types."""
    pending = attempts.pending(request.session, provider.issuer)
    if pending is None:
        raise AttemptExpired("nobody waits to be linked")
    if request.POST.get("quoi") == "annuler":
        return _give_up(request)
    form = (ConfirmForm if _who(request) else LinkForm)(request.POST or None)
    refused: AccountError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _link(request, provider, pending, **form.cleaned_data)
        except AccountError as error:
            refused = error
    told = str(refused or "")
    context = {"form": form, "problem": told, "provider": provider, "identity": pending.identity}
    page = render(request, "portal/openid_link.html", context, status=422 if form.errors else 200)
    return marked(page, refused)


def _give_up(request: HttpRequest) -> HttpResponse:
    attempts.drop_pending(request.session)
    return redirect("portal:my-openid" if _who(request) else "portal:sign-in")


def _link(
    request: HttpRequest, provider: IdentityProvider, pending: Pending, *, password: str, email: str = ""
) -> HttpResponse:
    """Check the password, link the identity, and sign in. Raises AccountError."""
    was_here = request.user if isinstance(request.user, Account) else None
    if was_here is not None:
        account = accounts.check_own_password(actor=was_here, password=password)
    else:
        account = sign_in_checked(request, email=email, password=password)
    if account.role != Role.RESIDENT:
        raise NotForStaff
    who = pending.identity
    identities.link_identity(actor=account, issuer=who.issuer, subject=who.subject, label=provider.label)
    attempts.drop_pending(request.session)
    response = redirect("portal:my-openid") if was_here else _enter(request, account, who, pending.suite)
    sentence = _(
        "Votre compte est relié à %(label)s : la prochaine fois, un appui suffira pour vous connecter."
    )
    messages.success(request, sentence % {"label": provider.label})
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def my_openid(request: ResidentRequest) -> HttpResponse:
    """In « Mes informations »: show whether the provider is linked; link or unlink it."""
    provider = provider_of(current_townhall())
    if not provider.is_offered:
        raise Http404
    refused = ""
    if request.method == "POST":
        try:
            identities.unlink_identity(actor=request.user, label=provider.label)
            sentence = _("%(label)s n'est plus relié à votre compte.")
            messages.success(request, sentence % {"label": provider.label})
            return redirect("portal:my-openid")
        except AccountError as error:
            refused = str(error)
    context = {
        "section": "account",
        "provider": provider,
        "problem": refused,
        "linked": linked(request.user, provider),
    }
    return render(request, "portal/my_openid.html", context, status=422 if refused else 200)


def linked(account: Account, provider: IdentityProvider) -> bool:
    """Whether the account is linked to this provider."""
    return bool(account.identity_subject) and account.identity_issuer == provider.issuer


def farewell(request: HttpRequest) -> str:
    """Where to redirect at sign-out to end the provider's session too; empty if there is none."""
    id_token, end_session = attempts.where_from(request.session)
    if not (id_token and end_session):
        return ""
    return exchange.way_off(id_token, end_session, back=f"{address_of(current_town())}/")


def _problem_page(request: HttpRequest, provider: IdentityProvider, found: Problem) -> HttpResponse:
    context = {"problem": found, "provider": provider}
    return render(request, "portal/openid_problem.html", context, status=found.status)
