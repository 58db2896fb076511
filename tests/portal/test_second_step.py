"""Staff sign in with two steps: no way in gets around the second one (decision 65)."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.errors import NotWhileImpersonating
from shared_apps.accounts.models import Account, Link, LinkPurpose, Passkey, Role, SecondFactor
from shared_apps.accounts.services import ask_link, make_token
from shared_apps.accounts.sessions import impersonation, recent
from shared_apps.accounts.signing_in import codes, passkeys, second_factor
from shared_apps.accounts.signing_in.webauthn import Place
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall
from tenants.models import Town
from tests.accounts.authenticator import FLAG, Authenticator
from tests.conftest import PASSWORD
from tests.staff import open_session, protect

ORIGIN, HOST = "http://mairie.localhost", "mairie.localhost"
STEP, KEY, ASK = (
    "/connexion/second-facteur/",
    "/connexion/second-facteur/cle/",
    "/connexion/second-facteur/demande/",
)
PROTECT = "/gestion/mon-compte/protection/"
REASON = "Ticket 4711 : les réglages de la cantine"


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands still in a test: a step of thirty seconds ends in the middle of none."""
    now = time.time()
    monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: now))


@pytest.fixture
def manager(town: Town, make_account: Callable[..., Account]) -> Account:
    """With a password only."""
    return make_account("chef@example.net", role=Role.MANAGER)


@pytest.fixture
def secret(manager: Account) -> str:
    """The manager's telephone."""
    return protect(manager)


@pytest.fixture
def browser() -> Client:
    return Client(headers={"host": HOST})


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(second_factor.time.time()) + 30 * steps)


def first_step(browser: Client, account: Account, **more: str) -> Any:
    return browser.post("/", {"email": account.email, "password": PASSWORD, **more})


def is_nobody(browser: Client) -> bool:
    """Whether this browser's session opens nothing of the back office, and is nobody's."""
    for path in (
        "/gestion/",
        "/gestion/factures/",
        "/gestion/reglages/commune/",
        "/gestion/mon-compte/",
        PROTECT,
    ):
        answer = browser.get(path)
        if answer.status_code != 302 or answer["Location"].partition("?")[0] not in ("/", STEP):
            return False
    acts = ("/gestion/mon-compte/", "/gestion/mon-compte/application/", "/gestion/mon-compte/cles/demande/")
    return SESSION_KEY not in browser.session and all(browser.post(act).status_code == 302 for act in acts)


# --- Both steps -----------------------------------------------------------------------------------


