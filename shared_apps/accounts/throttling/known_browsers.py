"""Browsers that have opened an account before; their tries are counted apart (decision 43).

An attacker who guesses a person's password uses up the tries for that address: ten wrong ones would shut the
owner out too. So a browser that has signed in keeps a cookie, and with it has its own tries. The cookie alone
opens nothing: the password is still needed.

    appareil=<name of the browser>.<seal of an account>.<seal of another>

A seal covers the account, its password and its sign-outs everywhere, and is void when one of these changes.
"""

import hmac
import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from shared_apps.accounts.models import Account

MOST = 5  # accounts per browser, the most recent ones
LIFE = 365 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")
_OPENED = "_opened_account"  # attribute of a request: the account that it has just opened


def cookie_of(request: HttpRequest) -> str:
    """The browser's cookie, unchecked: `name_of` checks it."""
    return request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")


def name_of(cookie: str, account: Account) -> str:
    """The name under which tries on `account` are counted for that cookie; empty when that browser never opened it."""
    browser, *seals = cookie.split(".")
    right = _seal(browser, account)
    is_known = any(hmac.compare_digest(seal.encode(), right.encode()) for seal in seals[:MOST])
    return f"{account.uuid}:{browser}" if is_known else ""


def opened(request: HttpRequest | None, account: Account) -> None:
    """Note that this request has opened `account`; `remember` will send the cookie."""
    if request is not None:
        setattr(request, _OPENED, account)


def signed_in(user: object, request: HttpRequest | None = None, **_: object) -> None:
    """Signal handler for every way of signing in: password, mailed code, passkey, provider."""
    if isinstance(user, Account):
        opened(request, user)


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Send the cookie, for this host only, to a browser that has opened an account in this request."""
    account = getattr(request, _OPENED, None)
    if account is None:
        return
    browser, *seals = cookie_of(request).split(".")
    if not _NAME.fullmatch(browser):
        browser, seals = secrets.token_urlsafe(16), []
    seal = _seal(browser, account)
    kept = [seal, *(other for other in seals if other != seal)][:MOST]
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME,
        ".".join([browser, *kept]),
        max_age=LIFE,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def _seal(browser: str, account: Account) -> str:
    value = f"{browser}:{account.uuid}:{account.get_session_auth_hash()}"
    return salted_hmac("accounts.known_browsers", value, algorithm="sha256").hexdigest()[:32]
