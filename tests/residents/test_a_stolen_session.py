"""Whoever holds somebody's open session, and not their password, does not take the account away."""

import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.test import Client

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link
from shared_apps.accounts.sessions import recent
from tenant_apps.residents.account import addresses

Accounts = Callable[..., Account]


def ask(account: Account, password: str, session: SessionBase) -> None:
    addresses.request_address_change(
        actor=account, email="thief@example.net", password=password, session=session
    )


def test_another_address_wants_the_password_even_just_after_signing_in(
    town: None, make_account: Accounts
) -> None:
    alice, session = make_account("alice@example.net"), SessionBase()
    recent.note_proof(session)
    for guess in ("", "un mot de passe bien court"):
        with pytest.raises(errors.WrongPassword):
            ask(alice, guess, session)
    assert not Link.objects.exists()


def test_without_a_password_only_a_fresh_sign_in_serves(town: None, make_account: Accounts) -> None:
    alice, session = make_account("alice@example.net"), SessionBase()
    alice.set_unusable_password()
    alice.save(update_fields=["password"])
    session[recent.SESSION_MARK] = int(time.time() - recent.JUST_NOW.total_seconds() - 5)
    with pytest.raises(errors.SignInTooOld):
        ask(alice, "", session)
    assert not Link.objects.exists()
    recent.note_proof(session)
    ask(alice, "", session)
    assert Link.objects.count() == 1


def test_a_cookie_kept_from_before_the_sign_out_is_nobody(
    town: None, make_account: Accounts, client_for: Callable[[Account], Client]
) -> None:
    browser, thief = (
        client_for(make_account("alice@example.net")),
        Client(headers={"host": "mairie.localhost"}),
    )
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/mes-informations/").status_code == 200
    assert Session.objects.filter(session_key=key).exists()
    assert browser.post("/deconnexion/").status_code == 302
    assert thief.get("/mes-informations/").status_code == 302
    assert not Session.objects.filter(session_key=key).exists()
