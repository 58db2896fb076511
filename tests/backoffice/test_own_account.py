"""« Mon compte »: password, second factor, passkeys, devices; each with what it refuses."""

import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pyotp
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Passkey, Role, SecondFactor
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.signing_in import second_factor
from shared_apps.audit.models import AuditEntry
from tests.accounts.authenticator import Authenticator
from tests.backoffice.conftest import text
from tests.conftest import PASSWORD
from tests.staff import open_session, protect

PAGE, PROTECT = "/gestion/mon-compte/", "/gestion/mon-compte/protection/"
APPLICATION, KEYS = f"{PAGE}application/", f"{PAGE}cles/"
STEP, ORIGIN = "/connexion/second-facteur/", "http://mairie.localhost"
DESK = {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/132.0 Safari/537.36 Edg/132.0"}


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands still in a test: a step of thirty seconds ends in the middle of none."""
    now = time.time()
    monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: now))


@pytest.fixture
def manager(town: Any, make_account: Callable[..., Account]) -> Account:
    return make_account("chef@example.net", role=Role.MANAGER)


@pytest.fixture
def clerk(town: Any, make_account: Callable[..., Account]) -> Account:
    return make_account("agent@example.net", role=Role.CLERK)


def sign_in(account: Account, **more: str) -> Client:
    """By the sign-in page, with the password."""
    browser = Client(headers={"host": "mairie.localhost", **DESK})
    browser.post("/", {"email": account.email, "password": PASSWORD, **more})
    return browser


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(second_factor.time.time()) + 30 * steps)


def secret_on(page: Any) -> str:
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page.content.decode())
    assert found
    return found[1].replace(" ", "")


def add_key(browser: Client, key: Authenticator, **more: str) -> Any:
    options = browser.post(f"{KEYS}demande/").json()
    return browser.post(KEYS, {"answer": key.create(options, ORIGIN), **more})


def grow_old(browser: Client) -> None:
    """The sign-in of this browser is more than ten minutes old."""
    session = browser.session
    session[recent.SESSION_MARK] -= recent.JUST_NOW.total_seconds() + 1
    session.save()


# --- Enrolment ------------------------------------------------------------------------------------


def test_a_manager_sets_an_application_up_and_goes_on(manager: Account, mailbox: Any) -> None:
    browser, elsewhere = sign_in(manager), sign_in(manager, remember="on")
    assert elsewhere.get("/gestion/").status_code == 200
    answer = browser.get("/gestion/reglages/commune/", follow=True)
    assert answer.redirect_chain == [(f"{PROTECT}?suite=%2Fgestion%2Freglages%2Fcommune%2F", 302)]
    link = re.search(rf'href="({APPLICATION}\?suite=[^"]+)"', answer.content.decode())
    assert link
    page = browser.get(link[1])
    secret = secret_on(page)
    assert secret_on(browser.get(link[1])) == secret  # the page may be opened again
    assert "data:image/svg+xml" in page.content.decode()
    assert "otpauth://" in page.content.decode()
    refused = browser.post(link[1], {"code": "000000", "suite": "/gestion/reglages/commune/"})
    assert refused.status_code == 422
    assert 'name="suite" value="/gestion/reglages/commune/"' in refused.content.decode()
    assert browser.get("/gestion/reglages/commune/").status_code == 302
    done = browser.post(APPLICATION, {"code": code(secret), "suite": "/gestion/reglages/commune/"})
    assert done.status_code == 200
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.content.decode())
    assert len(set(codes)) == 10
    file = re.search(r'href="data:text/plain;charset=utf-8,([^"]+)" download', done.content.decode())
    assert file
    assert all(each in unquote(file[1]) for each in codes)
    assert 'href="/gestion/reglages/commune/"' in done.content.decode()
    assert browser.get("/gestion/reglages/commune/").status_code == 200  # this session gave it
    assert elsewhere.get("/gestion/").status_code == 302  # the other one was opened without
    assert [mail.kind for mail in mailbox()] == ["staff-application-added"]
    assert "/gestion/mon-compte/" in mailbox()[0].text
    assert browser.get(APPLICATION)["Location"] == PAGE
    assert browser.post(APPLICATION, {"code": code(secret, 1)})["Location"] == PAGE

    again = sign_in(manager)
    assert again.get("/gestion/").status_code == 302
    assert again.post(STEP, {"code": codes[0]}).status_code == 302
    assert "Il vous reste 9 codes" in text(again.get(PAGE))


def test_a_passkey_protects_too_and_brings_recovery_codes(manager: Account, mailbox: Any) -> None:
    browser, key = sign_in(manager), Authenticator()
    done = add_key(browser, key, suite="/gestion/reglages/commune/")
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.content.decode())
    assert len(codes) == 10
    assert browser.get("/gestion/reglages/commune/").status_code == 200
    assert [mail.kind for mail in mailbox()] == ["staff-key-added"]
    again = sign_in(manager)
    assert again.get("/gestion/").status_code == 302
    assert again.post(STEP, {"code": codes[3]}).status_code == 302
    second = add_key(browser, Authenticator())
    assert (second.status_code, second["Location"]) == (302, PAGE)  # the codes that remain still serve
    assert SecondFactor.objects.get().confirmed_at is None
    assert not second_factor.is_enrolled(manager)


def test_an_application_beside_a_passkey_replaces_the_codes(manager: Account) -> None:
    browser = sign_in(manager)
    old = re.findall(
        r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", add_key(browser, Authenticator()).content.decode()
    )
    secret = secret_on(browser.get(APPLICATION))
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=manager, code=code(secret))  # shown, and not proven yet
    assert browser.post(APPLICATION, {"code": code(secret)}).status_code == 200
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=manager, code=old[0])
    second_factor.check(account=manager, code=code(secret, 1))


def test_enrolment_wants_a_fresh_proof(manager: Account) -> None:
    browser = sign_in(manager)
    grow_old(browser)
    for path in (PROTECT, APPLICATION):
        answer = browser.get(f"{path}?suite=/gestion/reglages/commune/")
        assert answer["Location"].startswith(f"{PAGE}confirmer/?suite=%2Fgestion%2Fmon-compte%2F")
    assert browser.post(APPLICATION, {"code": "000000"})["Location"].startswith(f"{PAGE}confirmer/")
    answer = browser.post(f"{KEYS}demande/")
    assert answer.status_code == 422
    assert "dix minutes" in answer.json()["problem"]
    wrong = browser.post(f"{PAGE}confirmer/", {"password": "rien", "suite": APPLICATION})
    assert wrong.status_code == 422
    assert browser.post(f"{PAGE}confirmer/", {"password": "", "suite": APPLICATION}).status_code == 422
    for suite, to in ((APPLICATION, APPLICATION), ("https://evil.example/", PAGE), ("", PAGE)):
        assert browser.post(f"{PAGE}confirmer/", {"password": PASSWORD, "suite": suite})["Location"] == to
    assert browser.get(APPLICATION).status_code == 200


def test_guessing_the_first_code_ends(manager: Account) -> None:
    browser = sign_in(manager)
    secret = secret_on(browser.get(APPLICATION))
    for _ in range(second_factor.TRIES):
        assert browser.post(APPLICATION, {"code": "000000"}).status_code == 422
    assert browser.post(APPLICATION, {"code": code(secret)}).status_code == 429
    assert not second_factor.is_enrolled(manager)


# --- What there is already ------------------------------------------------------------------------


def test_a_manager_keeps_one_second_factor(manager: Account, client_for: Any, mailbox: Any) -> None:
    protect(manager)
    browser = client_for(manager)
    page = browser.post(f"{APPLICATION}retrait/", follow=True)
    assert "votre seul second facteur" in text(page)
    assert second_factor.is_enrolled(manager)
    add_key(browser, Authenticator())
    page = browser.post(f"{APPLICATION}retrait/", follow=True)
    assert "L'application de codes est retirée" in text(page)
    key = Passkey.objects.get()
    page = browser.post(f"{KEYS}{key.uuid}/retrait/", follow=True)
    assert "votre seul second facteur" in text(page)
    assert Passkey.objects.exists()
    assert [mail.kind for mail in mailbox()] == ["staff-key-added", "staff-application-removed"]
    assert browser.get("/gestion/reglages/commune/").status_code == 200


def test_a_clerk_may_take_the_last_one_away(clerk: Account, client_for: Any) -> None:
    browser = client_for(clerk)
    secret = secret_on(browser.get(APPLICATION))
    browser.post(APPLICATION, {"code": code(secret)})
    browser.post(f"{APPLICATION}retrait/")
    clerk.refresh_from_db()
    assert clerk.second_factor_at is None
    assert not SecondFactor.objects.exists()  # and no recovery code is left behind
    assert browser.get("/gestion/").status_code == 200
    assert sign_in(clerk).get("/gestion/").status_code == 200


def test_new_recovery_codes_replace_the_old_ones(manager: Account, client_for: Any) -> None:
    secret = protect(manager)
    old = second_factor.replace_recovery_codes(actor=manager)
    browser = client_for(manager)
    page = browser.post(f"{PAGE}codes/")
    new = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", page.content.decode())
    assert len(new) == 10
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=manager, code=old[0])
    second_factor.check(account=manager, code=new[0])
    second_factor.check(account=manager, code=code(secret))
    grow_old(browser)
    assert browser.post(f"{PAGE}codes/")["Location"].startswith(f"{PAGE}confirmer/")


def test_a_key_is_renamed_and_removed(clerk: Account, client_for: Any, mailbox: Any) -> None:
    browser = client_for(clerk)
    add_key(browser, Authenticator())
    key = Passkey.objects.get()
    page = f"{KEYS}{key.uuid}/"
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"name": ""}).status_code == 422
    assert browser.post(page, {"name": "x" * 61}).status_code == 422
    assert "Mon téléphone" in text(browser.post(page, {"name": "Mon téléphone"}, follow=True))
    assert browser.get(f"{page}retrait/").status_code == 405
    assert browser.post(f"{page}retrait/").status_code == 302
    assert browser.post(f"{page}retrait/").status_code == 404
    assert [mail.kind for mail in mailbox()] == ["staff-key-added", "staff-key-removed"]
    clerk.refresh_from_db()
    assert clerk.second_factor_at is None


def test_a_refused_key_is_said(clerk: Account, client_for: Any) -> None:
    browser = client_for(clerk)
    answer = browser.post(KEYS, {"answer": "{}"}, follow=True)
    assert "n'est plus valable" in text(answer) or "n'a pas pu être ajoutée" in text(answer)
    assert not Passkey.objects.exists()


# --- Lost -----------------------------------------------------------------------------------------


def test_another_manager_forgets_a_lost_one(
    manager: Account, clerk: Account, client_for: Any, mailbox: Any
) -> None:
    protect(manager)
    browser = client_for(clerk)
    secret = secret_on(browser.get(APPLICATION))
    browser.post(APPLICATION, {"code": code(secret)})
    add_key(browser, Authenticator())
    clerk.refresh_from_db()
    assert second_factor.forget(actor=manager, account=clerk)
    assert not second_factor.forget(actor=manager, account=clerk)
    assert not Passkey.objects.filter(account=clerk).exists()
    assert browser.get("/gestion/").status_code == 302  # its sessions are over
    assert sign_in(clerk).get("/gestion/").status_code == 200
    assert mailbox()[-1].kind == "staff-factor-forgotten"
    assert [mail.to for mail in mailbox()][-1] == clerk.email
    entry = AuditEntry.objects.filter(verb="account.second_factor_reset").get()
    assert (entry.actor, entry.object) == (manager.audit_name, clerk.audit_name)


def test_from_the_page_of_the_team(manager: Account, clerk: Account, client_for: Any) -> None:
    browser = client_for(manager)
    page = f"/gestion/equipe/{clerk.uuid}/"
    assert "Second facteur perdu" not in text(browser.get(page))  # there is none
    protect(clerk)
    assert "Second facteur perdu" in text(browser.get(page))
    theirs = client_for(clerk)
    answer = browser.post(f"{page}second-facteur/", {"depuis": "fiche"}, follow=True)
    assert "est oublié" in text(answer)
    assert not second_factor.is_enrolled(clerk)
    assert theirs.get("/gestion/").status_code == 302
    answer = browser.post(f"/gestion/equipe/{manager.uuid}/second-facteur/", follow=True)
    assert "Seul un autre responsable" in text(answer)
    assert second_factor.is_enrolled(manager)
    clerk.refresh_from_db()
    assert client_for(clerk).post(f"{page}second-facteur/").status_code == 403


@pytest.mark.parametrize("who", ["oneself", "unprotected", "clerk", "inactive", "of a resident"])
def test_who_may_not_forget(manager: Account, clerk: Account, make_account: Any, who: str) -> None:
    protect(clerk)
    actor, account = manager, clerk
    if who != "unprotected":
        protect(manager)
    if who == "oneself":
        account = manager
    elif who == "clerk":
        actor, account = clerk, manager
    elif who == "inactive":
        manager.is_active = False
    elif who == "of a resident":
        account = make_account("alice@example.net")
    with pytest.raises(errors.MayNotForget):
        second_factor.forget(actor=actor, account=account)
    assert second_factor.is_enrolled(clerk)


# --- Password and devices -------------------------------------------------------------------------


def test_the_password_is_changed_here_and_ends_the_other_sessions(manager: Account) -> None:
    secret = protect(manager)
    here, there = sign_in(manager), sign_in(manager)
    here.post(STEP, {"code": code(secret)})
    there.post(STEP, {"code": code(secret, 1)})
    assert there.get(PAGE).status_code == here.get(PAGE).status_code == 200
    new = "un tout autre mot de passe"
    for current, chosen, words in (
        ("faux", new, "pas votre mot de passe actuel"),
        (PASSWORD, "court", "caractères"),
        ("", new, "Écrivez votre mot de passe actuel"),
    ):
        page = here.post(PAGE, {"current": current, "new": chosen})
        assert page.status_code == 422
        assert words in text(page)
    page = here.post(PAGE, {"current": PASSWORD, "new": new}, follow=True)
    assert "Votre mot de passe est changé" in text(page)
    assert (
        here.get("/gestion/reglages/commune/").status_code == 200
    )  # the second step is not asked again here
    assert there.get(PAGE).status_code == 302


def test_one_device_is_signed_out(clerk: Account) -> None:
    here, there = sign_in(clerk), sign_in(clerk)
    for browser in (there, here):
        browser.get(PAGE)
    clerk.refresh_from_db()
    keys = [browser.session.session_key for browser in (here, there)]
    assert not any(key in str(clerk.devices) for key in keys)  # sealed
    (mark,) = set(clerk.devices) - {here.session["device"]}
    page = here.get(PAGE)
    assert page.content.decode().count("/gestion/mon-compte/appareils/") == 1  # not this one
    assert "Edge sur Windows" in text(page)
    assert here.get(f"{PAGE}appareils/{mark}/").status_code == 405
    for wrong in ("inconnu", here.session["device"]):
        assert here.post(f"{PAGE}appareils/{wrong}/").status_code == 404
    assert here.post(f"{PAGE}appareils/{mark}/").status_code == 302
    assert there.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200
    assert Session.objects.count() == 1
    assert here.post(f"{PAGE}appareils/{mark}/").status_code == 404
    assert AuditEntry.objects.filter(verb="account.device_signed_out").count() == 1


def test_nobody_signs_out_the_device_of_another(clerk: Account, manager: Account, client_for: Any) -> None:
    theirs = sign_in(clerk)
    theirs.get(PAGE)
    mark = theirs.session["device"]
    assert client_for(manager).post(f"{PAGE}appareils/{mark}/").status_code == 404
    assert theirs.get(PAGE).status_code == 200


def test_a_device_is_signed_out_under_the_key_that_it_has_now(clerk: Account) -> None:
    """A change of password gives the session a new key; the list follows."""
    here, there = sign_in(clerk), sign_in(clerk)
    there.get(PAGE)
    new = "un tout autre mot de passe"
    there.post(PAGE, {"current": PASSWORD, "new": new})
    there.get(PAGE)
    here.post("/", {"email": clerk.email, "password": new})
    here.get(PAGE)
    assert here.post(f"{PAGE}appareils/{there.session['device']}/").status_code == 302
    assert there.get(PAGE).status_code == 302


def test_out_everywhere(clerk: Account) -> None:
    here, there = sign_in(clerk), sign_in(clerk)
    assert here.post(f"{PAGE}deconnexion/")["Location"] == "/"
    for browser in (here, there):
        assert browser.get(PAGE).status_code == 302


def test_what_the_page_asks_the_database(manager: Account, client_for: Any) -> None:
    protect(manager)
    browser = client_for(manager)
    browser.get(PAGE)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(PAGE).status_code == 200
    assert len(asked) <= 12, [query["sql"][:120] for query in asked]
    assert not [query for query in asked if query["sql"].startswith(("UPDATE", "INSERT"))]


def test_the_language_is_chosen_here(clerk: Account, client_for: Any) -> None:
    browser = client_for(clerk)
    page = browser.post("/langue/", {"langue": "en", "suite": PAGE, "details": "1"}, follow=True)
    assert "My account" in text(page)
    clerk.refresh_from_db()
    assert clerk.language == "en"


def test_the_page_is_in_the_menu_of_everybody(client_for: Any, make_account: Any, town: Any) -> None:
    for role in (Role.READER, Role.CLERK, Role.MANAGER):
        browser = Client(headers={"host": "mairie.localhost"})
        open_session(browser, make_account(f"{role}@example.net", role=role))
        assert f'href="{PAGE}"' in browser.get("/gestion/").content.decode()


def test_the_name_is_one_s_own_to_change(clerk: Account, client_for: Any) -> None:
    browser = client_for(clerk)
    assert browser.get(f"{PAGE}nom/").status_code == 405
    for wrong in ("", "x" * 81):
        assert browser.post(f"{PAGE}nom/", {"name": wrong}).status_code == 422
    page = browser.post(f"{PAGE}nom/", {"name": " Camille   Martin "}, follow=True)
    assert "Votre nom est enregistré" in text(page)
    browser.post(f"{PAGE}nom/", {"name": "Camille Martin"})
    clerk.refresh_from_db()
    assert clerk.name == "Camille Martin"
    fact = AuditEntry.objects.get(verb="member.changed")
    assert (fact.actor, fact.old, fact.new) == (clerk.audit_name, {"name": ""}, {"name": "Camille Martin"})
