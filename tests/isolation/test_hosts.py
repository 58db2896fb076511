"""Which host leads to which town, in every state of its life; and what is never believed."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents.activation import handle_links
from tenants.hosts import registry
from tenants.models import Domain, DomainKind, Town
from tenants.states import TownState
from tests.conftest import PASSWORD

NOT_SERVED = {
    "en-ouverture": TownState.OPENING,
    "suspendue": TownState.SUSPENDED,
    "fermee": TownState.CLOSED,
}


@pytest.fixture
def hosts(town: Town, other_town: Town) -> Town:
    """A town with a former address, a domain not yet proven and two proven; one that closes; one a state."""
    for kind, host, proven in (
        (DomainKind.FORMER, "ancienne.localhost", None),
        (DomainKind.CUSTOM, "pas-encore.example.fr", None),
        (DomainKind.CUSTOM, "factures.example.fr", timezone.now()),
        (DomainKind.CUSTOM, "xn--guilles-9xa.example.fr", timezone.now()),
    ):
        Domain.objects.create(tenant=town, domain=host, kind=kind, proven_at=proven, is_primary=False)
    Town.objects.filter(pk=other_town.pk).update(state=TownState.CLOSING, closes_at=timezone.now())
    for slug, state in NOT_SERVED.items():
        # Were one of them served, it would be with the first town's pages.
        (found,) = Town.objects.bulk_create(
            [Town(slug=slug, name=slug, schema_name=f"t_{slug}", state=state)]
        )
        Domain.objects.create(tenant=found, domain=f"{slug}.localhost")
    registry.forget()
    return town


TABLE = [
    ("mairie.localhost", 200),
    ("MAIRIE.LOCALHOST", 200),
    ("Mairie.localhost.", 200),
    ("mairie.localhost:8000", 200),
    ("MAIRIE.localhost.:443", 200),
    ("mairie.localhost.evil.com", 404),
    ("evil.com.mairie.localhost", 404),
    ("xmairie.localhost", 404),
    ("mairie.localhost@evil.com", 404),
    ("evil.com/mairie.localhost", 404),
    ("mairie.localhost, evil.com", 404),
    ("mairie.localhost:80:80", 404),
    ("mairie.localhost:evil", 404),
    ("[mairie.localhost]", 404),
    ("mairié.localhost", 404),
    ("mairie%2elocalhost", 404),
    ("127.0.0.1", 404),
    ("[::1]:8000", 404),
    ("inconnue.localhost", 404),
    ("", 404),
    ("en-ouverture.localhost", 404),
    ("suspendue.localhost", 503),
    ("SUSPENDUE.localhost.", 503),
    ("pechabou.localhost", 200),
    ("fermee.localhost", 410),
    ("ancienne.localhost", 301),
    ("ANCIENNE.localhost.:8000", 301),
    ("ancienne.localhost.evil.com", 404),
    ("pas-encore.example.fr", 404),
    ("PAS-ENCORE.example.fr.", 404),
    ("factures.example.fr", 200),
    ("FACTURES.Example.FR.:443", 200),
    ("factures.example.fr.evil.com", 404),
    ("www.factures.example.fr", 404),
    ("example.fr", 404),
    ("xn--guilles-9xa.example.fr", 200),
    ("XN--Guilles-9XA.example.fr", 200),
    ("éguilles.example.fr", 404),  # no browser sends that
]


def test_every_host(hosts: Town) -> None:
    answers = {host: Client(headers={"host": host}).get("/activation/") for host, _status in TABLE}
    assert {host: answer.status_code for host, answer in answers.items()} == dict(TABLE)
    for host, answer in answers.items():
        if answer.status_code == 301:
            assert answer["Location"] == f"{registry.address('mairie.localhost')}/activation/"
        if answer.status_code != 200:
            assert not answer.cookies, host
            assert b"<form" not in answer.content, host
    assert b"Pechabou" in answers["pechabou.localhost"].content
    assert b"Pechabou" not in answers["factures.example.fr"].content


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"])
def test_no_other_header_names_the_town(hosts: Town, header: str) -> None:
    value = "host=pechabou.localhost" if header == "Forwarded" else "pechabou.localhost"
    known = Client(headers={"host": "mairie.localhost", header: value}).get("/")
    assert "Mairie de Démonstration" in known.content.decode()
    assert "Pechabou" not in known.content.decode()
    assert Client(headers={"host": "inconnue.localhost", header: value}).get("/").status_code == 404
    assert (
        "evil" not in Client(headers={"host": "ancienne.localhost", header: "evil.com"}).get("/")["Location"]
    )


def test_links_never_follow_the_host_of_a_request(hosts: Town, make_account: Any) -> None:
    """A message asked for through any of the town's hosts leads to the primary one (no poisoned reset link)."""
    make_account("alice@example.net")
    for host in ("factures.example.fr", "MAIRIE.localhost.:9999"):
        Client(headers={"host": host}).post("/mot-de-passe-oublie/", {"email": "alice@example.net"})
    with tenant_context(hosts):
        handle_links()
    mail = OutgoingMail.objects.filter(kind="link-reset").get()
    assert f"{registry.address('mairie.localhost')}/?LIEN=" in mail.text
    assert "9999" not in mail.text + mail.html
    assert "example.fr" not in mail.text + mail.html


def test_where_to_go_after_signing_in_stays_on_the_host(hosts: Town, make_account: Any) -> None:
    make_account("alice@example.net")
    browser = Client(headers={"host": "mairie.localhost"})
    told: dict[str, Any] = {"email": "alice@example.net", "password": PASSWORD}
    for away in ("https://evil.com/", "//evil.com/", "http://factures.example.fr/", "/\\evil.com"):
        answer = browser.post("/", {**told, "suite": away})
        assert answer["Location"] == "/factures/"
