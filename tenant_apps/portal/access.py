"""Who may open a page of the portal. A forbidden page answers exactly like an absent one: 404."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import PasswordNotTaken
from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import devices
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.throttling import known_browsers
from shared_apps.accounts.throttling.throttle import client_address
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoice_for_resident
from tenant_apps.townhall.identity_provider import IdentityProvider, provider_of
from tenant_apps.townhall.queries import current_townhall

__all__ = [
    "ResidentRequest",
    "client_address",
    "next_page",
    "password_not_taken",
    "resident_required",
    "sign_in_checked",
    "with_invoice",
]

View = Callable[..., HttpResponseBase]


class ResidentRequest(HttpRequest):
    """A request that passed `resident_required`: a resident is signed in."""

    user: Account


def resident_required(view: View) -> View:
    """Let a signed-in resident in. Others go to the sign-in page, which leads back here; staff get a 404. Never
    cached.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            response: HttpResponseBase = redirect("/?" + urlencode({"suite": request.get_full_path()}))
        elif request.user.is_town_staff:
            raise Http404
        else:
            assert isinstance(request.user, Account)
            agent = request.META.get("HTTP_USER_AGENT", "")
            devices.slide(account=request.user, session=request.session, user_agent=agent)
            response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, private"
        return response

    return wrapped


def with_invoice(view: View) -> View:
    """`resident_required`, then pass the view the invoice of the address. 404 if this resident may not see it."""

    @wraps(view)
    @resident_required
    def wrapped(request: ResidentRequest, public_id: Any) -> HttpResponseBase:
        try:
            invoice = invoice_for_resident(request.user, public_id)
        except Invoice.DoesNotExist:
            raise Http404 from None
        return view(request, invoice)

    return wrapped


def sign_in_checked(request: HttpRequest, *, email: str, password: str) -> Account:
    """The account of this address and password. Raises WrongCredentials, TooManyTries or TooBusy; and, once the
    password was right, PasswordNotTaken for staff of a town that lets them in by its provider only.
    """
    account = accounts.check_credentials(
        email=email,
        password=password,
        ip=client_address(request),
        browser=known_browsers.cookie_of(request),
    )
    if account.is_town_staff:
        provider = provider_of(current_townhall(), Audience.STAFF)
        if provider.is_required:
            raise password_not_taken(provider)
    return account


def password_not_taken(provider: IdentityProvider) -> PasswordNotTaken:
    """Staff of this town sign in with `provider` only."""
    sentence = _(
        "Dans cette commune, les agents se connectent avec %(label)s, sans mot de passe : utilisez le bouton "
        "« Se connecter avec %(label)s »."
    )
    return PasswordNotTaken(sentence % {"label": provider.label})


def next_page(request: HttpRequest, *, default: str) -> str:
    """Where to go after signing in: `suite` if it is an address of this host, else `default`."""
    wanted = request.POST.get("suite") or request.GET.get("suite") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith("/") else default
