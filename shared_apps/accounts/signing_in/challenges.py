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
    """A challenge given for one opens nothing of the other."""

    ADD = "add"
    SIGN_IN = "sign-in"


def give(session: SessionBase, purpose: Purpose) -> bytes:
    """A new challenge, in the place of the one that this session may have had."""
    challenge = os.urandom(32)
    session[_mark(purpose)] = {"hex": challenge.hex(), "until": int(time.time()) + LIFE}
    return challenge


def take(session: SessionBase, purpose: Purpose) -> bytes:
    """The challenge of this session, which is used up even if what follows fails. Raises ChallengeGone.

    What the request loaded may be old: the session's row is locked and read again, so that of two requests at once one
    has it. Call it outside a transaction that may be rolled back.
    """
    mark = _mark(purpose)
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(session_key=session.session_key).first()
        kept = session.decode(row.session_data) if row is not None else {}
        given = kept.pop(mark, None)
        if row is None or given is None:
            raise ChallengeGone  # and this session stays unwritten: it may be gone with a sign-in
        row.session_data = session.encode(kept)
        row.save(update_fields=["session_data"])
    session.pop(mark, None)
    if given["until"] < time.time():
        raise ChallengeGone
    return bytes.fromhex(given["hex"])


def _mark(purpose: Purpose) -> str:
    return f"challenge-{purpose}"
