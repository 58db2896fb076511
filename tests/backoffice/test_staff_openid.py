"""« Connexion des agents »: its settings, an invitation accepted without a password, and a town without passwords."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, LinkPurpose, Role
from shared_apps.accounts.services import ask_link, make_token
from shared_apps.accounts.signing_in import identities
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.townhall.identity_provider import IdentityProvider, provider_of
from tenant_apps.townhall.queries import current_townhall
from tenants.archive import copies
from tests.accounts.provider import Provider
from tests.backoffice.conftest import text
from tests.conftest import PASSWORD
from tests.portal.openid import (
    OWN,
    SUBJECT,
    honest,
    staff_issuer,
    staff_liar,
    staff_sign_in,
)
from tests.residents.mails import lien

__all__ = ["honest", "staff_issuer", "staff_liar"]  # fixtures
PAGE = "/gestion/reglages/connexion-agents/"
SECRET = "un-secret-que-personne-ne-relit"
GOOD = {
    "issuer": "https://auth.agentconnect.gouv.fr/api/v2/.well-known/openid-configuration",
    "client_id": " la-commune ",
    "secret": SECRET,
    "label": "",
    "enabled": "on",
}
VERB = "townhall.staff_identity_provider_changed"


def kept() -> IdentityProvider:
    return provider_of(current_townhall(), Audience.STAFF)


# --- The settings ---------------------------------------------------------------------------------


def test_written_and_never_shown_again(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    assert "Connexion des agents" in text(browsers.manager.get("/gestion/reglages/commune/"))
    page = text(browsers.manager.get(PAGE))
    assert "/connexion/agents/retour/" in page
    assert "adresse e-mail professionnelle" in page
    answer = browsers.manager.post(PAGE, GOOD, follow=True)
    assert "Les réglages de connexion des agents sont enregistrés." in text(answer)
    found = kept()
    assert (found.issuer, found.client_id) == ("https://auth.agentconnect.gouv.fr/api/v2", "la-commune")
    assert (found.label, found.secret, found.is_offered) == ("ProConnect", SECRET, True)
    assert (found.is_proconnect, found.is_franceconnect, found.is_required) == (True, False, False)
    assert SECRET not in answer.content.decode()
    assert found.sealed not in answer.content.decode()
    assert provider_of(current_townhall()) == IdentityProvider()  # the residents' is another one
    entry = AuditEntry.objects.get(verb=VERB)
    assert entry.actor == people.manager.audit_name
    assert (entry.new["client_id"], entry.new["required"]) == ("la-commune", False)
    assert SECRET not in str(entry.new)
    assert found.sealed not in str(entry.new) + str(entry.old)
    browsers.manager.post(PAGE, {**GOOD, "secret": ""})
    assert kept() == found
    assert AuditEntry.objects.filter(verb=VERB).count() == 1


def test_a_secret_is_never_sent_to_another_issuer(browsers: SimpleNamespace) -> None:
    browsers.manager.post(PAGE, GOOD)
    answer = browsers.manager.post(PAGE, {**GOOD, "issuer": "https://a-moi.example", "secret": ""})
    assert answer.status_code == 422
    assert "Écrivez la clé secrète" in text(answer)
    assert kept().secret == SECRET


def test_only_managers(browsers: SimpleNamespace) -> None:
    for who, status in (("reader", 403), ("clerk", 403), ("cashier", 403), ("alice", 404)):
        assert getattr(browsers, who).get(PAGE).status_code == status
        assert getattr(browsers, who).post(PAGE, GOOD).status_code == status
    assert browsers.nobody.post(PAGE, GOOD).status_code == 302
    assert kept() == IdentityProvider(label="ProConnect", audience=Audience.STAFF)


def test_try(browsers: SimpleNamespace, staff_liar: Provider) -> None:
    page = text(browsers.manager.post(PAGE, {"quoi": "essayer"}))
    assert "L'adresse est la bonne" in page
    assert "reliez votre compte" in page
    staff_liar.document = {"issuer": "https://fc.example"}
    assert "sous un autre nom" in text(browsers.manager.post(PAGE, {"quoi": "essayer"}))


def test_a_copy_of_the_town_has_no_keys(browsers: SimpleNamespace) -> None:
    browsers.manager.post(PAGE, GOOD)
    copies.announce()
    found = kept()
    assert (found.enabled, found.required, found.sealed, found.secret) == (False, False, "", "")
    assert (found.issuer, found.label) == ("https://auth.agentconnect.gouv.fr/api/v2", "ProConnect")


# --- An invitation --------------------------------------------------------------------------------


@pytest.fixture
def guest(town: Any, client_for: Callable[..., Client], browsers: SimpleNamespace) -> Client:
    """The browser of somebody who was invited and opens the message."""
    browsers.manager.post(
        "/gestion/equipe/", {"name": "Paul Durand", "email": "paul@example.net", "role": "cashier"}
    )
    client = client_for()
    client.get(f"/?LIEN={lien('team-invitation', 'paul@example.net')}")
    return client


def paul() -> Account:
    return Account.objects.get(email="paul@example.net")


def test_joined_without_a_password(
    staff_issuer: str, guest: Client, client_for: Callable[..., Client]
) -> None:
    page = text(guest.get("/lien/"))
    assert "Continuer avec ProConnect" in page
    assert "Choisissez le mot de passe" in page  # as before, for who prefers it
    assert staff_sign_in(guest, invitation="oui")["Location"] == "/lien/"
    assert paul().activated_at is None  # coming back opens nothing
    page = text(guest.get("/lien/"))
    assert "Cette personne ouvrira désormais le compte paul@example.net" in page
    answer = guest.post("/lien/", {"quoi": "fournisseur"})
    assert answer["Location"] == "/gestion/"
    assert "Bienvenue : votre compte est ouvert." in text(guest.get("/gestion/"))
    account = paul()
    assert (account.identity_issuer, account.identity_subject) == (staff_issuer, SUBJECT)
    assert not account.has_usable_password()
    assert account.activated_at is not None
    assert OutgoingMail.objects.filter(kind="staff-identity-linked", to=account.email).count() == 1
    facts = set(AuditEntry.objects.filter(actor=account.audit_name).values_list("verb", flat=True))
    assert {"member.joined", "account.identity_linked"} <= facts
    assert guest.post("/lien/", {"quoi": "fournisseur"}).status_code == 410
    again = client_for()
    assert staff_sign_in(again)["Location"] == "/gestion/"
    assert again.get("/gestion/encaissements/nouveau/").status_code == 200  # a cashier's
    nobody = client_for()
    nobody.post("/", {"email": account.email, "password": "!"})
    assert nobody.get("/gestion/").status_code == 302


def test_a_colleague_of_the_same_computer_opens_no_invitation(
    staff_issuer: str, guest: Client, people: SimpleNamespace
) -> None:
    identities.link_identity(
        actor=people.clerk, issuer=staff_issuer, subject=SUBJECT, audience=Audience.STAFF
    )
    answer = staff_sign_in(guest, invitation="oui")
    assert answer.status_code == 409
    assert "déjà reliée à un autre compte" in text(answer)
    assert "Continuer avec ProConnect" in text(guest.post("/lien/", {"quoi": "fournisseur"}))
    assert paul().activated_at is None


def test_whoever_sat_here_before_is_not_offered_to_the_next_invitation(
    staff_issuer: str, guest: Client, browsers: SimpleNamespace
) -> None:
    staff_sign_in(guest, invitation="oui")
    page = guest.get("/lien/")
    assert "Déconnectez cette personne de ProConnect" in text(page)
    assert page.context["onwards"].startswith(f"{staff_issuer}/oauth2/end_session?")
    guest.get(f"/?LIEN={lien('team-invitation', 'paul@example.net')}")
    assert "Cette personne ouvrira" not in text(guest.get("/lien/"))
    guest.post("/lien/", {"quoi": "fournisseur"})
    assert paul().activated_at is None


def test_taken_by_a_colleague_meanwhile(staff_issuer: str, guest: Client, people: SimpleNamespace) -> None:
    staff_sign_in(guest, invitation="oui")
    identities.link_identity(
        actor=people.clerk, issuer=staff_issuer, subject=SUBJECT, audience=Audience.STAFF
    )
    answer = guest.post("/lien/", {"quoi": "fournisseur"})
    assert answer.status_code == 422
    assert "déjà reliée à un autre compte" in text(answer)
    assert paul().activated_at is None
    assert guest.post("/lien/", {"password": PASSWORD})["Location"] == "/gestion/"  # the link still serves


def test_nobody_joins_without_an_invitation(
    staff_issuer: str, town: Any, client_for: Callable[..., Client], guest: Client
) -> None:
    client = client_for()
    assert staff_sign_in(client, invitation="oui").status_code == 403  # no link in this browser
    assert client.post("/lien/", {"quoi": "fournisseur"}).status_code == 410
    assert paul().activated_at is None


@pytest.mark.parametrize("purpose", [LinkPurpose.ACTIVATION, LinkPurpose.RESET])
def test_no_other_link_opens_an_account_of_staff(
    staff_issuer: str, people: SimpleNamespace, client_for: Callable[..., Client], purpose: LinkPurpose
) -> None:
    """A residents' link, or a new password, links nobody to a provider."""
    client = client_for()
    token = make_token(link=ask_link(purpose=purpose, email=people.alice.email, account=people.alice))
    client.get(f"/?LIEN={token}")
    staff_sign_in(client, invitation="oui")
    client.post("/lien/", {"quoi": "fournisseur"})
    assert not Account.objects.exclude(identity_subject="").exists()
    with pytest.raises(errors.LinkUnknown):
        identities.join_with_identity(token=token, issuer=staff_issuer, subject="x", label="x")


