"""« Mes clés d'accès » and signing in with one, through the pages."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts.models import Account, Passkey, Role
from shared_apps.accounts.sessions.recent import JUST_NOW, SESSION_MARK
from shared_apps.accounts.signing_in import passkeys
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation
from tenant_apps.residents.account import addresses
from tests.accounts.authenticator import Authenticator
from tests.conftest import PASSWORD
from tests.residents.mails import ask_address
from tests.throttling import at_most

ORIGIN = "http://mairie.localhost"
PAGE, ASK = "/mes-informations/cles/", "/mes-informations/cles/demande/"
SIGN_IN, ASK_SIGN_IN = "/connexion/cle/", "/connexion/cle/demande/"
Clients = Callable[..., Client]


def add(client: Client, key: Authenticator, **more: Any) -> Any:
    options = client.post(ASK).json()
    return client.post(PAGE, {"answer": key.create(options, ORIGIN)}, follow=True, **more)


def sign_in(client: Client, key: Authenticator, **data: str) -> Any:
    options = client.post(ASK_SIGN_IN).json()
    return client.post(SIGN_IN, {"answer": key.get(options, ORIGIN), **data})


@pytest.fixture
def telephone(alice: Account, client_for: Clients) -> Authenticator:
    """Alice's, which holds a key."""
    key = Authenticator()
    add(client_for(alice), key)
    return key


def test_added_used_renamed_removed(alice: Account, client_for: Clients, mailbox: Any) -> None:
    client, telephone = client_for(alice), Authenticator()
    assert "pas encore de clé" in client.get(PAGE).content.decode()
    agent = {"user-agent": "Mozilla/5.0 (Android 14) Firefox/132.0"}
    page = add(client, telephone, headers=agent).content.decode()
    assert "La clé d'accès est ajoutée" in page.replace("&#x27;", "'")
    assert "Firefox sur Android" in page
    assert "jamais utilisée" in page
    (mail,) = mailbox()
    assert (mail.kind, mail.to) == ("key-added", alice.email)
    assert "Firefox sur Android" in mail.text
    assert "/mes-informations/cles/" in mail.text
    assert "Ce n'est pas vous" in mail.text

    visitor = client_for()
    answer = sign_in(visitor, telephone)
    assert (answer.status_code, answer["Location"]) == (302, "/factures/")
    assert visitor.get("/factures/").status_code == 200
    assert ", utilisée le" in " ".join(visitor.get(PAGE).content.decode().split())

    key = Passkey.objects.get()
    page = f"{PAGE}{key.uuid}/"
    assert client.post(page, {"name": ""}).status_code == 422
    assert client.post(page, {"name": "x" * 61}).status_code == 422
    assert "<b>Mon</b>" not in client.post(page, {"name": "<b>Mon</b>"}, follow=True).content.decode()
    assert client.get(f"{page}retrait/").status_code == 405
    assert Passkey.objects.exists()  # looking removes nothing
    answer = client.post(f"{page}retrait/", follow=True)
    assert "Se déconnecter partout" in answer.content.decode()
    assert client.post(f"{page}retrait/").status_code == 404
    assert [mail.kind for mail in mailbox()] == ["key-added", "key-removed"]
    answer = sign_in(client_for(), telephone)
    assert answer.status_code == 422
    assert "pas été reconnue" in answer.content.decode()


def test_remembered_or_not_and_led_back(telephone: Authenticator, client_for: Clients) -> None:
    short, long = client_for(), client_for()
    assert sign_in(short, telephone)["Location"] == "/factures/"
    answer = sign_in(long, telephone, remember="on", suite="/reglements/")
    assert answer["Location"] == "/reglements/"
    assert short.session.get_expire_at_browser_close()
    assert not long.session.get_expire_at_browser_close()
    assert sign_in(client_for(), telephone, suite="https://evil.com/")["Location"] == "/factures/"


