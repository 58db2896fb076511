"""Staff sign in through the town's provider: the first step only, never by an e-mail address (decision 67)."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from shared_apps.accounts import errors
from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.signing_in import identities
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.team import services as team
from shared_apps.audit.models import AuditEntry
from tenants.models import Town
from tests.accounts.provider import Provider
from tests.conftest import PASSWORD
from tests.portal.conftest import text
from tests.portal.openid import (
    BACK,
    LINK,
    OWN,
    STAFF_BACK,
    STAFF_START,
    SUBJECT,
    honest,
    is_somebody,
    offer,
    out,
    over_there,
    sign_in,
    staff_issuer,
    staff_liar,
    staff_sign_in,
)
from tests.staff import protect

__all__ = ["honest", "staff_issuer", "staff_liar"]  # fixtures
STEP = "/connexion/second-facteur/"
UNKNOWN = "Vous n'êtes pas encore de l'équipe"


@pytest.fixture
def clerk(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("agent@example.net", role=Role.CLERK)


@pytest.fixture
def manager(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("chef@example.net", role=Role.MANAGER)


def link_to(account: Account, issuer: str, subject: str = SUBJECT) -> None:
    identities.link_identity(actor=account, issuer=issuer, subject=subject, audience=Audience.STAFF)
    account.refresh_from_db()


def is_at_work(client: Client) -> bool:
    return client.get("/gestion/").status_code == 200


def test_the_button_is_there_only_when_the_town_offers_it(
    town: Town, honest: str, client_for: Callable[..., Client]
) -> None:
    assert "Agents de la mairie" not in text(client_for().get("/"))
    offer(honest)  # for residents
    assert "Agents de la mairie" not in text(client_for().get("/"))
    assert client_for().get(STAFF_START).status_code == 404
    offer(honest, enabled=False, audience=Audience.STAFF)
    assert "Agents de la mairie" not in text(client_for().get("/"))
    offer("https://auth.agentconnect.gouv.fr/api/v2", audience=Audience.STAFF)
    page = text(client_for().get("/?suite=/gestion/factures/"))
    assert "Agents de la mairie Se connecter avec ProConnect Qu'est-ce que ProConnect ?" in page
    assert page.index("Première visite") < page.index("Agents de la mairie")  # apart, and below
    offer(honest, label="Annuaire de Labastide", audience=Audience.STAFF)
    assert "Se connecter avec Annuaire de Labastide" in text(client_for().get("/"))


@pytest.mark.parametrize("role", [Role.READER, Role.CLERK, Role.CASHIER])
def test_linked_in_one_s_own_account_then_one_press(
    staff_issuer: str,
    make_account: Callable[..., Account],
    client_for: Callable[..., Client],
    mailbox: Any,
    role: Role,
) -> None:
    agent = make_account("agent@example.net", role=role)
    client = client_for()
    client.post("/", {"email": agent.email, "password": PASSWORD})
    assert "Relier ProConnect à mon compte" in text(client.get("/gestion/mon-compte/"))
    assert staff_sign_in(client)["Location"] == OWN
    page = text(client.get(OWN))
    assert "Cette personne ouvrira désormais le compte agent@example.net" in page
    agent.refresh_from_db()
    assert agent.identity_subject == ""  # coming back links nothing
    assert client.post(OWN, {"quoi": "relier"})["Location"] == OWN
    agent.refresh_from_db()
    assert (agent.identity_issuer, agent.identity_subject) == (staff_issuer, SUBJECT)
    assert "Votre compte est relié à ProConnect" in text(client.get("/gestion/mon-compte/"))
    assert [(mail.kind, mail.to) for mail in mailbox()] == [("staff-identity-linked", agent.email)]
    client.post(OWN, {"quoi": "relier"})  # nobody waits any more
    assert staff_sign_in(client)["Location"] == OWN  # linked already
    assert AuditEntry.objects.filter(verb="account.identity_linked").count() == 1
    assert SUBJECT not in str(list(AuditEntry.objects.values()))

    again = client_for()
    assert staff_sign_in(again, suite="/gestion/factures/")["Location"] == "/gestion/factures/"
    assert is_at_work(again)
    assert again.session.get_expire_at_browser_close()
    assert len(mailbox()) == 1


def test_linking_wants_a_fresh_proof(
    staff_issuer: str, clerk: Account, client_for: Callable[..., Client]
) -> None:
    client = client_for(clerk)
    session = client.session
    session["proven_at"] = int(time.time()) - 11 * 60
    session.save()
    assert staff_sign_in(client)["Location"] == OWN
    assert client.get(OWN)["Location"].startswith("/gestion/mon-compte/confirmer/?suite=")
    assert client.post(OWN, {"quoi": "relier"})["Location"].startswith("/gestion/mon-compte/confirmer/")
    clerk.refresh_from_db()
    assert clerk.identity_subject == ""
    client.post("/gestion/mon-compte/confirmer/", {"password": PASSWORD})
    client.post(OWN, {"quoi": "relier"})  # whom the provider recognised is still there
    clerk.refresh_from_db()
    assert clerk.identity_subject == SUBJECT


def test_given_up(staff_issuer: str, clerk: Account, client_for: Callable[..., Client]) -> None:
    client = client_for(clerk)
    staff_sign_in(client)
    assert client.post(OWN, {"quoi": "annuler"})["Location"] == OWN
    client.post(OWN, {"quoi": "relier"})
    clerk.refresh_from_db()
    assert clerk.identity_subject == ""
    assert "Relier ProConnect à mon compte" in text(client.get(OWN))


def test_unlinked_and_told(
    staff_issuer: str, clerk: Account, client_for: Callable[..., Client], mailbox: Any
) -> None:
    link_to(clerk, staff_issuer)
    client = client_for(clerk)
    for _ in range(2):
        assert client.post(OWN, {"quoi": "supprimer"})["Location"] == OWN
    clerk.refresh_from_db()
    assert clerk.identity_subject == ""
    assert [mail.kind for mail in mailbox()] == ["staff-identity-unlinked"]
    assert UNKNOWN in text(staff_sign_in(client_for()))


def test_never_without_a_way_in(staff_issuer: str, clerk: Account, client_for: Callable[..., Client]) -> None:
    link_to(clerk, staff_issuer)
    clerk.set_unusable_password()
    clerk.save()
    client = client_for(clerk)
    answer = client.post(OWN, {"quoi": "supprimer"})
    assert answer.status_code == 422
    assert "Mot de passe oublié" in text(answer)
    assert "n'a pas de mot de passe" in text(client.get("/gestion/mon-compte/"))
    session = client.session
    session["proven_at"] = 0
    session.save()
    assert "déconnectez-vous, reconnectez-vous" in text(client.get("/gestion/mon-compte/confirmer/"))
    clerk.refresh_from_db()
    assert clerk.identity_subject == SUBJECT


# --- Nobody else ----------------------------------------------------------------------------------


def test_an_unknown_person_reads_whom_to_ask(staff_issuer: str, client_for: Callable[..., Client]) -> None:
    client = client_for()
    answer = staff_sign_in(client, subject="inconnue@example.net")
    assert answer.status_code == 403
    page = text(answer)
    assert UNKNOWN in page
    assert "demandez à un responsable de la commune de vous inviter" in page
    assert "inconnue@example.net" in page
    assert "Déconnectez cette personne de ProConnect" in page
    assert SESSION_KEY not in client.session
    assert "inconnue" not in str(dict(client.session))
    assert not Account.objects.exists()


def test_the_address_of_a_colleague_opens_and_links_nothing(
    staff_liar: Provider, clerk: Account, client_for: Callable[..., Client]
) -> None:
    """The provider says the agent's own address, and swears that it is verified; the page says the same as always."""
    team.invite(actor="system", email="attendue@example.net", role=Role.MANAGER)
    pages = []
    for email in (clerk.email, "attendue@example.net", "inconnue@example.net"):
        staff_liar.said = {"email": email, "email_verified": True}
        client = client_for()
        answer = client.get(STAFF_BACK, staff_liar.sign_in(out(client, STAFF_START)))
        assert answer.status_code == 403
        assert SESSION_KEY not in client.session
        pages.append(text(answer).replace(email, "X"))
    assert pages[0] == pages[1] == pages[2]
    assert not Account.objects.exclude(identity_subject="").exists()


