"""« Équipe »: the page of the managers, and the road of an invited person."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Link, Role
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.team import services
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenants.models import Town
from tests.backoffice.conftest import text
from tests.conftest import PASSWORD
from tests.staff import protect

TEAM = "/gestion/equipe/"
NEW = {"name": "Paul Durand", "email": "paul@example.net", "role": "cashier"}


def link_in(mail: OutgoingMail) -> str:
    found = re.search(r"/\?LIEN=X[0-9a-f]{32}", mail.text)
    assert found, mail.text
    return found[0]


def one(email: str) -> Account:
    return Account.objects.get(email=email)


def test_invited_from_the_page_joins_and_works(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    answer = browsers.manager.post(TEAM, NEW, follow=True)
    assert answer.redirect_chain == [(TEAM, 302)]
    page = text(answer)
    assert "L'invitation part à paul@example.net" in page
    assert f"Paul Durand paul@example.net Caissier Invité le {timezone.localdate():%d/%m/%Y}" in page
    guest = browsers.nobody
    page = guest.get(link_in(OutgoingMail.objects.get()), follow=True)
    assert "manager@example.net vous invite à gérer les factures de Mairie de Démonstration" in text(page)
    assert "encaisse au guichet" in text(page)
    assert "Au moins 12 caractères." in text(page)
    weak = guest.post("/lien/", {"password": "court"})
    assert weak.status_code == 422
    answer = guest.post("/lien/", {"password": PASSWORD})
    assert answer["Location"] == "/gestion/"
    home = guest.get("/gestion/")
    assert "Bienvenue : votre compte est ouvert." in text(home)
    assert "Paul Durand Caissier" in text(home)
    assert guest.get(TEAM).status_code == 403
    assert "Paul Durand paul@example.net Caissier Actif" in text(browsers.manager.get(TEAM))


def test_the_link_s_page_once_it_is_over(browsers: SimpleNamespace) -> None:
    browsers.manager.post(TEAM, NEW)
    link = link_in(OutgoingMail.objects.get())
    Link.objects.update(expires_at=timezone.now())
    page = browsers.nobody.get(link)
    assert page.status_code == 410
    assert "Demandez à manager@example.net d'en envoyer une autre." in text(page)
    assert "Recevoir un nouveau lien" not in text(page)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Écrivez le prénom et le nom de cette personne."),
        ({"email": ""}, "Écrivez l'adresse e-mail de cette personne."),
        ({"email": "paul@"}, "n'est pas complète"),
        ({"email": "alice@example.net"}, "Cette adresse est celle d'un usager du portail."),
        ({"email": "clerk@example.net"}, "Cette personne fait déjà partie de l'équipe."),
        ({"role": ""}, "Choisissez un rôle."),
        ({"role": "operator"}, "Choisissez un rôle."),
        ({"role": "resident"}, "Choisissez un rôle."),
    ],
)
def test_refused_with_a_sentence(browsers: SimpleNamespace, wrong: dict[str, str], words: str) -> None:
    answer = browsers.manager.post(TEAM, {**NEW, **wrong})
    assert answer.status_code == 422
    assert words in text(answer)
    assert not OutgoingMail.objects.exists()


def test_each_role_is_explained(browsers: SimpleNamespace) -> None:
    page = text(browsers.manager.get(TEAM))
    for words in ("Lecteur Voit les factures", "Agent Importe", "Caissier Fait ce", "Responsable Fait tout"):
        assert words in page


def test_alone(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    alone = "Il n'y a que vous dans l'équipe."
    assert alone not in text(browsers.manager.get(TEAM))
    for other in (people.reader, people.clerk, people.cashier):
        services.remove(actor=people.manager, member=other)
    page = text(browsers.manager.get(TEAM))
    assert alone in page
    assert "3 anciens membres" in page
    assert "C'est vous" in page


def test_a_member_s_page(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    path = f"{TEAM}{people.clerk.uuid}/"
    assert 'value="clerk" checked' in re.sub(r"\s+", " ", browsers.manager.get(path).content.decode())
    answer = browsers.manager.post(path, {"name": "Zoé Roux", "role": "cashier"}, follow=True)
    assert answer.redirect_chain == [(path, 302)]
    assert "C'est enregistré." in text(answer)
    assert one("clerk@example.net").role == Role.CASHIER
    assert browsers.clerk.get("/gestion/encaissements/nouveau/").status_code == 200
    own = f"{TEAM}{people.manager.uuid}/"
    assert "C'est votre compte" in text(browsers.manager.get(own))
    refused = browsers.manager.post(own, {"name": "Jeanne", "role": "reader"})
    assert refused.status_code == 422
    assert "On ne change pas son propre rôle" in text(refused)


def test_acts_in_place_and_on_the_page(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    clerk = f"{TEAM}{people.clerk.uuid}/"
    answer = browsers.manager.post(f"{clerk}suspendre/", {"depuis": "equipe"}, follow=True)
    assert answer.redirect_chain == [(TEAM, 302)]
    assert "clerk@example.net ne peut plus se connecter" in text(answer)
    assert browsers.clerk.get("/gestion/").status_code == 302
    answer = browsers.manager.post(f"{clerk}retablir/", {"depuis": "fiche"}, follow=True)
    assert answer.redirect_chain == [(clerk, 302)]
    assert "clerk@example.net peut de nouveau se connecter" in text(answer)
    answer = browsers.manager.post(f"{clerk}renvoyer/", follow=True)
    assert "n'a pas d'invitation en attente" in text(answer)
    answer = browsers.manager.post(f"{clerk}retirer/", {"depuis": "fiche"}, follow=True)
    assert "clerk@example.net ne fait plus partie de l'équipe." in text(answer)
    assert "Nom et rôle" not in text(answer)
    assert "retirer/" not in browsers.manager.get(clerk).content.decode()
    for act in ("suspendre", "retirer"):
        answer = browsers.manager.post(f"{TEAM}{people.manager.uuid}/{act}/", follow=True)
        assert "On ne peut ni se suspendre ni se retirer soi-même" in text(answer)


def test_only_staff_have_a_page(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    assert browsers.manager.get(f"{TEAM}{people.alice.uuid}/").status_code == 404
    assert browsers.manager.post(f"{TEAM}{people.alice.uuid}/retirer/").status_code == 404
    assert "alice@example.net" not in text(browsers.manager.get(TEAM))


def test_the_menu_is_the_managers(browsers: SimpleNamespace) -> None:
    assert "Réglages" in text(browsers.manager.get("/gestion/"))
    assert f'href="{TEAM}"' in browsers.manager.get("/gestion/reglages/commune/").content.decode()
    assert "Réglages" not in text(browsers.cashier.get("/gestion/"))


def test_a_lost_telephone(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    clerk = f"{TEAM}{people.clerk.uuid}/"
    assert "Second facteur pas encore" in text(browsers.manager.get(clerk))
    protect(people.clerk)
    assert "Oublier son second facteur" in text(browsers.manager.get(clerk))
    answer = browsers.manager.post(f"{clerk}second-facteur/", {"depuis": "fiche"}, follow=True)
    assert "Le second facteur de clerk@example.net est oublié" in text(answer)
    people.clerk.refresh_from_db()
    assert people.clerk.second_factor_at is None
    assert browsers.clerk.get("/gestion/").status_code == 302
    browsers.manager.post(f"{TEAM}{people.manager.uuid}/second-facteur/")
    people.manager.refresh_from_db()
    assert people.manager.second_factor_at is not None  # nobody forgets their own


def test_refused_to_the_operator_in_a_manager_s_place(
    people: SimpleNamespace, operator: Account, client_for: Callable[..., Client]
) -> None:
    ticket = impersonation.ask(operator=operator, account=people.manager, reason="Ticket 4711 : vérifier")
    inside = client_for()
    assert inside.post(f"/gestion/intervention/{ticket}/").status_code == 302
    settings = inside.get("/gestion/reglages/commune/")
    assert "Régies et PayFiP" in text(settings)
    assert f'href="{TEAM}"' not in settings.content.decode()
    for path in (TEAM, f"{TEAM}{people.clerk.uuid}/"):
        assert inside.get(path).status_code == 403
    assert inside.post(TEAM, NEW).status_code == 403
    assert inside.post(f"{TEAM}{people.clerk.uuid}/retirer/").status_code == 403
    assert not OutgoingMail.objects.exists()


def test_as_many_statements_for_any_number(
    browsers: SimpleNamespace, people: SimpleNamespace, django_assert_num_queries: Any
) -> None:
    services.invite(actor=people.manager, email="n@example.net", name="N", role=Role.CLERK)
    browsers.manager.get(TEAM)
    with CaptureQueriesContext(connection) as few:
        browsers.manager.get(TEAM)
    for n in range(10):
        services.invite(actor=people.manager, email=f"n{n}@example.net", name=f"N {n}", role=Role.CLERK)
    with django_assert_num_queries(len(few)):
        browsers.manager.get(TEAM)


def test_the_operator_invites_a_manager(
    town: Town, people: SimpleNamespace, console: Client, operator: Account
) -> None:
    path = "/communes/mairie/inviter-un-responsable/"
    assert "Inviter un responsable" in text(console.get("/communes/mairie/equipe/"))
    sent = {"name": "Paul Durand", "email": "paul@example.net", "reason": "La responsable est partie."}
    assert console.post(path, {**sent, "reason": ""}).status_code == 422
    refused = console.post(path, {**sent, "email": "alice@example.net"})
    assert refused.status_code == 422
    assert "usager du portail" in text(refused)
    assert console.post(path, sent)["Location"] == "/communes/mairie/equipe/"
    with tenant_context(town):
        assert one("paul@example.net").role == Role.MANAGER
        fact = AuditEntry.objects.get(verb="member.invited")
        assert (fact.actor, fact.new["reason"]) == (f"operator:{operator.uuid}", "La responsable est partie.")
        assert "Un compte vous attend" in OutgoingMail.objects.get().text
    assert "Paul Durand" in text(console.get("/communes/mairie/equipe/"))