# --- No passwords ---------------------------------------------------------------------------------


def settings_of(issuer: str, **more: str) -> dict[str, str]:
    return {"issuer": issuer, "client_id": "la-commune", "secret": "", "label": "", "enabled": "on", **more}


def link_all(issuer: str, *accounts: Account) -> None:
    for account in accounts:
        identities.link_identity(
            actor=account, issuer=issuer, subject=f"s-{account.pk}", audience=Audience.STAFF
        )


@pytest.fixture
def team(people: SimpleNamespace) -> list[Account]:
    return [people.reader, people.clerk, people.cashier, people.manager]


@pytest.fixture
def required(staff_issuer: str, browsers: SimpleNamespace, team: list[Account]) -> str:
    """A town whose staff sign in with the provider only."""
    link_all(staff_issuer, *team)
    assert browsers.manager.post(PAGE, settings_of(staff_issuer, required="on")).status_code == 302
    assert kept().is_required
    return staff_issuer


def test_turned_on_only_once_the_whole_team_is_linked(
    staff_issuer: str, browsers: SimpleNamespace, team: list[Account]
) -> None:
    on = settings_of(staff_issuer, required="on")
    link_all(staff_issuer, team[-1])
    answer = browsers.manager.post(PAGE, on)
    assert answer.status_code == 422
    assert "tous ne sont pas reliés (cashier@example.net, clerk@example.net, reader@example.net)" in text(
        answer
    )
    assert not kept().required
    link_all(staff_issuer, *team[:-1])
    Account.objects.create(
        email="invite@example.net", role=Role.CLERK
    )  # who has not joined yet does not count
    assert browsers.manager.post(PAGE, on).status_code == 302
    assert kept().is_required
    browsers.manager.post(PAGE, on)
    assert AuditEntry.objects.filter(verb=VERB, new__required=True).count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": ""},
        {"client_id": "une-autre"},
        {"issuer": "https://autre.example", "secret": "nouveau"},
    ],
    ids=str,
)
def test_nothing_that_would_lock_the_team_out(
    required: str, browsers: SimpleNamespace, change: dict[str, str]
) -> None:
    before = kept()
    answer = browsers.manager.post(PAGE, settings_of(required, required="on") | change)
    assert answer.status_code == 422
    assert "Enregistrez d'abord ces réglages sans cette case" in text(answer)
    assert kept() == before
    assert browsers.manager.post(PAGE, settings_of(required) | change).status_code == 302  # without the box
    assert not kept().is_required


