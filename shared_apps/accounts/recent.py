"""Has this very session proven lately who holds it? What a stolen telephone must not do asks for that."""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from shared_apps.accounts import services
from shared_apps.accounts.models import Account

SESSION_MARK = "proven_at"  # in the session
LATELY = timedelta(minutes=30)


def signed_in(request: HttpRequest | None = None, **_: object) -> None:
    """Whatever the road (password, mailed link or code, identity provider), signing in is a proof."""
    if request is not None and hasattr(request, "session"):
        note_proof(request.session)


def note_proof(session: SessionBase) -> None:
    """It is the person, now."""
    session[SESSION_MARK] = timezone.now().isoformat()


def is_recent(session: SessionBase) -> bool:
    """True within `LATELY` of the last proof."""
    proven = session.get(SESSION_MARK)
    return proven is not None and datetime.fromisoformat(proven) > timezone.now() - LATELY


def prove(*, actor: Account, password: str, session: SessionBase, ip: str) -> None:
    """The password again. Counted like a sign-in; raises WrongCredentials or TooManyTries."""
    services.check_credentials(email=actor.email, password=password, ip=ip)
    note_proof(session)