def test_the_password_then_the_code(manager: Account, secret: str, browser: Client) -> None:
    answer = first_step(browser, manager, suite="/gestion/reglages/commune/", remember="on")
    assert (answer.status_code, answer["Location"]) == (302, STEP)
    assert is_nobody(browser)
    page = browser.get(STEP)
    assert "chef@example.net" in page.content.decode()
    assert "no-cache" in page["Cache-Control"] or "no-store" in page["Cache-Control"]
    before = browser.session.session_key
    answer = browser.post(STEP, {"code": code(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/gestion/reglages/commune/")
    assert browser.session.session_key != before
    assert (
        not browser.session.get_expire_at_browser_close()
    )  # « Se souvenir de moi » was asked with the first step
    assert browser.get("/gestion/reglages/commune/").status_code == 200
    assert browser.get(STEP)["Location"] == "/"  # nothing is asked of whoever is inside


def test_a_wrong_a_used_and_a_recovery_code(manager: Account, secret: str, browser: Client) -> None:
    (one, other, *_more) = second_factor.replace_recovery_codes(actor=manager)
    first_step(browser, manager)
    for wrong in ("", "000000", code(secret, 3), "aaaaa-aaaaa"):
        assert browser.post(STEP, {"code": wrong}).status_code == 422
    assert browser.post(STEP, {"code": code(secret, -1)}).status_code == 302  # clocks differ
    again = Client(headers={"host": HOST})
    first_step(again, manager)
    answer = again.post(STEP, {"code": code(secret, -1)})
    assert answer.status_code == 422
    assert "déjà servi" in answer.content.decode()
    assert is_nobody(again)
    assert again.post(STEP, {"code": one}).status_code == 302
    third = Client(headers={"host": HOST})
    first_step(third, manager)
    assert third.post(STEP, {"code": one}).status_code == 422
    assert third.post(STEP, {"code": other}).status_code == 302


def test_a_recovery_code_is_told(manager: Account, secret: str, browser: Client, mailbox: Any) -> None:
    (one, *_more) = second_factor.replace_recovery_codes(actor=manager)
    first_step(browser, manager)
    browser.post(STEP, {"code": one})
    (mail,) = mailbox()
    assert (mail.kind, mail.to) == ("staff-recovery-code-used", manager.email)
    assert "9" in mail.text


def test_guessing_ends(manager: Account, secret: str, browser: Client) -> None:
    first_step(browser, manager)
    for _ in range(second_factor.TRIES):
        assert browser.post(STEP, {"code": "000000"}).status_code == 422
    answer = browser.post(STEP, {"code": code(secret)})
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert is_nobody(browser)


def test_the_first_step_lives_ten_minutes(manager: Account, secret: str, browser: Client) -> None:
    first_step(browser, manager, suite="/gestion/factures/")
    session = browser.session
    kept = session["first_step"]
    session["first_step"] = {**kept, "until": int(time.time()) - 1}
    session.save()
    answer = browser.post(STEP, {"code": code(secret)})
    assert answer["Location"] == "/"
    assert is_nobody(browser)
    answer = browser.get("/gestion/", follow=True)  # and it leads round in no circle
    assert answer.redirect_chain[-1][0].startswith("/?suite=")


@pytest.mark.parametrize("change", ["password", "everywhere", "closed"])
def test_the_first_step_is_void_once_the_account_changed(
    manager: Account, secret: str, browser: Client, change: str
) -> None:
    first_step(browser, manager)
    manager.refresh_from_db()
    if change == "password":
        manager.set_password("un autre mot de passe bien long")
    elif change == "everywhere":
        manager.end_sessions()
    else:
        manager.is_active = False
    manager.save()
    assert browser.post(STEP, {"code": code(secret)})["Location"] == "/"
    assert is_nobody(browser)


def test_another_account_may_be_used(manager: Account, secret: str, browser: Client) -> None:
    first_step(browser, manager)
    assert browser.post(f"{STEP}quitter/")["Location"] == "/"
    assert browser.post(STEP, {"code": code(secret)})["Location"] == "/"


def test_nobody_passes_the_second_step_alone(manager: Account, secret: str, browser: Client) -> None:
    assert browser.get(STEP)["Location"] == "/"
    assert browser.post(STEP, {"code": code(secret)})["Location"] == "/"
    assert browser.post(ASK)["Location"] == "/"
    assert is_nobody(browser)


def test_a_second_tab_opens_nothing(manager: Account, secret: str, browser: Client) -> None:
    first_step(browser, manager)
    answer = browser.get("/gestion/factures/?q=martin")
    assert answer["Location"].startswith(f"{STEP}?suite=")
    assert browser.get("/gestion/imports/", headers={"HX-Request": "true"})["HX-Redirect"].startswith(STEP)
    assert browser.get("/mes-informations/").status_code == 302
    assert browser.get("/").status_code == 200  # the sign-in page, for somebody else


def test_a_code_opens_only_whose_first_step_it_was(
    manager: Account, secret: str, browser: Client, make_account: Any
) -> None:
    other = make_account("autre@example.net", role=Role.MANAGER)
    protect(other)
    first_step(browser, other)
    assert browser.post(STEP, {"code": code(secret)}).status_code == 422
    assert is_nobody(browser)


# --- Each way in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [LinkPurpose.RESET, LinkPurpose.ACTIVATION])
def test_a_mailed_link_changes_the_password_and_opens_nothing(
    manager: Account, secret: str, browser: Client, purpose: LinkPurpose
) -> None:
    token = make_token(link=ask_link(purpose=purpose, email=manager.email, account=manager))
    browser.get(f"/?LIEN={token}")
    browser.post("/lien/", {"password": "un autre mot de passe"})
    assert is_nobody(browser)
    answer = browser.post("/", {"email": manager.email, "password": "un autre mot de passe"})
    assert answer["Location"] == STEP
    assert is_nobody(browser)
    assert browser.post(STEP, {"code": code(secret)}).status_code == 302
    assert browser.get("/gestion/reglages/commune/").status_code == 200


def test_a_mailed_code_is_only_the_first_step(
    manager: Account, secret: str, browser: Client, monkeypatch: Any
) -> None:
    """Staff get none (test_mailed_code.py); should they ever, it is no way around."""
    monkeypatch.setattr(codes, "may_receive", lambda account: account.is_active)
    browser.post("/code/", {"email": manager.email})
    link = Link.objects.get(purpose=LinkPurpose.CODE)
    answer = browser.post("/code/saisie/", {"code": codes.make_code(link=link, account=manager)})
    assert answer["Location"] == STEP
    assert is_nobody(browser)


def test_a_session_opened_by_any_other_road_opens_nothing(
    manager: Account, secret: str, browser: Client
) -> None:
    """A way in that forgets the second step (here: `force_login`) is stopped at every page."""
    browser.force_login(manager)
    for path in ("/gestion/", "/gestion/reglages/commune/", "/gestion/mon-compte/", PROTECT):
        assert browser.get(path)["Location"].startswith(STEP)
    assert browser.post("/gestion/mon-compte/cles/demande/")["Location"].startswith(STEP)
    assert browser.post("/gestion/mon-compte/codes/")["Location"].startswith(STEP)
    assert browser.post(STEP, {"code": "000000"}).status_code == 422
    assert (
        browser.post(f"{STEP}?suite=/gestion/reglages/commune/", {"code": code(secret)})["Location"]
        == "/gestion/reglages/commune/"
    )
    assert browser.get("/gestion/reglages/commune/").status_code == 200


def test_a_mark_of_another_second_factor_opens_nothing(
    manager: Account, secret: str, browser: Client
) -> None:
    open_session(browser, manager)
    assert browser.get("/gestion/").status_code == 200
    protect(manager)  # another telephone; the sessions of the first one are over
    assert browser.get("/gestion/")["Location"].startswith(STEP)


def test_a_remembered_session_ends_when_the_account_is_protected(
    manager: Account, browser: Client, client_for: Any
) -> None:
    first_step(browser, manager, remember="on")
    assert browser.get("/gestion/").status_code == 200
    secret = second_factor.begin(account=manager)
    second_factor.confirm(account=manager, code=code(secret))
    assert is_nobody(browser)


def test_whoever_became_a_member_of_staff_is_asked(town: Town, make_account: Any, browser: Client) -> None:
    """A resident with a key was signed in by password; since then the account is one of staff."""
    resident = make_account("nouvelle@example.net")
    key = Authenticator()
    add_key(resident, key)
    first_step(browser, resident)
    assert browser.get("/factures/").status_code == 200
    Account.objects.filter(pk=resident.pk).update(role=Role.CLERK)
    assert browser.get("/gestion/")["Location"].startswith(STEP)
    options = browser.post(ASK).json()
    assert browser.post(KEY, {"answer": key.get(options, ORIGIN)}).status_code == 302
    assert browser.get("/gestion/").status_code == 200


# --- Passkeys -------------------------------------------------------------------------------------


def add_key(account: Account, key: Authenticator) -> None:
    """Through the services, as the pages do."""
    place, session = Place(host=HOST, origin=ORIGIN), SessionStore()
    recent.note_proof(session)
    options = passkeys.ask_to_add(actor=account, place=place, session=session)
    session.save()
    new = passkeys.read_new_key(place=place, session=session, answer=key.create(options, ORIGIN))
    passkeys.add_key(actor=account, place=place, new=new, user_agent="")


@pytest.fixture
def key(manager: Account) -> Authenticator:
    made = Authenticator()
    add_key(manager, made)
    return made


def test_a_key_alone_is_both_steps(manager: Account, key: Authenticator, browser: Client) -> None:
    options = browser.post("/connexion/cle/demande/").json()
    answer = browser.post("/connexion/cle/", {"answer": key.get(options, ORIGIN)})
    assert answer["Location"] == "/gestion/"
    assert browser.get("/gestion/reglages/commune/").status_code == 200


def test_a_key_after_the_password(manager: Account, key: Authenticator, browser: Client) -> None:
    first_step(browser, manager)
    assert "Utiliser ma clé" in browser.get(STEP).content.decode()
    options = browser.post(ASK).json()
    answer = key.get(options, ORIGIN)
    assert browser.post(KEY, {"answer": answer}).status_code == 302
    assert browser.get("/gestion/reglages/commune/").status_code == 200
    again = Client(headers={"host": HOST})
    first_step(again, manager)
    assert again.post(KEY, {"answer": answer}).status_code == 422  # replayed
    assert is_nobody(again)


def test_a_key_that_does_not_verify_the_person_opens_nothing(
    manager: Account, key: Authenticator, browser: Client
) -> None:
    first_step(browser, manager)
    options = browser.post(ASK).json()
    assert browser.post(KEY, {"answer": key.get(options, ORIGIN, flags=FLAG.UP)}).status_code == 422
    assert is_nobody(browser)


def test_a_key_of_somebody_else_opens_nothing(
    manager: Account, secret: str, browser: Client, make_account: Any
) -> None:
    other, theirs = make_account("autre@example.net", role=Role.CLERK), Authenticator()
    add_key(other, theirs)
    first_step(browser, manager)
    options = browser.post(ASK).json()
    assert browser.post(KEY, {"answer": theirs.get(options, ORIGIN)}).status_code == 422
    assert is_nobody(browser)


def test_a_challenge_of_the_first_step_is_none_of_the_second(
    manager: Account, key: Authenticator, browser: Client
) -> None:
    options = browser.post("/connexion/cle/demande/").json()
    first_step(browser, manager)
    assert browser.post(KEY, {"answer": key.get(options, ORIGIN)}).status_code == 422
    assert is_nobody(browser)


# --- Whoever has none -----------------------------------------------------------------------------


def test_a_manager_without_one_has_the_role_below(manager: Account, browser: Client) -> None:
    answer = first_step(browser, manager)
    assert answer["Location"] == "/gestion/"
    for path in (
        "/gestion/",
        "/gestion/encaissements/nouveau/",  # a cashier's
        "/gestion/mon-compte/",
        "/gestion/imports/nouveau/",
    ):
        assert browser.get(path).status_code == 200, path
    for path in ("/gestion/reglages/commune/", "/gestion/interventions/", "/gestion/reglages/franceconnect/"):
        answer = browser.get(path)
        assert answer["Location"].startswith(f"{PROTECT}?suite=%2Fgestion%2F"), path
    assert browser.post("/gestion/reglages/franceconnect/")["Location"] == f"{PROTECT}?suite=%2Fgestion%2F"
    before = current_townhall().name
    browser.post("/gestion/reglages/commune/", {"name": "Autre"})
    assert current_townhall().name == before
    assert "à protéger" in browser.get("/gestion/").content.decode()


@pytest.fixture
def everybody(town: Town) -> None:
    """The town wants a second factor of all its staff."""
    change_townhall(actor="system", staff_second_factor="all")


@pytest.mark.parametrize("role", [Role.READER, Role.CLERK])
def test_where_everybody_must_nothing_opens_before(
    everybody: None, client_for: Any, make_account: Any, role: Role
) -> None:
    browser = client_for(make_account("agent@example.net", role=role))
    for path in ("/gestion/", "/gestion/factures/", "/gestion/mon-compte/"):
        assert browser.get(path)["Location"].startswith(PROTECT), path
    assert browser.post("/gestion/mon-compte/deconnexion/")["Location"].startswith(PROTECT)
    page = browser.get(PROTECT)
    assert page.status_code == 200
    assert "tout le personnel" in page.content.decode()


@pytest.mark.parametrize("role", [Role.READER, Role.CLERK])
def test_where_only_managers_must_the_others_work_without(
    client_for: Any, make_account: Any, role: Role
) -> None:
    browser = client_for(make_account("agent@example.net", role=role))
    assert browser.get("/gestion/").status_code == 200
    assert (
        browser.get("/gestion/reglages/commune/").status_code == 403
    )  # the role is too small, protected or not


def test_a_clerk_who_chose_one_is_asked_too(town: Town, make_account: Any, browser: Client) -> None:
    clerk = make_account("agent@example.net", role=Role.CLERK)
    secret = protect(clerk)
    assert first_step(browser, clerk)["Location"] == STEP
    assert is_nobody(browser)
    browser.post(STEP, {"code": code(secret)})
    assert browser.get("/gestion/").status_code == 200


def test_a_resident_with_a_key_still_signs_in_with_the_password_alone(
    town: Town, make_account: Any, browser: Client
) -> None:
    alice = make_account("alice@example.net")
    add_key(alice, Authenticator())
    assert first_step(browser, alice)["Location"] == "/factures/"


# --- The operator in somebody's place -------------------------------------------------------------


@pytest.fixture
def inside(operator: Account, manager: Account, browser: Client) -> Client:
    """The operator in the place of a manager who has no second factor."""
    ticket = impersonation.ask(operator=operator, account=manager, reason=REASON)
    assert browser.post(f"/gestion/intervention/{ticket}/").status_code == 302
    return browser


def test_an_intervention_opens_the_pages_of_the_role(inside: Client) -> None:
    for path in ("/gestion/", "/gestion/reglages/commune/", "/gestion/reglages/identite/"):
        assert inside.get(path).status_code == 200, path
    assert 'href="/gestion/mon-compte/"' not in inside.get("/gestion/").content.decode()


def test_an_intervention_opens_nothing_that_lets_people_in(inside: Client, manager: Account) -> None:
    own = "/gestion/mon-compte/"
    for path in (own, PROTECT, f"{own}application/", f"{own}confirmer/", "/gestion/equipe/"):
        assert inside.get(path).status_code == 403, path
    for path in (
        *(own, f"{own}application/", f"{own}application/retrait/", f"{own}codes/", f"{own}cles/"),
        *(f"{own}cles/demande/", f"{own}appareils/x/", f"{own}deconnexion/", f"{own}confirmer/"),
        *(f"{own}nom/", "/gestion/equipe/", f"/gestion/equipe/{manager.uuid}/second-facteur/"),
    ):
        assert inside.post(path, {"code": "000000"}).status_code == 403, path
    assert not SecondFactor.objects.exists()
    assert not Passkey.objects.exists()


def test_an_intervention_does_not_change_who_must(inside: Client, manager: Account) -> None:
    assert "staff_second_factor" not in inside.get("/gestion/reglages/connexion/").content.decode()
    settings = {"second_facteur_du_personnel": "all", "garder_alertes_mois": 24}
    file = {"format": "mes-factures-reglages", "version": 1, "reglages": settings}
    page = inside.post("/gestion/reglages/echange/", {"reglages": json.dumps(file)}).content.decode()
    assert re.findall(r'name="prendre"\s+value="(\w+)"', page) == ["garder_alertes_mois"]
    taken = {"reglages": json.dumps(file), "prendre": list(settings), "appliquer": "1"}
    assert inside.post("/gestion/reglages/echange/", taken).status_code == 200
    assert (current_townhall().keep_alerts, current_townhall().staff_second_factor) == (24, "managers")
    manager.impersonated_by = impersonation.running(inside.session["impersonation"])
    with pytest.raises(NotWhileImpersonating):
        change_townhall(actor=manager, staff_second_factor="all")
    for act in (
        lambda: second_factor.begin(account=manager),
        lambda: second_factor.confirm(account=manager, code="000000"),
        lambda: second_factor.replace_recovery_codes(actor=manager),
        lambda: second_factor.remove_application(actor=manager, must_keep_one=False),
        lambda: second_factor.forget(actor=manager, account=manager),
        lambda: second_factor.reset(actor=manager, account=manager, reason="x"),
    ):
        with pytest.raises(NotWhileImpersonating):
            act()


def test_an_intervention_in_the_place_of_a_protected_manager(
    operator: Account, manager: Account, secret: str, browser: Client
) -> None:
    ticket = impersonation.ask(operator=operator, account=manager, reason=REASON)
    browser.post(f"/gestion/intervention/{ticket}/")
    assert browser.get("/gestion/reglages/commune/").status_code == 200
    browser.post("/gestion/intervention/terminer/")
    assert is_nobody(browser)


# --- What it costs --------------------------------------------------------------------------------


def test_a_page_costs_no_statement_more(
    manager: Account, secret: str, client_for: Any, make_account: Any, other_town: Town
) -> None:
    """A protected manager's page asks the database what a clerk's does, who has no second factor."""

    def statements(account: Account) -> int:
        browser = client_for(account)
        browser.get("/gestion/imports/")  # what a process reads once
        with CaptureQueriesContext(connection) as asked:
            assert browser.get("/gestion/imports/").status_code == 200
        return len(asked)

    clerk = make_account("agent@example.net", role=Role.CLERK)
    assert statements(manager) == statements(clerk)


def test_nobody_else_opens_a_session() -> None:
    """`login` is called in two places, which know of the second step; a new way in goes through one of them."""
    root = Path(__file__).parents[2]
    callers = {
        str(path.relative_to(root))
        for folder in ("shared_apps", "tenant_apps", "tenants", "src/config", "src/toolkit")
        for path in (root / folder).rglob("*.py")
        if " import login" in (text := path.read_text()) or "auth.login(" in text or ", login" in text
    }
    assert callers == {"shared_apps/accounts/sessions/steps.py", "shared_apps/console/access.py"}