def test_passwords_of_staff_are_refused(
    required: str, people: SimpleNamespace, client_for: Callable[..., Client]
) -> None:
    client = client_for()
    page = client.post("/", {"email": people.clerk.email, "password": PASSWORD})
    assert "les agents se connectent avec ProConnect, sans mot de passe" in text(page)
    assert client.get("/gestion/").status_code == 302
    wrong = client.post("/", {"email": people.clerk.email, "password": "faux"})
    assert "les agents se connectent" not in text(wrong)  # who knows no password learns nothing
    residents = client_for()
    assert (
        residents.post("/", {"email": people.alice.email, "password": PASSWORD})["Location"] == "/factures/"
    )
    assert staff_sign_in(client_for(), f"s-{people.clerk.pk}")["Location"] == "/gestion/"


def test_a_mailed_link_is_no_way_around(
    required: str, people: SimpleNamespace, client_for: Callable[..., Client]
) -> None:
    token = make_token(
        link=ask_link(purpose=LinkPurpose.RESET, email=people.clerk.email, account=people.clerk)
    )
    client = client_for()
    client.get(f"/?LIEN={token}")
    client.post("/lien/", {"password": "un autre mot de passe"})
    client.post("/", {"email": people.clerk.email, "password": "un autre mot de passe"})
    assert client.get("/gestion/").status_code == 302


def test_new_members_join_with_the_provider_only(required: str, guest: Client) -> None:
    page = text(guest.get("/lien/"))
    assert "Continuer avec ProConnect" in page
    assert "Choisissez le mot de passe" not in page
    answer = guest.post("/lien/", {"password": PASSWORD})
    assert answer.status_code == 422
    assert "sans mot de passe" in text(answer)
    assert paul().activated_at is None
    staff_sign_in(guest, invitation="oui")
    assert guest.post("/lien/", {"quoi": "fournisseur"})["Location"] == "/gestion/"


def test_the_link_stays_where_it_is_the_only_way(
    required: str, people: SimpleNamespace, browsers: SimpleNamespace
) -> None:
    answer = browsers.clerk.post(OWN, {"quoi": "supprimer"})
    assert answer.status_code == 422
    assert "ce lien reste" in text(answer)
    people.clerk.refresh_from_db()
    assert people.clerk.identity_subject


def test_the_operator_brings_passwords_back(
    required: str, people: SimpleNamespace, client_for: Callable[..., Client], capsys: Any
) -> None:
    for said in ("de nouveau", "déjà"):  # twice changes nothing
        call_command("allow_staff_passwords", "mairie", "--reason", "Le fournisseur a fermé")
        assert said in capsys.readouterr().out
    assert not kept().required
    assert kept().is_offered
    entry = AuditEntry.objects.filter(verb=VERB).latest("pk")
    assert (entry.actor, entry.new["reason"]) == ("system", "Le fournisseur a fermé")
    client = client_for()
    assert client.post("/", {"email": people.clerk.email, "password": PASSWORD})["Location"] == "/gestion/"
    with pytest.raises(CommandError):
        call_command("allow_staff_passwords", "nulle-part", "--reason", "x")