@pytest.mark.parametrize("state", ["suspended", "removed"])
def test_whoever_left_is_refused(
    staff_issuer: str, clerk: Account, manager: Account, client_for: Callable[..., Client], state: str
) -> None:
    link_to(clerk, staff_issuer)
    here = client_for()
    staff_sign_in(here)
    assert is_at_work(here)
    {"suspended": team.suspend, "removed": team.remove}[state](actor=manager, member=clerk)
    assert here.get("/gestion/").status_code == 302  # their session has ended
    client = client_for()
    assert UNKNOWN in text(staff_sign_in(client))
    assert SESSION_KEY not in client.session
    if state == "suspended":
        team.resume(actor=manager, member=clerk)
        assert staff_sign_in(client_for())["Location"] == "/gestion/"


def test_residents_and_staff_have_a_road_each(
    staff_issuer: str, make_account: Callable[..., Account], clerk: Account, client_for: Callable[..., Client]
) -> None:
    """The same provider for both, at worst: each road opens only accounts of its own people."""
    offer(staff_issuer)
    alice = make_account("alice@example.net")
    identities.link_identity(actor=alice, issuer=staff_issuer, subject="alice")
    link_to(clerk, staff_issuer, "agent")
    client = client_for()
    assert UNKNOWN in text(staff_sign_in(client, subject="alice"))
    assert not is_somebody(client)
    client = client_for()
    assert sign_in(client, subject="agent")["Location"] == LINK
    assert not is_at_work(client)
    # What one road began, the other does not end: not at the return, not at the page that links.
    client = client_for()
    query = urlsplit(over_there(out(client, STAFF_START), "alice")).query
    assert client.get(f"{BACK}?{query}").status_code == 400
    client = client_for()
    query = urlsplit(over_there(out(client), "agent")).query
    assert client.get(f"{STAFF_BACK}?{query}").status_code == 400
    client = client_for(clerk)
    assert client.get("/connexion/fc/").status_code == 404
    assert client_for(alice).get(STAFF_START).status_code == 404
    with pytest.raises(errors.NotForResidents):
        link_to(alice, staff_issuer, "autre")
    with pytest.raises(errors.NotForStaff):
        identities.link_identity(actor=clerk, issuer="https://autre.example", subject="autre")


