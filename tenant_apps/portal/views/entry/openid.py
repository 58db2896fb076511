"""Residents sign in through the town's OpenID provider (FranceConnect), and link it to an account."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AccountError, NotForStaff
from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.signing_in.identities import account_of
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.accounts.signing_in.openid.attempts import Attempt, Pending
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.errors import AttemptExpired
from shared_apps.accounts.signing_in.openid.exchange import Identity
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import ResidentRequest, next_page, resident_required, sign_in_checked
from tenant_apps.portal.forms import ConfirmForm, LinkForm
from tenant_apps.portal.openid import road
from tenant_apps.portal.openid.words import taken
from tenant_apps.residents.account import identities
from tenant_apps.townhall.identity_provider import IdentityProvider, provider_of
from tenant_apps.townhall.queries import current_townhall

RESIDENTS = Audience.RESIDENTS


def awaited(request: HttpRequest) -> IdentityProvider | None:
    """The provider of a person who has just activated an account and must still link it; or None."""
    found = road.offered(RESIDENTS)
    return found if found and attempts.pending(request.session, found.issuer, RESIDENTS) else None


@require_GET
@road.with_provider(RESIDENTS)
def start(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Redirect to the provider, to sign in; a signed-in person goes there to link their account."""
    suite = next_page(request, default="")
    return road.set_out(request, provider, suite=suite, account=road.who_is_here(request))


@require_GET
@road.with_provider(RESIDENTS)
def come_back(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """The return from the provider."""
    attempt, who = road.came_back(request, provider)
    return _met(request, provider, attempt, who)


def _met(request: HttpRequest, provider: IdentityProvider, attempt: Attempt, who: Identity) -> HttpResponse:
    account = account_of(issuer=who.issuer, subject=who.subject)
    if account is None:
        attempts.keep_pending(request.session, Pending(who, attempt.suite))
        if not road.who_is_here(request):
            # their name does not stay in the session of a person who gives up
            request.session.set_expiry(attempts.LINKING)
        return redirect("portal:openid-link")
    if not attempt.account:
        return _enter(request, account, who, attempt.suite)
    if account != request.user:
        return road.problem_page(request, provider, taken(provider.label))
    messages.info(request, _("%(label)s est déjà relié à votre compte.") % {"label": provider.label})
    return redirect("portal:my-openid")


def _enter(request: HttpRequest, account: Account, who: Identity, suite: str) -> HttpResponse:
    return road.enter(request, account, who, suite or reverse("portal:invoices"))


@require_http_methods(["GET", "HEAD", "POST"])
@road.with_provider(RESIDENTS)
def link(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """« Relier FranceConnect à mon compte »: link the account whose password the person types."""
    pending = attempts.pending(request.session, provider.issuer, RESIDENTS)
    if pending is None:
        raise AttemptExpired("nobody waits to be linked")
    if request.POST.get("quoi") == "annuler":
        return _give_up(request)
    form = (ConfirmForm if road.who_is_here(request) else LinkForm)(request.POST or None)
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
    return redirect("portal:my-openid" if road.who_is_here(request) else "portal:sign-in")


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
        "linked": provider.opens(request.user),
    }
    return render(request, "portal/my_openid.html", context, status=422 if refused else 200)