def test_the_session_is_another_one(telephone: Authenticator, client_for: Clients) -> None:
    client = client_for()
    options = client.post(ASK_SIGN_IN).json()
    before = client.cookies["session"].value
    answer = telephone.get(options, ORIGIN)
    client.post(SIGN_IN, {"answer": answer})
    assert client.cookies["session"].value != before
    old = client_for()
    old.cookies["session"] = before
    assert old.post(SIGN_IN, {"answer": answer}).status_code == 422  # replayed with the session it was for
    assert old.get("/factures/").status_code == 302


def test_the_words_say_nothing_about_anybody(
    alice: Account, telephone: Authenticator, client_for: Clients
) -> None:
    def words(key: Authenticator, **change: Any) -> str:
        Account.objects.filter(pk=alice.pk).update(**change)
        page = sign_in(client_for(), key).content.decode()
        return re.sub(r'(csrfmiddlewaretoken" value=)"[^"]+"', r"\1", page)

    assert words(Authenticator()) == words(telephone, is_active=False)


def test_a_refusal_leaves_every_other_way_open(client_for: Clients, monkeypatch: Any) -> None:
    monkeypatch.setattr("tenant_apps.portal.openid.road.offered", lambda audience: {"label": audience.name})
    page = sign_in(client_for(), Authenticator(), suite="/reglements/")
    assert page.status_code == 422
    assert page.context["provider"] == {"label": "RESIDENTS"}
    assert page.context["staff_provider"] == {"label": "STAFF"}
    assert page.content.decode().count('name="suite" value="/reglements/"') >= 2


def test_asked_too_often(telephone: Authenticator, client_for: Clients, monkeypatch: Any) -> None:
    monkeypatch.setattr(passkeys, "ASKED", at_most(passkeys.ASKED, 1))
    client = client_for()
    assert client.post(ASK_SIGN_IN).status_code == 200
    answer = client.post(ASK_SIGN_IN)
    assert answer.status_code == 429
    assert "15 minutes" in answer.json()["problem"]


def test_an_old_session_signs_in_again_first(alice: Account, client_for: Clients) -> None:
    client = client_for()
    client.post("/", {"email": alice.email, "password": PASSWORD})
    assert "data-key=" in client.get(PAGE).content.decode()
    session = client.session
    session[SESSION_MARK] -= JUST_NOW.total_seconds() + 1
    session.save()
    page = client.get(PAGE).content.decode()
    assert "Me reconnecter" in page
    assert "data-key=" not in page
    refused = client.post(ASK)
    assert refused.status_code == 422
    assert "Rechargez cette page" in refused.json()["problem"]
    answer = client.post(f"{PAGE}reconnexion/")
    assert client.get(PAGE).status_code == 302
    back = {"email": alice.email, "password": PASSWORD, "suite": PAGE}
    assert answer["Location"] == "/?suite=%2Fmes-informations%2Fcles%2F"
    assert client.post("/", back)["Location"] == PAGE
    assert "data-key=" in client.get(PAGE).content.decode()


def test_a_wrong_answer_is_said(alice: Account, client_for: Clients, mailbox: Any) -> None:
    client = client_for(alice)
    options = client.post(ASK).json()
    answer = client.post(PAGE, {"answer": Authenticator().create(options, "http://evil.localhost")})
    assert answer.status_code == 422
    assert "pas pu être ajoutée" in answer.content.decode()
    again = client.post(PAGE, {"answer": Authenticator().create(options, ORIGIN)})
    assert "déjà servi" in again.content.decode()
    assert client.post(PAGE).status_code == 422
    assert not Passkey.objects.exists()
    assert mailbox() == []


def test_a_key_of_another_address_says_so(alice: Account, client_for: Clients) -> None:
    Passkey.objects.create(
        account=alice, rp_id="factures.example.org", credential_id=b"1", public_key=b"1", name="Ancienne"
    )
    page = client_for(alice).get(PAGE).content.decode()
    assert "factures.example.org" in page
    assert "ne sert que là" in page
    add(client_for(alice), Authenticator())
    assert client_for(alice).get(PAGE).content.decode().count("ne sert que là") == 1


