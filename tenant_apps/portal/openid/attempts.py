"""What a person's session remembers while they are at the town's OpenID provider, and once they are back."""

import time
from dataclasses import asdict, dataclass

from django.contrib.sessions.backends.base import SessionBase

from shared_apps.accounts.signing_in.openid.errors import AttemptExpired, AttemptUnknown
from shared_apps.accounts.signing_in.openid.exchange import Identity, Way
from shared_apps.accounts.throttling import throttle

LIFE = 20 * 60  # seconds to sign in over there
LINKING = 60 * 60  # and to link, which may need a message of activation first
MOST = 5  # attempts at once: tabs that were left open
_ATTEMPTS, _PENDING, _CAME_BY = "openid", "openid_pending", "openid_session"


@dataclass(frozen=True)
class Attempt:
    """One way out. `account` is the uuid of whoever was signed in, who links; empty for who signs in."""

    way: Way
    suite: str
    account: str


@dataclass(frozen=True)
class Pending:
    """Somebody the provider has proven, whose account is not known yet."""

    identity: Identity
    suite: str


def remember(session: SessionBase, attempt: Attempt) -> None:
    """Until they come back with its state."""
    kept = sorted(session.get(_ATTEMPTS, {}).items(), key=lambda pair: pair[1]["at"])[1 - MOST :]
    session[_ATTEMPTS] = {**dict(kept), attempt.way.state: {**asdict(attempt), "at": time.time()}}


def take(session: SessionBase, state: str) -> Attempt:
    """The attempt of that state, once. Raises AttemptUnknown or AttemptExpired."""
    attempts = session.get(_ATTEMPTS, {})
    one = attempts.pop(state, None)
    if one is None:
        raise AttemptUnknown("no attempt of this session has that state")
    session[_ATTEMPTS] = attempts
    if not throttle.first_in("openid-state", state, LIFE):  # two requests at once read the same session
        raise AttemptUnknown("this state has served")
    if one["at"] < time.time() - LIFE:
        raise AttemptExpired("too late")
    return Attempt(way=Way(**one["way"]), suite=one["suite"], account=one["account"])


def keep_pending(session: SessionBase, pending: Pending) -> None:
    """Until they have shown which account is theirs."""
    session[_PENDING] = {**asdict(pending), "at": time.time()}


def pending(session: SessionBase, issuer: str) -> Pending | None:
    """Who waits to be linked, proven by that issuer less than `LINKING` ago."""
    one = session.get(_PENDING)
    if not one or one["at"] < time.time() - LINKING or one["identity"]["issuer"] != issuer:
        return None
    return Pending(identity=Identity(**one["identity"]), suite=one["suite"])


def drop_pending(session: SessionBase) -> None:
    """Linked, or given up."""
    session.pop(_PENDING, None)


def came_by(session: SessionBase, identity: Identity) -> None:
    """This session was opened by the provider, whose own is ended with it."""
    session[_CAME_BY] = {"id_token": identity.id_token, "end_session": identity.end_session}


def where_from(session: SessionBase) -> tuple[str, str]:
    """The ID token and the address that ends the provider's session; empty for a session opened by a password."""
    one = session.get(_CAME_BY, {})
    return one.get("id_token", ""), one.get("end_session", "")
