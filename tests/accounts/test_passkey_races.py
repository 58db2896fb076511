"""A passkey's challenge and its counter when two sign in at once, on connections of their own: one is let in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from shared_apps.accounts import errors
from shared_apps.accounts.models import Role
from shared_apps.accounts.services import create_account
from shared_apps.accounts.signing_in import passkeys, webauthn
from shared_apps.audit.models import AuditEntry
from tenants.hosts.sessions import SessionStore
from tenants.models import Town
from tests.accounts.authenticator import Authenticator
from tests.accounts.test_passkeys import HERE, IP, add, asked


class Narrows:
    """Holds the first of two in the middle of its act until the other is there too, or has shown that it must wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.barrier, real = threading.Barrier(2), getattr(owner, name)

        def slow(*args: Any, **more: Any) -> Any:
            with suppress(threading.BrokenBarrierError):
                self.barrier.wait(1)
            return real(*args, **more)

        monkeypatch.setattr(owner, name, slow)


def winners(town: Town, *tries: tuple[str, str]) -> int:
    """How many of them, each a session's key and an answer, sign in at once on connections of their own."""

    def one(tried: tuple[str, str]) -> bool:
        key, answer = tried
        try:
            with tenant_context(town):
                passkeys.sign_in(place=HERE, session=SessionStore(key), answer=answer, ip=IP)
            return True
        except errors.KeyRefused:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tries)) as pool:
        return sum(pool.map(one, tries))


def test_of_two_at_once_one_wins(live_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """One session and one challenge; no counter would tell them apart."""
    account = create_account(actor="system", email="a@example.net", role=Role.RESIDENT, password="x")
    telephone = Authenticator(counts=False)
    add(account, telephone)
    session, options = asked()
    same = (str(session.session_key), telephone.get(options, HERE.origin))
    Narrows(monkeypatch, SessionStore, "decode")
    assert winners(live_town, same, same) == 1


def test_of_two_equal_counters_one_wins(live_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions at once, with a key and its copy."""
    account = create_account(actor="system", email="a@example.net", role=Role.RESIDENT, password="x")
    telephone = Authenticator()
    add(account, telephone)
    tries = []
    for _ in range(2):
        session, options = asked()
        telephone.count = 1
        tries.append((str(session.session_key), telephone.get(options, HERE.origin)))
    Narrows(monkeypatch, webauthn, "check_assertion")
    assert winners(live_town, *tries) == 1
    assert AuditEntry.objects.filter(verb="account.passkey_refused").count() == 1