def test_one_statement_for_all_keys(alice: Account, client_for: Clients) -> None:
    client = client_for(alice)
    client.get(PAGE)

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        return len(asked)

    none = statements()
    for n in range(5):
        Passkey.objects.create(
            account=alice, rp_id="x", credential_id=bytes([n]), public_key=b"1", name=f"Clé {n}"
        )
    assert statements() == none


def test_staff_have_theirs_elsewhere(client_for: Clients, alice: Account) -> None:
    """An account that becomes staff keeps its keys, in « Mon compte » of the back office."""
    client, telephone = client_for(alice), Authenticator()
    add(client, telephone)
    Account.objects.filter(pk=alice.pk).update(role=Role.MANAGER)
    for path in (PAGE, ASK):
        assert client.post(path).status_code == 404
    visitor = client_for()
    assert sign_in(visitor, telephone)["Location"] == "/gestion/"
    assert visitor.get("/gestion/reglages/commune/").status_code == 200


def test_without_the_csrf_token(alice: Account) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "mairie.localhost"})
    client.force_login(alice)
    for path in (ASK, PAGE, ASK_SIGN_IN, SIGN_IN):
        assert client.post(path).status_code == 403


def test_a_key_outlives_a_password_and_a_sign_out_everywhere(
    alice: Account, telephone: Authenticator, client_for: Clients
) -> None:
    client = client_for(alice)
    new = "un tout autre mot de passe"
    client.post("/mes-informations/", {"quoi": "mot-de-passe", "current": PASSWORD, "new": new})
    client.post("/mes-informations/deconnexion/")
    activation.request_reset(email=alice.email)
    activation.handle_links()
    mail = OutgoingMail.objects.get(kind="link-reset")
    token = re.findall(r"LIEN=(X[0-9a-f]{32})", mail.text)[0]
    activation.activate(token=token, password="encore un autre bien long")
    assert sign_in(client_for(), telephone).status_code == 302


def test_ce_n_etait_pas_moi_removes_every_key(
    alice: Account, telephone: Authenticator, client_for: Clients, make_account: Any
) -> None:
    """Also the one from before the change: who changed the address may have made it."""
    bob_s = Authenticator()
    add(client_for(make_account("bob@example.net")), bob_s)
    Passkey.objects.filter(account=alice).update(created_at=timezone.now() - timedelta(days=30))
    ask_address(alice, "thief@example.net")
    activation.handle_links()
    asked = OutgoingMail.objects.get(kind="link-address")
    addresses.confirm_address(token=re.findall(r"LIEN=(X[0-9a-f]{32})", asked.text)[0])
    alice.refresh_from_db()
    thief, thief_s = client_for(alice), Authenticator()
    add(thief, thief_s)
    told = OutgoingMail.objects.get(kind="address-changed")
    assert "clés d'accès" in told.text
    addresses.put_address_back(token=re.findall(r"LIEN=(X[0-9a-f]{32})", told.text)[0])
    for key in (telephone, thief_s):
        assert sign_in(client_for(), key).status_code == 422
    assert thief.get(PAGE).status_code == 302
    assert sign_in(client_for(), bob_s).status_code == 302


def test_pages_without_javascript(client_for: Clients, alice: Account) -> None:
    """The forms that need it are hidden, and the page says what is missing."""
    for page in (client_for().get("/"), client_for(alice).get(PAGE)):
        form = re.findall(r"<form[^>]*data-key[^>]*>", page.content.decode())
        assert len(form) == 1
        assert form[0].endswith(" hidden>")
    assert "il faut JavaScript" in page.content.decode()
    assert page["Cache-Control"] == "no-store, private"
    assert json.loads(client_for().post(ASK_SIGN_IN).content)["rpId"] == "mairie.localhost"
