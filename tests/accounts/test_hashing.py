"""One hash at a time in a process; parameters of today; the same number of hashes whatever is known."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial, partialmethod

import pytest
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    identify_hasher,
    make_password,
)
from django.test import Client

from sandbox.home import REPOSITORY
from shared_apps.accounts import errors, services
from shared_apps.accounts.models import Account, Link
from shared_apps.accounts.passwords import hashing
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.throttling import limits
from tenant_apps.residents import activation as residents
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.races import at_once
from tests.residents.mails import lien
from tests.throttling import tries_of

EMAIL, IP = "alice@example.net", "192.0.2.1"
NEW = "un tout autre mot de passe"
Accounts = Callable[..., Account]


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hashed, by which act."""
    seen: list[str] = []
    for act in ("encode", "verify"):
        plain = getattr(Argon2PasswordHasher, act)

        def counted(
            self: object, *given: str, plain: Callable[..., object] = plain, act: str = act
        ) -> object:
            seen.append(act)
            return plain(self, *given)

        monkeypatch.setattr(Argon2PasswordHasher, act, counted)
    return seen


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody else's hash takes very long."""
    monkeypatch.setattr(hashing, "PATIENCE", 0.05)
    with hashing._turn:
        yield


def old_hash(password: str) -> str:
    """Of Django's own parameters, which were ours."""
    hasher = Argon2PasswordHasher()
    return hasher.encode(password, hasher.salt())


def test_the_parameters_are_owasp_s(town: Town) -> None:
    assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_one_at_a_time_whoever_asks(
    live_town: Town, make_account: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "PATIENCE", 60)  # a busy machine is no reason
    inside, most, lock = 0, 0, threading.Lock()
    accounts = [make_account(f"person{n}@example.net") for n in range(8)]

    def watched(self: object, *given: str, plain: Callable[..., object]) -> object:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        try:
            return plain(self, *given)
        finally:
            with lock:
                inside -= 1

    for act in ("encode", "verify"):
        plain = getattr(Argon2PasswordHasher, act)
        monkeypatch.setattr(Argon2PasswordHasher, act, partialmethod(watched, plain=plain))
    check, rule = services.check_credentials, PasswordRule()
    acts: list[Callable[[], object]] = [
        *(partial(check, email=one.email, password=PASSWORD, ip=IP) for one in accounts),
        *(partial(check, email="nobody@example.net", password="x", ip=f"192.0.2.{n}") for n in range(4)),
        *(
            partial(services.change_password, actor=one, current=PASSWORD, new=NEW, rule=rule)
            for one in accounts[:4]
        ),
        *[partial(make_password, PASSWORD)] * 4,
    ]
    raised = at_once(live_town, *acts)
    assert {type(error) for error in raised} <= {errors.WrongCredentials}
    assert most == 1


def test_an_unknown_address_costs_as_many_hashes(
    town: Town, make_account: Accounts, hashes: list[str]
) -> None:
    """Known, unknown, never activated, closed: one hash each, whatever the password."""
    make_account(EMAIL)
    make_account("waits@example.net", password=None)
    closed = make_account("closed@example.net")
    closed.is_active = False
    closed.save()
    for email, password in [
        (EMAIL, "faux"),
        (EMAIL, PASSWORD),
        ("nobody@example.net", "faux"),
        ("waits@example.net", "faux"),
        ("closed@example.net", PASSWORD),
        ("closed@example.net", "faux"),
    ]:
        hashes.clear()
        with suppress(errors.WrongCredentials):
            services.check_credentials(email=email, password=password, ip=IP)
        assert len(hashes) == 1, (email, password)


def test_an_old_hash_is_made_again_at_sign_in(
    alice: Account, client_for: Callable[..., Client], hashes: list[str]
) -> None:
    old = old_hash(PASSWORD)
    assert "m=102400,t=2,p=8" in old
    Account.objects.filter(pk=alice.pk).update(password=old)
    with pytest.raises(errors.WrongCredentials):
        services.check_credentials(email=EMAIL, password="faux", ip=IP)
    assert Account.objects.get(pk=alice.pk).password == old
    client = client_for()
    assert client.post("/", {"email": EMAIL, "password": PASSWORD}).status_code == 302
    alice.refresh_from_db()
    assert not identify_hasher(alice.password).must_update(alice.password)
    assert client.get("/factures/").status_code == 200  # this session is of the new hash
    hashes.clear()
    assert services.check_credentials(email=EMAIL, password=PASSWORD, ip=IP) == alice
    assert hashes == ["verify"]


