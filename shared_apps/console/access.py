"""Who is an operator. The password comes first, then the code; the session gets a mark after both.

The mark names the second factor, so resetting the factor ends the sessions that it opened.
"""

from datetime import datetime, timedelta

from django.contrib.auth import login
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AccountError, ShutOut, TooManyTries, WrongCredentials
from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.accounts.signing_in import second_factor
from shared_apps.accounts.throttling import known_browsers
from shared_apps.accounts.throttling.throttle import client_address
from toolkit import clock

PENDING_LIFE = timedelta(minutes=10)  # between the password and the code
SESSION_LIFE = timedelta(hours=10)  # a working day; the session also ends when the browser closes
_PENDING, _MARK, _NEXT = "pending_operator", "second_factor", "pending_next"


class OperatorRequest(HttpRequest):
    """A request past `Console.admin_view`: an operator with a verified second factor."""

    user: Account


def is_operator(request: HttpRequest) -> bool:
    """Whether this is an active operator whose session was opened with their present second factor."""
    user = request.user
    if not (isinstance(user, Account) and user.is_active and user.role == Role.OPERATOR):
        return False
    factor = second_factor.confirmed(user)
    return factor is not None and request.session.get(_MARK) == str(factor.uuid)


def check_password(request: HttpRequest, *, email: str, password: str) -> Account:
    """The first step: check an operator's password. This opens no session. Raises WrongCredentials or TooManyTries."""
    account = accounts.check_credentials(
        email=email,
        password=password,
        ip=client_address(request),
        browser=known_browsers.cookie_of(request),
    )
    if account.role != Role.OPERATOR:
        raise WrongCredentials
    request.session.flush()
    request.session[_PENDING] = [str(account.uuid), (clock.now() + PENDING_LIFE).isoformat()]
    request.session[_NEXT] = _safe_next(request)
    return account


def in_words(error: AccountError) -> str:
    """The error's sentence. Operators have no page « Mot de passe oublié », so it must not mention one."""
    if isinstance(error, ShutOut):
        return "Trop d'essais. Attendez 15 minutes, ou servez-vous d'un navigateur où vous vous êtes déjà connecté."
    return str(TooManyTries() if isinstance(error, TooManyTries) else error)


def pending(request: HttpRequest) -> Account | None:
    """The operator who gave the right password in this browser and must now give the code."""
    uuid, until = request.session.get(_PENDING) or (None, None)
    if uuid is None or until is None or datetime.fromisoformat(until) <= clock.now():
        return None
    return Account.objects.filter(uuid=uuid, role=Role.OPERATOR, is_active=True).first()


def open_session(request: HttpRequest, *, account: Account, factor: SecondFactor) -> str:
    """Open the session after a right code. Returns the address of the page that the operator asked for."""
    wanted = request.session.get(_NEXT) or "/"
    request.session.flush()
    login(request, account)
    request.session[_MARK] = str(factor.uuid)
    request.session.set_expiry(int(SESSION_LIFE.total_seconds()))
    return str(wanted)


def _safe_next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") else "/"
