"""Who may open, and who may do, what (the isolation table holds every route; here are the actions)."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.backoffice.access import at_least
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Batch
from tenant_apps.townhall.queries import current_townhall


def test_roles_are_ordered() -> None:
    assert at_least("manager", Role.READER)
    assert at_least("clerk", Role.CLERK)
    assert at_least("cashier", Role.CLERK)
    assert not at_least("clerk", Role.CASHIER)
    assert not at_least("cashier", Role.MANAGER)
    assert not at_least("reader", Role.CLERK)
    assert not at_least("resident", Role.READER)
    assert not at_least("operator", Role.READER)


def test_nobody_signs_in_and_comes_back(browsers: SimpleNamespace) -> None:
    answer = browsers.nobody.get("/gestion/factures/?q=martin")
    assert answer.status_code == 302
    assert answer["Location"] == "/?suite=%2Fgestion%2Ffactures%2F%3Fq%3Dmartin"


def test_nobody_is_not_led_back_to_an_action(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch]
) -> None:
    answer = browsers.nobody.post(f"/gestion/imports/{make_batch().uuid}/publier/")
    assert answer["Location"] == "/?suite=%2Fgestion%2F"


def test_a_fragment_asked_for_after_the_session_s_end_leads_to_the_sign_in(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch]
) -> None:
    path = f"/gestion/imports/{make_batch().uuid}/etat/"
    answer = browsers.nobody.get(path, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/?suite=%2Fgestion%2F"


def test_a_resident_sees_what_does_not_exist(browsers: SimpleNamespace) -> None:
    assert browsers.alice.get("/gestion/").status_code == 404
    assert browsers.alice.get("/gestion/factures/").status_code == 404


def test_pages_are_never_cached(browsers: SimpleNamespace) -> None:
    for browser in (browsers.reader, browsers.nobody):
        assert browser.get("/gestion/")["Cache-Control"] == "no-store, private"


@pytest.fixture
def actions(make_batch: Callable[..., Batch]) -> dict[str, str]:
    """Every action of a clerk, on things that exist."""
    batch = make_batch()
    message = Message.objects.create(email="a@example.net", subject="s", body="b", sent_to="r@example.net")
    mail = OutgoingMail.objects.create(
        kind="x", to="a@example.net", subject="s", text="t", html="h",
        state=MailState.FAILED, next_try_at="2026-01-01T00:00Z",
    )  # fmt: skip
    return {
        "publish": f"/gestion/imports/{batch.uuid}/publier/",
        "discard": f"/gestion/imports/{batch.uuid}/abandonner/",
        "take_back": f"/gestion/imports/{batch.uuid}/retirer/",
        "handle": f"/gestion/messages/{message.uuid}/traite/",
        "resend": f"/gestion/courriels/{mail.uuid}/renvoyer/",
    }


def _everything() -> list[object]:
    return [
        list(Batch.objects.values("state")),
        list(Message.objects.values("handled_at")),
        list(OutgoingMail.objects.values("state")),
    ]


@pytest.mark.parametrize("person", ["nobody", "alice", "reader"])
def test_who_may_not_act_changes_nothing(
    browsers: SimpleNamespace, actions: dict[str, str], person: str
) -> None:
    before = _everything()
    for path in actions.values():
        answer = getattr(browsers, person).post(path)
        assert answer.status_code == {"nobody": 302, "alice": 404, "reader": 403}[person]
    assert _everything() == before


@pytest.mark.parametrize("person", ["clerk", "manager"])
def test_who_may_act_does(browsers: SimpleNamespace, actions: dict[str, str], person: str) -> None:
    browser = getattr(browsers, person)
    for name in ("publish", "handle", "resend"):
        assert browser.post(actions[name]).status_code == 302
    assert Batch.objects.get().state == "publishing"
    assert Message.objects.get().handled_by == f"account:{_account(browser)}"
    assert OutgoingMail.objects.get().state == MailState.QUEUED


def _account(browser: Client) -> object:
    return Account.objects.get(pk=browser.session["_auth_user_id"]).uuid


def test_actions_are_not_links(browsers: SimpleNamespace, actions: dict[str, str]) -> None:
    for path in actions.values():
        assert browsers.manager.get(path).status_code == 405


def test_actions_want_the_form_s_token(people: SimpleNamespace, actions: dict[str, str]) -> None:
    browser = Client(headers={"host": "mairie.localhost"}, enforce_csrf_checks=True)
    browser.force_login(people.clerk)
    before = _everything()
    for path in [*actions.values(), "/gestion/imports/nouveau/"]:
        assert browser.post(path).status_code == 403
    assert _everything() == before


@pytest.mark.parametrize(
    ("person", "status"), [("alice", 404), ("reader", 403), ("clerk", 403), ("manager", 200)]
)
def test_only_a_manager_sees_the_town_s_settings(browsers: SimpleNamespace, person: str, status: int) -> None:
    browser = getattr(browsers, person)
    assert browser.get("/gestion/reglages/commune/").status_code == status
    before = current_townhall().name
    if status != 200:
        assert browser.post("/gestion/reglages/commune/", {"name": "Autre"}).status_code == status
        assert current_townhall().name == before


def test_buttons_are_shown_to_those_who_may_press_them(browsers: SimpleNamespace) -> None:
    pages = {
        name: getattr(browsers, name).get("/gestion/").content.decode()
        for name in ("reader", "clerk", "manager")
    }
    assert [("Importer des factures" in page) for page in pages.values()] == [False, True, True]
    assert [('href="/gestion/reglages/commune/"' in page) for page in pages.values()] == [False, False, True]