def test_a_password_changed_meanwhile_is_not_undone(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one is being checked while its owner chooses another."""
    from shared_apps.accounts import backends

    Account.objects.filter(pk=alice.pk).update(password=old_hash(PASSWORD))
    chosen = make_password(NEW)

    def slowly(password: str) -> str:
        Account.objects.filter(pk=alice.pk).update(password=chosen)
        return make_password(password)

    monkeypatch.setattr(backends, "make_password", slowly)
    services.check_credentials(email=EMAIL, password=PASSWORD, ip=IP)
    assert Account.objects.get(pk=alice.pk).password == chosen


def test_inside_a_session_nothing_is_written(alice: Account, client_for: Callable[..., Client]) -> None:
    """A hash that changes ends the session: whoever shows their password there must not be signed out by it."""
    Account.objects.filter(pk=alice.pk).update(password=old_hash(PASSWORD))
    alice.refresh_from_db()
    client = client_for(alice)
    answer = client.post(
        "/mes-informations/", {"quoi": "adresse", "email": "new@example.net", "current": PASSWORD}
    )
    assert answer.status_code == 302
    assert client.get("/factures/").status_code == 200
    assert Link.objects.filter(email="new@example.net").count() == 1


@pytest.fixture
def alice(town: Town, make_account: Accounts) -> Account:
    return make_account(EMAIL)


def test_whoever_gets_no_turn_is_told_and_loses_no_try(
    alice: Account, client_for: Callable[..., Client], busy: None
) -> None:
    for _ in range(limits.TRIES_PER_ACCOUNT + 2):
        page = client_for().post(
            "/?suite=/reglements/", {"email": EMAIL, "password": PASSWORD, "remember": "on"}
        )
        assert (page.status_code, page["Retry-After"]) == (503, "10")
    text = page.content.decode()
    assert "Attendez quelques secondes, puis recommencez" in text
    assert f'value="{EMAIL}"' in text
    assert PASSWORD not in text
    assert 'name="remember"' in text
    assert "checked" in text
    assert "/reglements/" in text
    assert tries_of(limits.PASSWORD, EMAIL) == tries_of(limits.PLACE, "127.0.0.1") == 0


def test_no_turn_inside_a_session(alice: Account, client_for: Callable[..., Client], busy: None) -> None:
    client = client_for(alice)
    address = {"quoi": "adresse", "email": "new@example.net", "current": PASSWORD}
    page = client.post("/mes-informations/", address)
    assert (page.status_code, page["Retry-After"]) == (503, "10")
    assert 'value="new@example.net"' in page.content.decode()
    page = client.post("/mes-informations/", {"quoi": "mot-de-passe", "current": PASSWORD, "new": NEW})
    assert page.status_code == 503
    session = client.session
    session[recent.SESSION_MARK] = 0  # signed in long ago: the password is asked for again
    session.save()
    assert (
        client.post("/mes-informations/mes-donnees/telecharger/", {"password": PASSWORD}).status_code == 503
    )
    alice.refresh_from_db()
    assert not Link.objects.exists()
    assert tries_of(limits.OWN_PASSWORD, str(alice.uuid)) == 0


def test_no_turn_to_choose_a_password_leaves_the_link_alive(
    alice: Account, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    residents.request_reset(email=EMAIL)
    residents.handle_links()
    client = client_for()
    client.get("/", {"LIEN": lien("link-reset", EMAIL)})
    with monkeypatch.context() as patched, hashing._turn:
        patched.setattr(hashing, "PATIENCE", 0.05)
        page = client.post("/lien/", {"password": NEW})
        assert (page.status_code, page["Retry-After"]) == (503, "10")
    assert client.post("/lien/", {"password": NEW}).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_a_refusal_that_no_view_tells_has_a_page(
    alice: Account, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raised(*_: object, **__: object) -> None:
        raise errors.TooBusy

    monkeypatch.setattr(recent, "is_recent", raised)
    page = client_for(alice).get("/mes-informations/mes-donnees/")
    assert (page.status_code, page["Retry-After"]) == (503, "10")
    assert "Un instant" in page.content.decode()


def test_a_hash_gives_its_memory_back() -> None:
    """Each thread of a web process would keep its 19 MiB otherwise. In a process of its own: ours has other memory."""
    program = """
import re, threading
import django
django.setup()
from django.contrib.auth.hashers import make_password
from shared_apps.accounts.passwords import hashing

hashing.PATIENCE = 60

def megabytes():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

make_password("x")
before, stay = megabytes(), threading.Event()
done = [threading.Event() for _ in range(8)]

def hash_twice(mine):
    make_password("x")
    make_password("x")
    mine.set()
    stay.wait(60)

for each in done:
    threading.Thread(target=hash_twice, args=(each,), daemon=True).start()
assert all(each.wait(60) for each in done)
print(megabytes() - before)
"""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
    }
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert float(result.stdout) < 19
