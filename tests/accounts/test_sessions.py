"""Where a person is signed in, and signing out everywhere."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Impersonation
from shared_apps.accounts.sessions import devices
from shared_apps.audit.models import AuditEntry
from tenants.models import Town
from tests.conftest import PASSWORD
from toolkit import browsers

PHONE = "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"
PAGE = "/mes-informations/"


def sign_in(agent: str) -> Client:
    client = Client(headers={"host": "mairie.localhost", "user-agent": agent})
    client.post("/", {"email": "alice@example.net", "password": PASSWORD, "remember": "on"})
    return client


def words(client: Client) -> list[tuple[str, bool]]:
    return [(one.words, one.is_this_one) for one in client.get(PAGE).context["sessions"]]


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (PHONE, ("Firefox", "Android")),
        (DESK, ("Edge", "Windows")),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
            ("Safari", "iPhone"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
            ("Chrome", "Linux"),
        ),
        ("<script>alert(1)</script>", ("", "")),
        ("", ("", "")),
    ],
)
def test_what_is_kept_of_a_browser(agent: str, names: tuple[str, str]) -> None:
    assert browsers.fold(agent) == names


def test_the_list_says_which_is_this_one(alice: Account) -> None:
    phone, desk = sign_in(PHONE), sign_in(DESK)
    assert words(phone) == [("Firefox sur Android", True)]
    assert words(desk) == [("Edge sur Windows", True), ("Firefox sur Android", False)]
    page = desk.get(PAGE).content.decode()
    assert "Se déconnecter partout" in page
    assert page.count("cet appareil") == 1
    alice.refresh_from_db()
    kept = str(alice.devices)
    assert "Mozilla" not in kept
    assert desk.cookies["session"].value not in kept


def test_it_is_noted_once_a_day(alice: Account) -> None:
    phone = sign_in(PHONE)
    phone.get(PAGE)
    with CaptureQueriesContext(connection) as asked:
        phone.get(PAGE)
    assert not [query["sql"] for query in asked if query["sql"].startswith(("UPDATE", "INSERT"))]


def test_the_days_are_said_in_words(alice: Account) -> None:
    phone = sign_in(PHONE)
    assert ", vu le" not in phone.get(PAGE).content.decode()
    alice.refresh_from_db()
    (one,) = alice.devices.values()
    one.update(since="2026-03-01T12:00:00+00:00")
    alice.save()
    page = phone.get(PAGE).content.decode()
    assert "connecté le 1er mars 2026" in page
    assert ", vu le" in page


def test_out_everywhere(alice: Account) -> None:
    phone, desk = sign_in(PHONE), sign_in(DESK)
    assert len(words(phone)) == 1
    assert phone.get(f"{PAGE}deconnexion/").status_code == 405
    answer = phone.post(f"{PAGE}deconnexion/", follow=True)
    assert "déconnecté de tous vos appareils" in answer.content.decode()
    for browser in (phone, desk):
        assert browser.get(PAGE).status_code == 302
    assert AuditEntry.objects.filter(verb="account.signed_out_everywhere").count() == 1
    assert words(sign_in(DESK)) == [("Edge sur Windows", True)]  # the password is what it was


def test_somebody_else_stays_signed_in(alice: Account, make_account: Any, client_for: Any) -> None:
    bob = client_for(make_account("bob@example.net"))
    sign_in(PHONE).post(f"{PAGE}deconnexion/")
    assert bob.get(PAGE).status_code == 200


def test_signing_out_takes_it_off_the_list(alice: Account) -> None:
    phone, desk = sign_in(PHONE), sign_in(DESK)
    phone.get(PAGE)
    phone.post("/deconnexion/")
    assert words(desk) == [("Edge sur Windows", True)]


def test_a_new_password_keeps_this_session_only(alice: Account) -> None:
    phone, desk = sign_in(PHONE), sign_in(DESK)
    phone.get(PAGE), desk.get(PAGE)
    desk.post(PAGE, {"quoi": "mot-de-passe", "current": PASSWORD, "new": "un tout autre mot"})
    assert words(desk) == [("Edge sur Windows", True)]
    assert phone.get(PAGE).status_code == 302


def test_a_session_that_ends_meanwhile_is_not_noted(alice: Account, client_for: Any) -> None:
    seen_before = Account.objects.get(pk=alice.pk)
    devices.sign_out_everywhere(actor=alice)
    devices.note_session(account=seen_before, session=client_for(alice).session, user_agent=PHONE)
    alice.refresh_from_db()
    assert alice.devices == {}


def test_the_list_stays_short(alice: Account, client_for: Any) -> None:
    session = client_for(alice).session
    old = (timezone.now() - devices.LIFE).isoformat()
    hours = [(timezone.now() - timedelta(hours=n)).isoformat() for n in range(30)]
    of = {"browser": "Firefox", "system": "Linux"}
    alice.devices = {
        "old": {**of, "since": old, "seen": old},
        **{f"d{n}": {**of, "since": hour, "seen": hour} for n, hour in enumerate(hours)},
    }
    alice.save()
    devices.note_session(account=alice, session=session, user_agent=PHONE)
    found = devices.sessions_of(alice, session)
    assert [one.is_this_one for one in found] == [True] + [False] * (devices.SHOWN - 1)
    assert not {"old", "d29"} & set(alice.devices)


def test_nothing_is_noted_while_the_town_is_moved(
    alice: Account, client_for: Any, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for(alice)
    monkeypatch.setattr("shared_apps.accounts.sessions.devices.is_read_only", lambda: True)
    monkeypatch.setattr("tenants.current.is_read_only", lambda: True)
    assert client.get(PAGE).status_code == 200
    alice.refresh_from_db()
    assert alice.devices == {}


def test_not_in_somebody_s_place(alice: Account) -> None:
    alice.impersonated_by = Impersonation()
    with pytest.raises(errors.NotWhileImpersonating):
        devices.sign_out_everywhere(actor=alice)
