"""« Connexion par FranceConnect »: what a manager may write, what is refused, what is never shown again."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

from shared_apps.audit.models import AuditEntry
from tenant_apps.backoffice.views.settings import openid
from tenant_apps.townhall.identity_provider import IdentityProvider, provider_of
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from tenants.archive import copies
from tests.accounts import provider as lies
from tests.accounts.provider import Provider, running
from tests.backoffice.conftest import text
from tests.throttling import at_most

PAGE = "/gestion/reglages/franceconnect/"
SECRET = "un-secret-que-personne-ne-relit"
GOOD = {
    "issuer": "https://oidc.franceconnect.gouv.fr/api/v2/.well-known/openid-configuration",
    "client_id": " la-commune ",
    "secret": SECRET,
    "label": "",
    "enabled": "on",
}


def kept() -> IdentityProvider:
    return provider_of(current_townhall())


@pytest.fixture
def provider(town: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    cache.clear()
    lies.patience(monkeypatch)
    with running() as found:
        yield found


def test_written_and_never_shown_again(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    answer = browsers.manager.post(PAGE, GOOD, follow=True)
    assert "Les réglages de connexion sont enregistrés." in text(answer)
    found = kept()
    assert (found.issuer, found.client_id) == ("https://oidc.franceconnect.gouv.fr/api/v2", "la-commune")
    assert (found.label, found.enabled, found.secret) == ("FranceConnect", True, SECRET)
    assert found.is_offered
    assert SECRET not in answer.content.decode()
    assert SECRET not in str(TownHall.objects.values().get())
    assert found.sealed not in answer.content.decode()
    entry = AuditEntry.objects.get(verb="townhall.identity_provider_changed")
    assert entry.actor == people.manager.audit_name
    assert entry.new["client_id"] == "la-commune"
    assert SECRET not in str(entry.new)
    assert found.sealed not in str(entry.new) + str(entry.old)


def test_an_empty_secret_keeps_the_one_there_is(browsers: SimpleNamespace) -> None:
    browsers.manager.post(PAGE, GOOD)
    browsers.manager.post(PAGE, {**GOOD, "secret": "", "label": " Ma  région "})
    assert (kept().secret, kept().label) == (SECRET, "Ma région")
    browsers.manager.post(PAGE, {**GOOD, "secret": ""})
    again = AuditEntry.objects.filter(verb="townhall.identity_provider_changed").count()
    browsers.manager.post(PAGE, {**GOOD, "secret": ""})
    assert AuditEntry.objects.filter(verb="townhall.identity_provider_changed").count() == again
    browsers.manager.post(PAGE, {**GOOD, "secret": "another"})
    assert kept().secret == "another"
    browsers.manager.post(PAGE, {**GOOD, "secret": "", "enabled": ""})
    assert not kept().is_offered


def test_a_secret_is_never_sent_to_another_issuer(browsers: SimpleNamespace) -> None:
    """Or whoever manages the town could read it at an address of their own."""
    browsers.manager.post(PAGE, GOOD)
    elsewhere = {**GOOD, "issuer": "https://a-moi.example", "secret": ""}
    answer = browsers.manager.post(PAGE, elsewhere)
    assert answer.status_code == 422
    assert "Écrivez la clé secrète" in text(answer)
    assert kept().secret == SECRET
    browsers.manager.post(PAGE, {**elsewhere, "enabled": ""})
    assert (kept().issuer, kept().secret) == ("https://a-moi.example", "")
    browsers.manager.post(PAGE, {**GOOD, "secret": "", "enabled": ""})
    assert kept().secret == ""  # it does not come back either


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"issuer": "http://oidc.franceconnect.gouv.fr/"}, "commence par https://"),
        ({"issuer": "https://a:b@fc.example/"}, "commence par https://"),
        ({"issuer": "franceconnect"}, "commence par https://"),
        ({"issuer": ""}, "Écrivez l'adresse du fournisseur"),
        ({"client_id": " "}, "Écrivez l'identifiant client"),
        ({"secret": ""}, "Écrivez la clé secrète"),
        ({"label": "x" * 41}, "40"),
    ],
    ids=str,
)
def test_refused_with_a_reason(browsers: SimpleNamespace, change: dict[str, str], sentence: str) -> None:
    answer = browsers.manager.post(PAGE, {**GOOD, **change})
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert SECRET not in answer.content.decode()
    assert kept() == IdentityProvider()


def test_half_written_while_it_is_not_offered(browsers: SimpleNamespace) -> None:
    assert browsers.manager.post(PAGE, {"issuer": GOOD["issuer"]}).status_code == 302
    assert not kept().is_offered


def test_only_managers(browsers: SimpleNamespace) -> None:
    for who, status in (("reader", 403), ("clerk", 403), ("alice", 404)):
        assert getattr(browsers, who).post(PAGE, GOOD).status_code == status
        assert getattr(browsers, who).post(PAGE, {"quoi": "essayer"}).status_code == status
    assert kept() == IdentityProvider()


def test_the_addresses_to_declare(browsers: SimpleNamespace) -> None:
    page = text(browsers.manager.get(PAGE))
    assert "mairie.localhost" in page
    assert "/connexion/fc/retour/" in page


def attempt(browsers: SimpleNamespace, issuer: str) -> str:
    browsers.manager.post(PAGE, {**GOOD, "issuer": issuer, "enabled": ""})
    answer = browsers.manager.post(PAGE, {"quoi": "essayer"})
    assert answer.status_code == 200
    return text(answer)


def test_a_connection_test_that_succeeds(browsers: SimpleNamespace, provider: Provider) -> None:
    page = attempt(browsers, provider.issuer)
    assert "L'adresse est la bonne" in page
    assert "2 clés de signature lues" in page
    provider.keys = lies.public(lies.EC)  # looked at again, whatever was kept
    assert "1 clé de signature lue" in attempt(browsers, provider.issuer)


def test_nothing_to_try(browsers: SimpleNamespace) -> None:
    assert "Enregistrez d'abord" in text(browsers.manager.post(PAGE, {"quoi": "essayer"}))


def test_a_connection_test_says_what_is_wrong(browsers: SimpleNamespace, provider: Provider) -> None:
    path = "/.well-known/openid-configuration"
    for fault, sentence in (
        (lies.status(404), "rien ne ressemble à un fournisseur"),
        (lies.status(500), "ne répond pas"),
        (lies.status(301, Location="/"), "renvoie vers une autre"),
        (lies.body(b"<html>"), "rien ne ressemble à un fournisseur"),
    ):
        provider.faults[path] = fault
        page = attempt(browsers, provider.issuer)
        assert "L'essai n'a pas réussi" in page
        assert sentence in page
    del provider.faults[path]
    for document, sentence in (
        ({"issuer": "https://fc.example"}, "sous un autre nom"),
        ({"token_endpoint": None}, "une adresse qui manque"),
        (
            {"id_token_signing_alg_values_supported": ["none"]},
            "signe d'une façon que ce portail n'accepte pas",
        ),
        ({"token_endpoint_auth_methods_supported": ["tls_client_auth"]}, "une clé d'une autre sorte"),
    ):
        provider.document = document
        assert sentence in attempt(browsers, provider.issuer)
    provider.document, provider.keys = {}, {"keys": []}
    assert "Les clés de signature du fournisseur sont illisibles" in attempt(browsers, provider.issuer)


@override_settings(INSIDE_HOSTS=[])
def test_our_own_network_says_nothing_of_itself(browsers: SimpleNamespace) -> None:
    inside = attempt(browsers, "https://127.0.0.1:5432")
    nowhere = attempt(browsers, "https://nulle.part.invalid")
    sentence = "Cette adresse n'existe pas sur Internet."
    assert sentence in inside
    assert sentence in nowhere


def test_connection_tests_are_counted(browsers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid, "CONNECTION_TESTS", at_most(openid.CONNECTION_TESTS, 1))
    with override_settings(INSIDE_HOSTS=[]):
        assert "Trop d'essais" not in attempt(browsers, "https://127.0.0.1")
        assert "Trop d'essais" in attempt(browsers, "https://127.0.0.1")


def test_a_copy_of_the_town_has_no_keys(browsers: SimpleNamespace) -> None:
    browsers.manager.post(PAGE, GOOD)
    copies.announce()
    found = kept()
    assert (found.enabled, found.sealed, found.secret) == (False, "", "")
    assert found.issuer  # what to ask keys for is no secret
    copies.announce()


def test_restored_on_another_platform(browsers: SimpleNamespace) -> None:
    browsers.manager.post(PAGE, GOOD)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert not kept().is_offered
        assert kept().secret == ""
    assert kept().is_offered
    TownHall.objects.update(identity_provider={**current_townhall().identity_provider, "sealed": "gAAAAA"})
    assert "écrivez-la à nouveau" in text(browsers.manager.get(PAGE))
