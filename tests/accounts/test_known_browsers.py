"""Ten wrong passwords of a stranger stop the stranger, and not the owner's own browser."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.test import Client, override_settings
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import devices
from shared_apps.accounts.throttling import known_browsers, limits
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation
from tenant_apps.townhall.models import TownHall
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.residents.mails import lien
from toolkit import clock

COOKIE = settings.BROWSER_COOKIE_NAME
EMAIL = "alice@example.net"
NEW = "un tout autre mot de passe"


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account(EMAIL)


def attempt(client: Client, password: str = PASSWORD, *, email: str = EMAIL, ip: str = "192.0.2.1") -> int:
    """The status of the answer: 302 lets in."""
    return client.post("/", {"email": email, "password": password}, REMOTE_ADDR=ip).status_code


def guess(client: Client, *, email: str = EMAIL, times: int = limits.TRIES_PER_ACCOUNT) -> None:
    for n in range(times):
        assert attempt(client, "faux", email=email, ip=f"198.51.100.{n}") == 422
    assert attempt(client, "faux", email=email, ip="198.51.100.99") == 429


@pytest.fixture
def at_home(alice: Account, client_for: Callable[..., Client]) -> Client:
    """A browser where Alice has signed in, and out again."""
    client = client_for()
    assert attempt(client) == 302
    client.post("/deconnexion/")
    assert "_auth_user_id" not in client.session
    return client


def test_a_stranger_shuts_out_strangers_only(at_home: Client, client_for: Callable[..., Client]) -> None:
    stranger = client_for()
    guess(stranger)
    assert attempt(stranger) == 429  # with the right password too
    assert attempt(client_for(), ip="203.0.113.9") == 429  # and Alice herself elsewhere
    assert attempt(at_home) == 302


def test_the_page_says_what_to_do(alice: Account, client_for: Callable[..., Client]) -> None:
    guess(client_for())
    page = client_for().post("/", {"email": EMAIL, "password": PASSWORD})
    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= 15 * 60
    text = page.content.decode()
    assert "Mot de passe oublié » : le lien que vous recevrez par e-mail" in text
    assert EMAIL in text  # typed once


def test_the_mailed_link_lets_in_while_the_stranger_goes_on(
    alice: Account, client_for: Callable[..., Client]
) -> None:
    stranger, elsewhere = client_for(), client_for()
    guess(stranger)
    activation.request_reset(email=EMAIL)
    activation.handle_links()
    elsewhere.get("/", {"LIEN": lien("link-reset", EMAIL)})
    assert elsewhere.post("/lien/", {"password": NEW}).status_code == 200
    guess(stranger)  # at once again
    assert attempt(elsewhere, NEW) == 302


def test_a_known_browser_has_ten_tries_of_its_own(at_home: Client, client_for: Callable[..., Client]) -> None:
    guess(at_home)
    assert attempt(at_home) == 429
    assert attempt(client_for()) == 302  # those of everybody were left alone


def test_a_network_address_that_guesses_does_not_shut_it_out(at_home: Client, town: Town) -> None:
    stranger = Client(headers={"host": "mairie.localhost"})
    for n in range(limits.TRIES_PER_ADDRESS):
        assert attempt(stranger, "faux", email=f"nobody{n}@example.net") == 422
    assert attempt(stranger) == 429
    assert attempt(at_home) == 302


def test_the_cookie_opens_nothing_and_names_nobody(at_home: Client) -> None:
    cookie = at_home.cookies[COOKIE]
    assert at_home.get("/factures/").status_code == 302
    assert attempt(at_home, "faux") == 422
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}\.[0-9a-f]{32}", cookie.value)
    assert (cookie["domain"], cookie["path"], cookie["httponly"], cookie["samesite"]) == (
        "",
        "/",
        True,
        "Lax",
    )
    assert int(cookie["max-age"]) == known_browsers.LIFE


def test_it_is_another_account_s_or_forged(
    at_home: Client, client_for: Callable[..., Client], make_account: Callable[..., Account]
) -> None:
    make_account("bob@example.net")
    bobs = client_for()
    assert attempt(bobs, email="bob@example.net") == 302
    bobs.post("/deconnexion/")
    guess(client_for())
    browser, seal = at_home.cookies[COOKIE].value.split(".")
    forged = [
        bobs.cookies[COOKIE].value,
        f"{bobs.cookies[COOKIE].value.split('.')[0]}.{seal}",  # the seal is of one browser
        f"{browser}.{'0' * 32}",
        f"{browser}.{'é' * 5}",
        browser,
        ".",
        "." * 500,
        signing.dumps("x"),
    ]
    for value in forged:
        client = client_for()
        client.cookies[COOKIE] = value.encode().decode("latin-1")
        assert attempt(client) == 429, value


@pytest.mark.parametrize("act", ["password", "everywhere"])
def test_it_is_void_with_another_password_or_a_sign_out_everywhere(
    alice: Account, at_home: Client, client_for: Callable[..., Client], act: str
) -> None:
    password = PASSWORD
    if act == "everywhere":
        devices.sign_out_everywhere(actor=alice)
    else:
        other, password = client_for(), NEW
        attempt(other)
        data = {"quoi": "mot-de-passe", "current": PASSWORD, "new": NEW}
        assert other.post("/mes-informations/", data).status_code == 302
    guess(client_for())
    assert attempt(at_home, password) == 429
    if act == "password":
        other.post("/deconnexion/")
        assert attempt(other, NEW) == 302  # where it was changed


def test_several_people_of_one_browser(
    at_home: Client, client_for: Callable[..., Client], make_account: Callable[..., Account]
) -> None:
    others = [f"person{n}@example.net" for n in range(known_browsers.MOST - 1)]
    for email in others:
        make_account(email)
        assert attempt(at_home, email=email) == 302
        at_home.post("/deconnexion/")
    for email in (EMAIL, others[0]):
        guess(client_for(), email=email)
        assert attempt(at_home, email=email) == 302
    make_account("one-more@example.net")
    attempt(at_home, email="one-more@example.net")
    assert len(at_home.cookies[COOKIE].value.split(".")) == 1 + known_browsers.MOST


def test_every_way_in_makes_it_known(alice: Account, client_for: Callable[..., Client]) -> None:
    """A code by mail here; keys and identity providers go through the same signal."""
    TownHall.objects.update(mailed_codes=True)
    client = client_for()
    client.post("/code/", {"email": EMAIL})
    activation.handle_links()
    code = re.search(r"\b(\d{3}) ?(\d{3})\b", OutgoingMail.objects.get(kind="code").text)
    assert code
    client.post("/code/saisie/", {"code": "".join(code.groups())})
    assert client.cookies[COOKIE].value
    cache.clear()
    client.post("/deconnexion/")
    guess(client_for())
    assert attempt(client) == 302


def test_the_cookie_of_another_town_is_none_here(
    at_home: Client, other_town: Town, make_account: Callable[..., Account]
) -> None:
    with tenant_context(other_town):
        make_account(EMAIL)
    client = Client(headers={"host": "pechabou.localhost"})
    guess(client)
    client.cookies[COOKIE] = at_home.cookies[COOKIE].value
    assert attempt(client) == 429


def test_without_redis_nobody_is_shut_out(at_home: Client) -> None:
    silent = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    with override_settings(CACHES=silent):
        started = clock.now()
        for _ in range(limits.TRIES_PER_ACCOUNT + 1):
            assert attempt(at_home, "faux") == 422
        assert attempt(at_home) == 302
        assert (clock.now() - started).total_seconds() < 20
