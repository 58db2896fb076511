"""The console opens by password, then code, in that order, and by nothing else."""

import re
import time
from typing import Any

import pyotp
import pytest
from django.core.management import call_command
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.accounts.passwords import hashing
from shared_apps.audit.models import AuditEntry
from tenants.models import Town
from tests.conftest import OPERATOR_SECRET, PASSWORD


@pytest.fixture
def browser(db: None) -> Client:
    return Client(headers={"host": "admin.localhost"})


def code(secret: str = OPERATOR_SECRET) -> str:
    return pyotp.TOTP(secret).at(int(time.time()))


def give_password(
    browser: Client, email: str = "operator@example.net", password: str = PASSWORD, **more: str
) -> Any:
    return browser.post("/login/", {"email": email, "password": password, **more})


def is_inside(browser: Client) -> bool:
    return browser.get("/tenants/town/").status_code == 200


def test_password_then_code(operator: Account, browser: Client) -> None:
    answer = give_password(browser, next="/audit/auditentry/")
    assert answer["Location"] == "/login/code/"
    assert not is_inside(browser)  # the password alone opens nothing
    answer = browser.post("/login/code/", {"code": code()})
    assert answer["Location"] == "/audit/auditentry/"
    assert is_inside(browser)
    assert browser.get("/login/")["Location"] == "/"
    browser.post("/logout/")
    assert not is_inside(browser)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example.org/", "//evil.example.org/", "javascript:alert(1)"]
)
def test_leads_nowhere_else(operator: Account, browser: Client, wanted: str) -> None:
    give_password(browser, next=wanted)
    assert browser.post("/login/code/", {"code": code()})["Location"] == "/"


def test_the_code_is_refused(operator: Account, browser: Client) -> None:
    give_password(browser)
    answer = browser.post("/login/code/", {"code": "000000"})
    assert answer.status_code == 422
    assert "ne convient pas" in answer.content.decode()
    assert not is_inside(browser)


def test_a_code_seen_over_the_shoulder_opens_no_second_session(operator: Account, browser: Client) -> None:
    seen = code()
    give_password(browser)
    browser.post("/login/code/", {"code": seen})
    other = Client(headers={"host": "admin.localhost"})
    give_password(other)
    assert "déjà servi" in other.post("/login/code/", {"code": seen}).content.decode()
    assert not is_inside(other)


def test_no_step_without_the_one_before(operator: Account, browser: Client) -> None:
    for path in ("/login/code/", "/login/second-facteur/"):
        assert browser.get(path)["Location"] == "/login/"
        assert browser.post(path, {"code": code()})["Location"] == "/login/"
    assert not is_inside(browser)


def test_who_is_no_operator_is_told_the_same_as_a_wrong_password(
    operator: Account, browser: Client, make_account: Any, town: Town
) -> None:
    from tenants.current import registry

    with registry():
        make_account("reader@example.net", role=Role.READER)
    answers = [
        give_password(browser, password="faux"),
        give_password(browser, email="reader@example.net"),
        give_password(browser, email="nobody@example.net"),
    ]
    assert {a.status_code for a in answers} == {422}
    assert all("ne correspond pas" in a.content.decode() for a in answers)


def test_a_session_without_the_second_factor_is_nobody(operator: Account, browser: Client) -> None:
    browser.force_login(operator)
    assert browser.get("/tenants/town/").status_code == 302


def test_an_operator_made_inactive_is_out(console: Client, operator: Account) -> None:
    assert is_inside(console)
    Account.objects.filter(pk=operator.pk).update(is_active=False)
    assert not is_inside(console)


def test_a_reset_ends_every_session(console: Client, operator: Account) -> None:
    assert is_inside(console)
    call_command("reset_second_factor", operator.email, "--reason", "Téléphone perdu")
    assert not is_inside(console)


def test_the_first_time_the_second_factor_is_set_up(operator: Account, browser: Client) -> None:
    SecondFactor.objects.all().delete()
    assert give_password(browser)["Location"] == "/login/second-facteur/"
    page = browser.get("/login/second-facteur/").content.decode()
    assert "data:image/svg+xml" in page
    secret = re.search(r'console-key">([A-Z2-7 ]+)<', page)
    assert secret
    assert browser.post("/login/second-facteur/", {"code": "000000"}).status_code == 422
    assert not is_inside(browser)
    page = browser.post("/login/second-facteur/", {"code": code(secret[1].replace(" ", ""))}).content.decode()
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", page)
    assert len(codes) == 10
    assert is_inside(browser)
    other = Client(headers={"host": "admin.localhost"})
    give_password(other)
    assert other.get("/login/second-facteur/")["Location"] == "/login/code/"  # not a second time
    assert other.post("/login/code/", {"code": codes[3]})["Location"] == "/"
    assert "account.recovery_code_used" in set(AuditEntry.objects.values_list("verb", flat=True))


def test_a_town_s_account_of_that_name_opens_nothing(town: Town, make_account: Any, browser: Client) -> None:
    with tenant_context(town):
        make_account("operator@example.net", role=Role.OPERATOR)
    assert give_password(browser).status_code == 422


def test_a_stranger_s_guesses_do_not_shut_out_the_operator_s_browser(
    operator: Account, browser: Client
) -> None:
    give_password(browser)
    browser.post("/login/code/", {"code": code()})
    browser.post("/logout/")
    stranger = Client(headers={"host": "admin.localhost"})
    for _ in range(10):
        assert give_password(stranger, password="faux").status_code == 422
    refused = give_password(stranger)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "servez-vous d&#x27;un navigateur" in refused.content.decode()
    assert "Mot de passe oublié" not in refused.content.decode()  # there is none here
    assert give_password(browser)["Location"] == "/login/code/"


def test_no_turn_to_check_a_password(
    operator: Account, console: Client, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "PATIENCE", 0.05)
    with hashing._turn:
        answers = [
            give_password(browser),
            console.post("/password_change/", {"current": PASSWORD, "new": "le lac gelé en février"}),
        ]
    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert "Attendez quelques secondes" in answer.content.decode()


def test_own_password_and_recovery_codes(console: Client, operator: Account) -> None:
    change = {"current": PASSWORD, "new": "court"}
    assert "12 caractères" in console.post("/password_change/", change).content.decode()
    assert (
        console.post("/password_change/", {**change, "current": "faux", "new": "x" * 12}).status_code == 422
    )
    assert console.post("/password_change/", {**change, "new": "le lac gelé en février"}).status_code == 302
    assert is_inside(console)
    operator.refresh_from_db()
    assert operator.check_password("le lac gelé en février")
    assert console.post("/compte/codes-de-secours/", {"code": "000000"}).status_code == 422
    page = console.post("/compte/codes-de-secours/", {"code": code()}).content.decode()
    assert len(re.findall(r"<code>[a-z0-9]{5}-[a-z0-9]{5}</code>", page)) == 10
