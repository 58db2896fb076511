"""The challenge that a passkey signs: given to one session for one purpose, once, for five minutes."""

import os
import time
from enum import StrEnum

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction

from shared_apps.accounts.errors import ChallengeGone

LIFE = 5 * 60  # seconds


class Purpose(StrEnum):
    """What a challenge is for. It works for that purpose only."""

    ADD = "add"
    SIGN_IN = "sign-in"
    SECOND_STEP = "second-step"


def give(session: SessionBase, purpose: Purpose) -> bytes:
    """Make a new challenge; it replaces the session's previous one."""
    challenge = os.urandom(32)
    session[_mark(purpose)] = {"hex": challenge.hex(), "until": int(time.time()) + LIFE}
    return challenge


def take(session: SessionBase, purpose: Purpose) -> bytes:
    """Return and use up this session's challenge, even if what follows fails. Raises ChallengeGone.

    The request's session may be stale: its row is locked and read again, so that only one of two simultaneous requests
    gets the challenge. Call it outside a transaction that may be rolled back.
    """
    mark = _mark(purpose)
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(session_key=session.session_key).first()
        kept = session.decode(row.session_data) if row is not None else {}
        given = kept.pop(mark, None)
        if row is None or given is None:
            raise ChallengeGone  # and this session is not saved: a sign-in may have deleted it
        row.session_data = session.encode(kept)
        row.save(update_fields=["session_data"])
    session.pop(mark, None)
    if given["until"] < time.time():
        raise ChallengeGone
    return bytes.fromhex(given["hex"])


def _mark(purpose: Purpose) -> str:
    return f"challenge-{purpose}"