def test_one_person_one_account(
    staff_issuer: str, clerk: Account, manager: Account, client_for: Callable[..., Client]
) -> None:
    """On a shared computer the provider may still know a colleague: nothing moves to them."""
    link_to(manager, staff_issuer)
    client = client_for(clerk)
    answer = staff_sign_in(client)
    assert answer.status_code == 409
    assert "déjà reliée à un autre compte" in text(answer)
    client.post(OWN, {"quoi": "relier"})
    clerk.refresh_from_db()
    assert clerk.identity_subject == ""
    with pytest.raises(errors.IdentityTaken):
        link_to(clerk, staff_issuer)


def test_whoever_began_is_who_must_come_back(
    staff_issuer: str, clerk: Account, manager: Account, client_for: Callable[..., Client]
) -> None:
    client = client_for(clerk)
    back = over_there(out(client, STAFF_START))
    client.force_login(manager)
    assert client.get(back).status_code == 400


# --- The second step ------------------------------------------------------------------------------


def test_the_second_factor_is_asked_for(
    staff_issuer: str, manager: Account, client_for: Callable[..., Client]
) -> None:
    link_to(manager, staff_issuer)
    secret = protect(manager)
    client = client_for()
    assert staff_sign_in(client, suite="/gestion/reglages/commune/")["Location"] == STEP
    assert SESSION_KEY not in client.session
    for path in ("/gestion/", "/gestion/reglages/commune/", "/gestion/mon-compte/", OWN):
        assert client.get(path)["Location"].startswith(STEP)
    assert client.post(STEP, {"code": "000000"}).status_code == 422
    assert SESSION_KEY not in client.session
    assert client.post(STEP, {"code": pyotp.TOTP(secret).now()})["Location"] == "/gestion/reglages/commune/"
    assert client.get("/gestion/reglages/commune/").status_code == 200
    onwards = client.post("/deconnexion/").context["onwards"]
    assert onwards.startswith(f"{staff_issuer}/oauth2/end_session?")  # and out over there too


