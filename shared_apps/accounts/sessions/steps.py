"""The two steps of signing in for staff: after the first, whatever it was, the second factor is asked for.

A member of staff who has a second factor is nobody until it was given: the session only remembers, for ten minutes,
who passed the first step. Once it was given, the session carries a mark that names this second factor. The back
office reads mark and account on every page, without a statement, so a session opened in any other way opens nothing.
"""

import time
from dataclasses import dataclass
from enum import Enum, auto

from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from shared_apps.accounts.models import Account

PENDING_LIFE = 10 * 60  # seconds between the two steps
SESSION_MARK = "second_step"  # which second factor this session was opened with
_PENDING = "first_step"  # who passed the first step, and what they wanted
_BACKEND = "shared_apps.accounts.backends.EmailBackend"


class StepsPassed(Enum):
    """What a session of a member of staff has shown."""

    WHOLE = auto()  # the second factor was given, or an operator came in with theirs
    UNPROTECTED = auto()  # the account has no second factor
    HALF = auto()  # it has one, which this session has not given


@dataclass(frozen=True)
class Pending:
    """Who passed the first step, how long the session will live (`set_expiry`), and which page was wanted."""

    account: Account
    expiry: int
    suite: str


def steps_passed(account: Account, session: SessionBase) -> StepsPassed:
    """No statement: the account and the session are read already.

    An operator in somebody's place has passed two steps at the console (decision 65).
    """
    if account.impersonated_by is not None:
        return StepsPassed.WHOLE
    if account.second_factor_at is None:
        return StepsPassed.UNPROTECTED
    return StepsPassed.WHOLE if session.get(SESSION_MARK) == _mark(account) else StepsPassed.HALF


def enter(request: HttpRequest, account: Account, *, expiry: int, suite: str, both: bool = False) -> bool:
    """Open the session of whoever proved to be `account`, or keep the first step until the second one.

    `both`: the proof counts as both steps (a passkey). Returns whether the session is open.
    """
    if account.is_town_staff and account.second_factor_at is not None and not both:
        logout(request)  # a new session key, and nobody who was here before
        request.session[_PENDING] = {
            "account": str(account.uuid),
            "until": int(time.time()) + PENDING_LIFE,
            "hash": account.get_session_auth_hash(),
            "expiry": expiry,
            "suite": suite,
        }
        request.session.set_expiry(PENDING_LIFE)
        return False
    _open(request, account, expiry=expiry, both=both)
    return True


def pending(session: SessionBase) -> Pending | None:
    """Who has to give the second factor in this browser. None also once the password changed or ten minutes passed."""
    kept = session.get(_PENDING)
    if kept is None or kept["until"] < time.time():
        return None
    account = Account.objects.filter(uuid=kept["account"], is_active=True).first()
    if account is None or account.get_session_auth_hash() != kept["hash"]:
        return None
    return Pending(account, expiry=kept["expiry"], suite=kept["suite"])


def is_awaited(session: SessionBase) -> bool:
    """Whether somebody has passed the first step here; they may be gone by now. No statement."""
    return _PENDING in session


def give_up(session: SessionBase) -> None:
    """« Utiliser un autre compte »."""
    session.pop(_PENDING, None)


def finish(request: HttpRequest, found: Pending) -> None:
    """Open the session of `found`, who has just given the second factor."""
    give_up(request.session)
    _open(request, found.account, expiry=found.expiry, both=True)


def note_passed(request: HttpRequest, account: Account) -> None:
    """This open session has just given its second factor, or set the first one up: it goes on under a new key."""
    update_session_auth_hash(request, account)
    request.session[SESSION_MARK] = _mark(account)


def _open(request: HttpRequest, account: Account, *, expiry: int, both: bool) -> None:
    login(request, account, backend=_BACKEND)  # a new session key
    request.session.pop(SESSION_MARK, None)
    if both:
        request.session[SESSION_MARK] = _mark(account)
    request.session.set_expiry(expiry)


def _mark(account: Account) -> str:
    return account.second_factor_at.isoformat() if account.second_factor_at else ""
