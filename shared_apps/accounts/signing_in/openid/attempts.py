"""What a session keeps while the person is at the provider, and after they come back."""

import time
from dataclasses import asdict, dataclass

from django.contrib.sessions.backends.base import SessionBase

from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.errors import AttemptExpired, AttemptUnknown
from shared_apps.accounts.signing_in.openid.exchange import Identity, Way
from shared_apps.accounts.throttling import throttle

LIFE = 20 * 60  # seconds to sign in at the provider
LINKING = 60 * 60  # seconds to link; the person may need an activation message first
MOST = 5  # attempts kept per session: a person may leave tabs open
_ATTEMPTS, _PENDING, _PROVIDER_SESSION = "openid", "openid_pending", "openid_session"


@dataclass(frozen=True)
class Attempt:
    """A person sent to the provider of `audience`. `account`: uuid of the signed-in person, who wants to link; empty
    to sign in. `joins`: a new member of staff, whose invitation the session holds.
    """

    way: Way
    suite: str
    account: str
    audience: Audience = Audience.RESIDENTS
    joins: bool = False


@dataclass(frozen=True)
class Pending:
    """A person whom the provider of `audience` identified, and whose account is not known yet."""

    identity: Identity
    suite: str
    audience: Audience = Audience.RESIDENTS


def remember(session: SessionBase, attempt: Attempt) -> None:
    """Keep the attempt in the session, under its state."""
    kept = sorted(session.get(_ATTEMPTS, {}).items(), key=lambda pair: pair[1]["at"])[1 - MOST :]
    session[_ATTEMPTS] = {**dict(kept), attempt.way.state: {**asdict(attempt), "at": time.time()}}


def take(session: SessionBase, state: str, audience: Audience) -> Attempt:
    """Return the attempt of that state and forget it. Raises AttemptUnknown or AttemptExpired."""
    attempts = session.get(_ATTEMPTS, {})
    one = attempts.pop(state, None)
    if one is None:
        raise AttemptUnknown("no attempt of this session has that state")
    session[_ATTEMPTS] = attempts
    if not throttle.first_in("openid-state", state, LIFE):  # two simultaneous requests read the same session
        raise AttemptUnknown("this state has served")
    if one.get("audience", Audience.RESIDENTS) != audience:
        raise AttemptUnknown("the attempt was made with the other provider")
    if one["at"] < time.time() - LIFE:
        raise AttemptExpired("too late")
    return Attempt(Way(**one["way"]), one["suite"], one["account"], audience, one.get("joins", False))


def keep_pending(session: SessionBase, pending: Pending) -> None:
    """Keep this person in the session until they link an account."""
    session[_PENDING] = {**asdict(pending), "at": time.time()}


def pending(session: SessionBase, issuer: str, audience: Audience) -> Pending | None:
    """The person whom `issuer` identified within the last `LINKING` seconds and who has not linked an account; or
    None.
    """
    one = session.get(_PENDING)
    if not one or one["at"] < time.time() - LINKING or one["identity"]["issuer"] != issuer:
        return None
    if one.get("audience", Audience.RESIDENTS) != audience:
        return None
    return Pending(Identity(**one["identity"]), one["suite"], audience)


def drop_pending(session: SessionBase) -> None:
    """Forget the person who waited: they have linked an account, or given up."""
    session.pop(_PENDING, None)


def remember_provider_session(session: SessionBase, identity: Identity) -> None:
    """Keep what signing out needs to end the provider's session too."""
    session[_PROVIDER_SESSION] = {"id_token": identity.id_token, "end_session": identity.end_session}


def provider_session(session: SessionBase) -> tuple[str, str]:
    """(ID token, address that ends the provider's session); both empty when the session began with a password."""
    one = session.get(_PROVIDER_SESSION, {})
    return one.get("id_token", ""), one.get("end_session", "")