def test_a_manager_without_one_has_the_role_below(
    staff_issuer: str, manager: Account, client_for: Callable[..., Client]
) -> None:
    link_to(manager, staff_issuer)
    client = client_for()
    assert staff_sign_in(client)["Location"] == "/gestion/"
    assert client.get("/gestion/encaissements/nouveau/").status_code == 200
    assert client.get("/gestion/reglages/commune/")["Location"].startswith("/gestion/mon-compte/protection/")


def test_what_the_provider_says_of_its_own_factors_is_not_read(
    staff_liar: Provider, manager: Account, client_for: Callable[..., Client]
) -> None:
    link_to(manager, staff_liar.issuer, "camille")
    protect(manager)
    staff_liar.claims = {"acr": "eidas3", "amr": ["pwd", "mfa"]}
    client = client_for()
    assert client.get(STAFF_BACK, staff_liar.sign_in(out(client, STAFF_START)))["Location"] == STEP


def test_half_a_session_links_nothing(
    staff_issuer: str, manager: Account, client_for: Callable[..., Client]
) -> None:
    """The password alone, of somebody who has a second factor, adds no other way in."""
    protect(manager)
    client = client_for()
    client.post("/", {"email": manager.email, "password": PASSWORD})
    answer = staff_sign_in(client)
    assert UNKNOWN in text(answer)
    assert client.post(OWN, {"quoi": "relier"})["Location"].startswith(STEP)
    client = client_for()
    client.force_login(manager)  # a way in that forgot the second step
    assert staff_sign_in(client)["Location"] == OWN
    assert client.post(OWN, {"quoi": "relier"})["Location"].startswith(STEP)
    manager.refresh_from_db()
    assert manager.identity_subject == ""


def test_not_in_somebody_s_place(
    staff_issuer: str, manager: Account, operator: Account, client_for: Callable[..., Client]
) -> None:
    ticket = impersonation.ask(operator=operator, account=manager, reason="Ticket 4711 : la connexion")
    client = client_for()
    client.post(f"/gestion/intervention/{ticket}/")
    for path in (STAFF_START, STAFF_BACK):
        assert client.get(path).status_code == 404, path
    for path in (OWN, "/gestion/reglages/connexion-agents/"):
        assert client.get(path).status_code == 403, path
        assert client.post(path, {"quoi": "relier"}).status_code == 403
    assert "reglages/connexion-agents" not in client.get("/gestion/reglages/commune/").content.decode()
    manager.impersonated_by = impersonation.running(client.session["impersonation"])
    for act in (
        lambda: identities.link_staff_identity(actor=manager, issuer="x", subject="x", label="x"),
        lambda: identities.unlink_staff_identity(actor=manager, label="x"),
        lambda: offer(staff_issuer, actor=manager, audience=Audience.STAFF),
    ):
        with pytest.raises(errors.NotWhileImpersonating):
            act()


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_an_address_put_back_takes_the_link_away(
    staff_issuer: str, make_account: Callable[..., Account], role: Role
) -> None:
    agent = make_account("agent@example.net", role=role)
    link_to(agent, staff_issuer)
    assert identities.account_of(issuer=staff_issuer, subject=SUBJECT, audience=Audience.STAFF) == agent
    assert identities.account_of(issuer=staff_issuer, subject=SUBJECT) is None
    assert identities.account_of(issuer="", subject="", audience=Audience.STAFF) is None
