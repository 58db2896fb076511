"""Staff sign in through the town's provider (ProConnect, or its own), or accept their invitation with it.

It is the first step only: whoever has a second factor is asked for it. Nobody is found by an e-mail address; whoever
is not linked yet links the account in « Mon compte », or opens it with the invitation (decision 67).
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shared_apps.accounts.models import Account
from shared_apps.accounts.signing_in.identities import account_of, join_with_identity
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.accounts.signing_in.openid.attempts import Attempt, Pending
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.exchange import Identity
from tenant_apps.portal.access import next_page
from tenant_apps.portal.openid import road
from tenant_apps.portal.openid.words import taken
from tenant_apps.townhall.identity_provider import IdentityProvider

STAFF = Audience.STAFF


@require_GET
@road.with_provider(STAFF)
def start(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Redirect to the provider: to sign in, to link the account of who is signed in, or to join (`?invitation`)."""
    joins = "invitation" in request.GET and "lien" in request.session
    account = "" if joins else road.who_is_here(request)
    suite = next_page(request, default="")
    return road.set_out(request, provider, suite=suite, account=account, joins=joins)


@require_GET
@road.with_provider(STAFF)
def come_back(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """The return from the provider."""
    attempt, who = road.came_back(request, provider)
    account = account_of(issuer=who.issuer, subject=who.subject, audience=STAFF)
    if attempt.account or attempt.joins:
        return _to_link(request, provider, attempt, who, account)
    if account is None:
        return _unknown(request, provider, who)
    return road.enter(request, account, who, attempt.suite or reverse("backoffice:home"))


def _to_link(
    request: HttpRequest, provider: IdentityProvider, attempt: Attempt, who: Identity, known: Account | None
) -> HttpResponse:
    """On to the page that shows whom the provider recognised: several people may share the browser."""
    if known is not None and (attempt.joins or known != request.user):
        return road.problem_page(request, provider, taken(provider.label))
    if known is not None:
        messages.info(request, _("%(label)s est déjà relié à votre compte.") % {"label": provider.label})
        return redirect("backoffice:own-provider")
    attempts.keep_pending(request.session, Pending(who, attempt.suite, STAFF))
    if not road.who_is_here(request):  # no name stays in the session of a person who gives up
        request.session.set_expiry(attempts.LINKING)
    return redirect("portal:link" if attempt.joins else "backoffice:own-provider")


def _unknown(request: HttpRequest, provider: IdentityProvider, who: Identity) -> HttpResponse:
    """The same words whether the address is one of the team's or not: nothing is compared."""
    onwards = road.provider_sign_out(who.id_token, who.end_session)
    context = {"provider": provider, "identity": who, "onwards": onwards}
    return render(request, "portal/staff_openid_unknown.html", context, status=403)


def recognised(request: HttpRequest) -> tuple[IdentityProvider | None, Pending | None]:
    """The provider that is offered to staff, and whom it has just recognised, in this browser."""
    provider = road.offered(STAFF)
    return provider, attempts.pending(request.session, provider.issuer, STAFF) if provider else None


def invitation(request: HttpRequest) -> dict[str, object]:
    """What the page of an invitation shows of that."""
    provider, pending = recognised(request)
    onwards = (
        road.provider_sign_out(pending.identity.id_token, pending.identity.end_session) if pending else ""
    )
    return {"staff_provider": provider, "recognised": pending, "onwards": onwards}


def join(request: HttpRequest, provider: IdentityProvider, pending: Pending, token: str) -> HttpResponse:
    """« Ouvrir mon compte » of an invitation, without a password. Raises the link errors or IdentityTaken."""
    who = pending.identity
    account = join_with_identity(token=token, issuer=who.issuer, subject=who.subject, label=provider.label)
    del request.session["lien"]
    messages.success(request, _("Bienvenue : votre compte est ouvert."))
    return road.enter(request, account, who, reverse("backoffice:home"))
