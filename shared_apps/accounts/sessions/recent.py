"""Has this session recently proven who uses it? Acts that a stolen telephone must not allow ask for that."""

import time
from datetime import timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.translation import gettext as _

from shared_apps.accounts import errors, services
from shared_apps.accounts.models import Account

SESSION_MARK = "proven_at"  # in the session: seconds since the epoch
LATELY = timedelta(minutes=30)  # to download one's data, or ask to be erased
JUST_NOW = timedelta(minutes=10)  # to add a passkey, which stays


def signed_in(request: HttpRequest | None = None, **_: object) -> None:
    """Signing in is a proof, whatever the way (password, mailed link or code, identity provider)."""
    if request is not None and hasattr(request, "session"):
        note_proof(request.session)


def note_proof(session: SessionBase) -> None:
    """Note a proof now."""
    session[SESSION_MARK] = int(time.time())


def is_recent(session: SessionBase, within: timedelta = LATELY) -> bool:
    """Whether this session's last proof is not older than that."""
    return bool(time.time() - session.get(SESSION_MARK, 0) <= within.total_seconds())


def prove(*, actor: Account, password: str, session: SessionBase) -> None:
    """Prove with the password. Raises WrongPassword, TooManyTries or TooBusy."""
    services.check_own_password(actor=actor, password=password)
    note_proof(session)


def prove_or_just_signed_in(*, actor: Account, password: str, session: SessionBase) -> None:
    """Prove with the password, or, for an account without one, by having just signed in.

    For acts that a stolen session must not allow. Raises as `prove`, or SignInTooOld.
    """
    if actor.has_usable_password():
        prove(actor=actor, password=password, session=session)
    elif not is_recent(session, JUST_NOW):
        raise errors.SignInTooOld(
            _(
                "Vous êtes connecté depuis plus de dix minutes. Pour votre sécurité, déconnectez-vous, "
                "reconnectez-vous, puis recommencez aussitôt."
            )
        )
