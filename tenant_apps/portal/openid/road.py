"""The road to a provider and back, the same for residents and for staff."""

import logging
from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.signing_in.openid import attempts, exchange
from shared_apps.accounts.signing_in.openid.attempts import Attempt
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.discovery import discover
from shared_apps.accounts.signing_in.openid.errors import AttemptUnknown, ProviderError
from shared_apps.accounts.signing_in.openid.exchange import Identity, Way
from shared_apps.accounts.throttling import throttle
from tenant_apps.portal.access import client_address
from tenant_apps.portal.openid.words import Problem, problem
from tenant_apps.townhall.identity_provider import IdentityProvider, provider_of
from tenant_apps.townhall.queries import current_townhall, shown_townhall
from tenants.current import current_town, is_read_only
from tenants.errors import ReadOnly
from tenants.hosts.registry import address_of

STARTS, FAILURES = throttle.Limit("openid", 40), throttle.Limit("openid-bad", 40)  # per IP address
RETURNS = {Audience.RESIDENTS: "/connexion/fc/retour/", Audience.STAFF: "/connexion/agents/retour/"}
log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


def offered(audience: Audience) -> IdentityProvider | None:
    """The provider that the sign-in page offers to `audience`, or None."""
    found = provider_of(shown_townhall(), audience)
    return found if found.is_offered else None


def with_provider(audience: Audience) -> Callable[[View], View]:
    """Pass the view the provider that the town offers to `audience`. 404 without one, and for whoever is signed in as
    one of the others, or in somebody's place. ProviderError has its own page.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest) -> HttpResponse:
            provider = provider_of(current_townhall(), audience)
            if not provider.is_offered or not _may_come(request, audience):
                raise Http404
            if is_read_only():
                raise ReadOnly  # each of these pages is a step of an act that writes
            try:
                response = view(request, provider)
            except ProviderError as error:
                log.warning("openid: %s (%s)", error, type(error).__name__)
                response = problem_page(request, provider, problem(error, provider))
            response["Cache-Control"] = "no-store, private"
            return response

        return wrapped

    return decorate


def _may_come(request: HttpRequest, audience: Audience) -> bool:
    user = request.user
    if not isinstance(user, Account):
        return True
    return user.role in audience.roles and user.impersonated_by is None


def redirect_uri(audience: Audience) -> str:
    """The return address, exactly as the town registered it at the provider."""
    return f"{address_of(current_town())}{RETURNS[audience]}"


def set_out(
    request: HttpRequest, provider: IdentityProvider, *, suite: str, account: str = "", joins: bool = False
) -> HttpResponse:
    """Redirect to the provider. `account`, `joins`: as `Attempt`."""
    throttle.take((STARTS, client_address(request)))
    way = Way.new()
    to = exchange.way_out(
        provider.registration,
        discover(provider.issuer),
        way=way,
        redirect_uri=redirect_uri(provider.audience),
    )
    attempts.remember(request.session, Attempt(way, suite, account, provider.audience, joins))
    return redirect(to)


def came_back(request: HttpRequest, provider: IdentityProvider) -> tuple[Attempt, Identity]:
    """The attempt, and the person whom the provider identified. The address proves nothing: ask the provider, and
    verify its answer. Raises ProviderError.
    """
    with throttle.take((FAILURES, client_address(request))) as tries:
        attempt = attempts.take(request.session, request.GET.get("state", ""), provider.audience)
        if attempt.account and attempt.account != who_is_here(request):
            raise AttemptUnknown("whoever began to link is not who came back")
        who = exchange.identity(
            provider.registration,
            discover(provider.issuer),
            way=attempt.way,
            redirect_uri=redirect_uri(provider.audience),
            answer=request.GET.dict(),
        )
        tries.succeed()
    return attempt, who


def who_is_here(request: HttpRequest) -> str:
    """The uuid of who is signed in; empty for nobody."""
    return str(request.user.uuid) if isinstance(request.user, Account) else ""


def enter(request: HttpRequest, account: Account, who: Identity, suite: str) -> HttpResponse:
    """Whoever proved to be `account` is let in and led on, or asked for the second factor (`steps`)."""
    is_open = steps.enter(request, account, expiry=0, suite=suite)  # until the browser is closed
    attempts.drop_pending(request.session)
    attempts.remember_provider_session(request.session, who)
    return redirect(suite if is_open else "portal:second-step")


def sign_out_of_provider(request: HttpRequest) -> str:
    """Where to redirect at sign-out to end the provider's session too; empty if there is none."""
    id_token, end_session = attempts.provider_session(request.session)
    return provider_sign_out(id_token, end_session)


def provider_sign_out(id_token: str, end_session: str) -> str:
    """The provider's address that ends its session and returns to this portal; empty if it has none."""
    if not (id_token and end_session):
        return ""
    return exchange.sign_out_url(id_token, end_session, back=f"{address_of(current_town())}/")


def problem_page(request: HttpRequest, provider: IdentityProvider, found: Problem) -> HttpResponse:
    """The page of what went wrong, and where to go."""
    of_staff = provider.audience is Audience.STAFF
    context = {
        "problem": found,
        "provider": provider,
        "again": "portal:staff-openid-start" if of_staff else "portal:openid-start",
        "mine": "backoffice:account" if of_staff else "portal:my-openid",
    }
    return render(request, "portal/openid_problem.html", context, status=found.status)
