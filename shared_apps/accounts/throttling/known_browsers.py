"""Browsers that have opened an account before, whose tries are counted apart (decision 43).

Whoever guesses a person's password uses up the tries of everybody about that address: ten wrong ones would shut its
owner out too. So whoever has signed in keeps a cookie, and a browser that shows it has tries of its own. The cookie
opens nothing: the password is asked for all the same.

    appareil=<name of the browser>.<seal of an account>.<seal of another>

A seal covers the account, its password and its sign-outs everywhere: it is void when one of these changes.
"""

import hmac
import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from shared_apps.accounts.models import Account

MOST = 5  # accounts of one browser, the last ones that it opened
LIFE = 365 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")
_OPENED = "_opened_account"  # on a request: whose account it has just opened


def cookie_of(request: HttpRequest) -> str:
    """What the browser shows, as it is: `name_of` judges it."""
    return request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")


def name_of(cookie: str, account: Account) -> str:
    """Who is counted for that cookie at the door of `account`; empty when that browser has not opened it."""
    browser, *seals = cookie.split(".")
    right = _seal(browser, account)
    is_known = any(hmac.compare_digest(seal.encode(), right.encode()) for seal in seals[:MOST])
    return f"{account.uuid}:{browser}" if is_known else ""


def opened(request: HttpRequest | None, account: Account) -> None:
    """This browser has just proven to be the person's: its answer will carry the cookie (`remember`)."""
    if request is not None:
        setattr(request, _OPENED, account)


def signed_in(user: object, request: HttpRequest | None = None, **_: object) -> None:
    """Whatever the road: password, mailed code, key, identity provider."""
    if isinstance(user, Account):
        opened(request, user)


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the cookie to a browser that has opened an account in this request; of this host alone."""
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
