"""Sign in with a code received by mail: what it opens, what the message says, and who may."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import STAFF_ROLES, Account, Link, Role
from shared_apps.accounts.sessions import devices
from shared_apps.accounts.signing_in import codes
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.errors import TooOld
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.services import requeue_mail
from tenant_apps.residents import activation as residents
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payers_of
from tenant_apps.townhall.queries import forget
from tenant_apps.townhall.services import change_townhall
from tenants.models import Town
from tests.accounts.codes import ASK, EMAIL, IP, TYPE, another, ask, browser, code_in, problem
from tests.conftest import PASSWORD

# --- signing in ------------------------------------------------------------------------------------------------------


def test_a_code_signs_in_once(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    before = client.cookies["session"].value
    answer = client.post(TYPE, {"code": f" {code[:3]} {code[3:]} "})
    assert (answer.status_code, answer["Location"]) == (302, "/factures/")
    assert client.cookies["session"].value != before  # a fresh key: whoever planted the old one holds nothing
    assert not Session.objects.filter(session_key=before).exists()
    assert client.get("/factures/").status_code == 200
    (device,) = client.get("/mes-informations/").context["sessions"]
    assert device.is_this_one
    entry = AuditEntry.objects.get(verb="account.code_used")
    assert entry.actor == f"account:{alice.uuid}"
    assert client.get(TYPE)["Location"] == "/"  # signed in: nothing to do here


@pytest.mark.parametrize("typed", ["{}", "{} ", "{0[0]} {0[1]}{0[2]}.{0[3]}-{0[4]}\u202f{0[5]}"])
def test_digits_are_taken_as_people_copy_them(alice: Account, typed: str) -> None:
    client = ask(browser())
    assert client.post(TYPE, {"code": typed.format(code_in())}).status_code == 302


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "9" * 41])
def test_what_is_no_code_costs_no_try(alice: Account, typed: str) -> None:
    client = ask(browser())
    answer = client.post(TYPE, {"code": typed})
    assert answer.context["form"].errors["code"]
    assert Link.objects.get().tries == 0


@pytest.mark.parametrize(("remember", "lasting"), [({"remember": "on"}, True), ({}, False)])
def test_remember_me_and_the_next_page(alice: Account, remember: dict[str, str], lasting: bool) -> None:
    client = ask(browser(), suite="/contact/", **remember)
    page = client.get(TYPE)
    suite = re.findall(r'name="suite" value="([^"]+)"', page.content.decode())
    assert suite
    assert set(suite) == {"/contact/"}
    answer = client.post(TYPE, {"code": code_in(), "suite": suite[0]})
    assert answer["Location"] == "/contact/"
    assert bool(client.cookies["session"]["max-age"]) is lasting


def test_the_next_page_is_of_this_host(alice: Account) -> None:
    client = ask(browser(), suite="https://evil.example/")
    assert client.post(TYPE, {"code": code_in(), "suite": "//evil.example/"})["Location"] == "/factures/"


def test_what_was_typed_on_the_sign_in_page_comes_along(alice: Account) -> None:
    client = browser()
    page = client.get("/?suite=/contact/").content.decode()
    assert 'formaction="/code/"' in page
    sent = {"email": EMAIL, "password": "x", "remember": "on", "suite": "/contact/", "depuis": "connexion"}
    answer = client.post(ASK, sent)
    page = answer.content.decode()
    assert f'value="{EMAIL}"' in page
    assert "checked" in page
    assert 'name="suite" value="/contact/"' in page
    assert "summary-bad" not in client.post(ASK, {"depuis": "connexion"}).content.decode()
    assert not Link.objects.exists()


# --- what the message says, and what is kept -------------------------------------------------------------------------


def test_the_message(alice: Account) -> None:
    ask(browser())
    mail = OutgoingMail.objects.get()
    code = code_in(mail)
    assert (mail.kind, mail.to, mail.secret) == ("code", EMAIL, True)
    assert code not in mail.subject
    for body in (mail.text, mail.html):
        assert body.count(code) == 1
        assert "valable 10 minutes et ne sert qu" in body
        assert "aucun agent de la mairie ne vous le demandera" in body
        assert "a demandé un code pour votre adresse" in body
        assert "LIEN" not in body
        assert not re.search(r"[{}]\s*[%#{}]|[%#]}", body)


def test_the_code_is_kept_as_a_keyed_hash(alice: Account, settings: Any) -> None:
    client = ask(browser())
    code = code_in()
    assert code not in str(list(Link.objects.values("token_hash", "email")))
    assert code not in str(client.session.items())
    settings.SECRET_KEY = "another"  # a stolen table alone does not say which of a million it was
    with pytest.raises(errors.MailedCodeWrong):
        codes.use_code(public_id=Link.objects.get().uuid, code=code, ip=IP)


def test_staff_cannot_send_a_dead_code_again(alice: Account) -> None:
    ask(browser())
    mail = OutgoingMail.objects.get()
    OutgoingMail.objects.update(state="failed", created_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(TooOld):
        requeue_mail(actor="system", mail=mail)


# --- each its own words ----------------------------------------------------------------------------------------------


def test_wrong_then_void(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    for left in (4, 3, 2):
        assert f"Il vous reste {left} essais." in problem(client.post(TYPE, {"code": another(code, left)}))
    assert "Il vous reste 1 essai." in problem(client.post(TYPE, {"code": another(code)}))
    answer = client.post(TYPE, {"code": another(code)})
    assert "Trop d'essais" in problem(answer)
    page = answer.content.decode()
    assert "Recevoir un autre code" in page
    assert 'name="code"' not in page
    assert "Trop d'essais" in problem(client.post(TYPE, {"code": code}))  # the right one, too late
    assert client.get("/factures/").status_code == 302


def test_a_wrong_code_then_the_right_one(alice: Account) -> None:
    client = ask(browser())
    problem(client.post(TYPE, {"code": another(code_in())}))
    assert client.post(TYPE, {"code": code_in()}).status_code == 302


def test_expired(alice: Account) -> None:
    client = ask(browser())
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "plus de 10 minutes" in problem(client.post(TYPE, {"code": code_in()}))
    assert Link.objects.get().used_at is None


def test_it_lives_ten_minutes_from_the_asking(alice: Account) -> None:
    ask(browser())
    link = Link.objects.get()
    assert link.expires_at is not None
    assert abs(link.expires_at - link.requested_at - timedelta(minutes=10)) < timedelta(seconds=2)


def test_used(alice: Account) -> None:
    client = ask(browser())
    code, held = code_in(), client.session["code"]
    client.post(TYPE, {"code": code})
    again = browser()
    again.get("/")
    session = again.session
    session["code"] = held  # as the second of two clicks
    session.save()
    again.cookies["session"] = session.session_key
    assert "a déjà servi" in problem(again.post(TYPE, {"code": code}))


def test_another_code_replaces_the_first_in_this_browser(alice: Account) -> None:
    client = ask(browser())
    first = code_in()
    ask(client)
    second = code_in()
    if first != second:
        assert "celui du dernier message" in problem(client.post(TYPE, {"code": first}))
    assert "J&#x27;ai déjà reçu un code" in client.get(ASK).content.decode().replace("J'", "J&#x27;")
    assert client.post(TYPE, {"code": second}).status_code == 302


def test_nothing_was_asked(town: Town) -> None:
    for answer in (browser().get(TYPE), browser().post(TYPE, {"code": "123456"})):
        assert answer["Location"] == ASK


def test_a_request_that_is_gone_reads_as_expired(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    Link.objects.all().delete()
    assert "plus de 10 minutes" in problem(client.post(TYPE, {"code": code}))


# --- who may ---------------------------------------------------------------------------------------------------------


def test_known_to_billing_but_not_activated_gets_the_link_instead(
    town: Town, make_payer: Callable[..., Payer]
) -> None:
    """A code would leave an account without a password and its payers unseen: the first one is chosen as ever."""
    payer = make_payer(email="nouveau@example.net")
    ask(browser(), "nouveau@example.net")
    mail = OutgoingMail.objects.get()
    assert mail.kind == "link-activation"
    token = re.findall(r"LIEN=(X[0-9a-f]{32})", mail.text)[0]
    account = residents.activate(token=token, password=PASSWORD)
    assert list(payers_of(account)) == [payer]
    ask(browser(), "nouveau@example.net")
    assert code_in()


def test_an_unknown_address_gets_nothing(town: Town) -> None:
    ask(browser(), "stranger@example.net")
    assert not OutgoingMail.objects.exists()
    assert not Account.objects.exists()


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_staff_are_told_once_a_day_that_they_cannot(
    town: Town, make_account: Callable[..., Account], role: Role
) -> None:
    make_account("agent@example.net", role=role)
    for _ in range(2):
        ask(browser(), "agent@example.net")
    mail = OutgoingMail.objects.get()
    assert mail.kind == "no-code"
    assert not re.search(r"\b\d{6}\b", mail.text)
    assert set(Link.objects.values_list("token_hash", flat=True)) == {None}


def test_a_closed_account_gets_nothing(alice: Account) -> None:
    Account.objects.update(is_active=False)
    ask(browser())
    assert not OutgoingMail.objects.exists()


def changed_role(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(role=Role.CLERK)


def closed(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(is_active=False)


def moved(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(email="elsewhere@example.net")


def new_password(account: Account) -> None:
    account.set_password("un tout autre mot")
    account.save()


@pytest.mark.parametrize(
    "act", [changed_role, closed, moved, new_password, lambda one: devices.sign_out_everywhere(actor=one)]
)
def test_what_happens_to_the_account_voids_its_codes(alice: Account, act: Callable[[Account], None]) -> None:
    client = ask(browser())
    code = code_in()
    act(alice)
    problem(client.post(TYPE, {"code": code}))
    assert client.get("/factures/").status_code == 302


def test_a_town_may_refuse_codes(alice: Account, make_account: Any, client_for: Any) -> None:
    client = ask(browser())
    code = code_in()
    asked_before = browser()
    asked_before.post(ASK, {"email": EMAIL})
    manager = client_for(make_account("chef@example.net", role=Role.MANAGER))
    page = manager.get("/gestion/reglages/connexion/")
    sent = {
        name: value or "" for name, value in page.context["form"].initial.items() if name != "mailed_codes"
    }
    assert manager.post("/gestion/reglages/connexion/", sent).status_code == 302
    assert residents.handle_links() == 1
    assert OutgoingMail.objects.filter(kind="code").count() == 1
    forget()  # as the commit does
    assert "/code/" not in browser().get("/").content.decode()
    for answer in (client.get(ASK), client.post(ASK, {"email": EMAIL}), client.get(TYPE)):
        assert answer.status_code == 404
    assert client.post(TYPE, {"code": code}).status_code == 404
    change_townhall(actor="system", mailed_codes=True)
    assert client.post(TYPE, {"code": code}).status_code == 302
