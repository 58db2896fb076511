"""Has this very session proven lately who holds it? What a stolen telephone must not do asks for that."""

import time
from datetime import timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from shared_apps.accounts import services
from shared_apps.accounts.models import Account

SESSION_MARK = "proven_at"  # in the session: seconds since the epoch
LATELY = timedelta(minutes=30)  # to take one's data away, or ask to be erased
JUST_NOW = timedelta(minutes=10)  # to add a key, which lasts


def signed_in(request: HttpRequest | None = None, **_: object) -> None:
    """Whatever the road (password, mailed link or code, identity provider), signing in is a proof."""
    if request is not None and hasattr(request, "session"):
        note_proof(request.session)


def note_proof(session: SessionBase) -> None:
    """It is the person, now."""
    session[SESSION_MARK] = int(time.time())


def is_recent(session: SessionBase, within: timedelta = LATELY) -> bool:
    """Whether the last proof, here and not elsewhere, is not older than that."""
    return bool(time.time() - session.get(SESSION_MARK, 0) <= within.total_seconds())


def prove(*, actor: Account, password: str, session: SessionBase, ip: str) -> None:
    """The password again. Counted like a sign-in; raises WrongCredentials or TooManyTries."""
    services.check_credentials(email=actor.email, password=password, ip=ip)
    note_proof(session)
