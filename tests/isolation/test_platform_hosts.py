"""The platform's own hosts: the operator's pages are for operators, and each host has its own addresses only."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_tenants.utils import schema_context, tenant_context

from shared_apps.accounts.models import Role
from tenants.models import Town
from tenants.states import TownState
from tests.isolation.test_routes import names

OPEN_TO_ALL = {"login", "jsi18n", "logout"}


def plain_paths() -> Iterator[tuple[str, str]]:
    """(name, path) of every admin route that needs no id."""

    def walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, route)
            elif isinstance(entry, URLPattern) and "<" not in route and "(" not in route and entry.name:
                yield entry.name, "/" + route

    yield from walk(get_resolver("config.urls_admin"), "")


@pytest.fixture
def operator(db: None, make_account: Any) -> Client:
    with schema_context("public"):
        client = Client(headers={"host": "admin.localhost"})
        client.force_login(make_account("operator@example.net", role=Role.OPERATOR))
    return client


def test_operators_only(town: Town, make_account: Any, operator: Client) -> None:
    manager = Client(headers={"host": "admin.localhost"})
    manager.force_login(make_account("manager@example.net", role=Role.MANAGER))
    nobody = Client(headers={"host": "admin.localhost"})
    paths = [(name, path) for name, path in plain_paths() if name not in OPEN_TO_ALL]
    assert len(paths) > 4
    for name, path in paths:
        for client in (nobody, manager):
            answer = client.get(path)
            assert answer.status_code in (302, 404), (name, path)
            if answer.status_code == 302:
                assert "/login/" in answer["Location"], (name, path)
    assert operator.get("/").status_code == 200
    assert operator.get("/tenants/town/").status_code == 200
    assert b"Mairie de D" in operator.get("/tenants/town/").content


def test_a_row_of_a_town_s_people_is_no_operator(town: Town, make_account: Any) -> None:
    with tenant_context(town):
        fake = make_account("fake@example.net", role=Role.OPERATOR)
        client = Client(headers={"host": "admin.localhost"})
        client.force_login(fake)
    assert client.get("/").status_code == 302


def test_suspend_and_resume(operator: Client, town: Town) -> None:
    resident = Client(headers={"host": "mairie.localhost"})
    for act, status in (("suspend", 503), ("resume", 200)):
        answer = operator.post("/tenants/town/", {"action": act, "_selected_action": [town.pk]}, follow=True)
        assert answer.status_code == 200
        page = resident.get("/")
        assert page.status_code == status
    assert "momentanément fermé" in resident_page_while(operator, town, "suspend")
    town.refresh_from_db()
    assert town.state == TownState.SUSPENDED


def resident_page_while(operator: Client, town: Town, act: str) -> str:
    operator.post("/tenants/town/", {"action": act, "_selected_action": [town.pk]})
    return Client(headers={"host": "mairie.localhost"}).get("/").content.decode()


def test_every_address_of_the_other_hosts_is_known() -> None:
    """Open to the Treasury, to probes and to the proxy on purpose; a new one must be thought about here."""
    for urlconf, expected in (
        ("config.urls_callback", {"treasury:payfip-notification", "treasury:tipi-callback"}),
        ("config.urls_public", {"health-live", "health-ready", "certificate-ask"}),
    ):
        assert set(names(get_resolver(urlconf))) == expected, f"add the new route of {urlconf} to this test"


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("mairie.localhost", "/tenants/town/"),
        ("paiement.localhost", "/tenants/town/"),
        ("paiement.localhost", "/login/"),
        ("localhost", "/login/"),
        ("admin.localhost", "/factures/"),
        ("admin.localhost", "/gestion/"),
        ("paiement.localhost", "/"),
    ],
)
def test_no_host_has_another_s_addresses(town: Town, host: str, path: str) -> None:
    assert Client(headers={"host": host}).get(path).status_code == 404


def test_health_is_on_every_host(db: None) -> None:
    for host in ("10.0.0.1", "mairie.localhost", "admin.localhost"):
        assert Client(headers={"host": host}).get("/healthz/live").status_code == 200
        assert Client(headers={"host": host}).get("/healthz/ready").json() == {
            "postgresql": True,
            "redis": True,
        }
