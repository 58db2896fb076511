"""The platform's own hosts: the operator's pages are for operators, and each host has its own addresses only."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_tenants.utils import schema_context, tenant_context

from shared_apps.accounts.models import Account, Role
from tenant_apps.products.models import Product
from tenants.models import Erasure, Operation, Town
from tenants.states import TownState
from tenants.work import operations
from tests.isolation.test_routes import names

TO_PROGRAMS = {"security-txt", "robots-txt"}
OPEN_TO_ALL = {"login", "jsi18n", "logout"} | TO_PROGRAMS
# The admin's own, refused to everybody: no row is added by a form of its own.
UNUSED = {
    "autocomplete",
    *(f"tenants_{name}_add" for name in ("town", "operation", "erasure")),
    *("audit_auditentry_add", "treasury_unmatchednotification_add"),
}
# The admin's own addresses by content type or app, which answer 404 or lead to the sign-in.
GENERIC = {"view_on_site", "app_list"}
STEPS = {"sign-in-code", "sign-in-enrolment"}  # after the password only: they lead back to it


def plain_paths() -> Iterator[tuple[str, str]]:
    """(name, path) of every admin route that needs no id."""

    def walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, route)
            elif isinstance(entry, URLPattern) and "<" not in route and "(" not in route and entry.name:
                yield entry.name, "/" + route

    yield from walk(get_resolver("config.urls.admin"), "")


def addresses(town: Town, console: Client, person: str) -> dict[str, str]:
    """Every route that needs an id, with real ones; a new one must be added here."""
    export = Operation.objects.create(
        kind="export", subject="x", state="done", result={"key": "k", "name": "n"}
    )
    erasure = Erasure.objects.create(
        town_uuid=town.uuid, slug="x", name="X", requested_by="system", reason="x"
    )
    opened = Operation.objects.create(
        kind="open-list", subject="y", state="done", result={"towns": [[2, "a", "A", "opened", ""]]}
    )
    with tenant_context(town):
        product = Product.objects.get(is_default=True).pk
    operation = operations.request(kind="open", subject="lauzerte", actor="system", arguments={}, town=None)
    return {
        "town": "/communes/mairie/",
        "town-team": "/communes/mairie/equipe/",
        "town-hosts": "/communes/mairie/adresses/",
        "town-operations": "/communes/mairie/operations/",
        "town-trail": "/communes/mairie/journal/",
        "town-details": "/communes/mairie/identite/",
        "act": "/communes/mairie/suspendre/",
        "products": "/communes/mairie/regies/",
        "add-product": "/communes/mairie/regies/ajouter/",
        "product": f"/communes/mairie/regies/{product}/",
        "product-act": f"/communes/mairie/regies/{product}/modifier/",
        "domain-act": "/communes/mairie/domaine/verifier/",
        "intervene": f"/communes/mairie/intervenir/{person}/",
        "forget-factor": f"/communes/mairie/second-facteur/{person}/",
        "operation": f"/operations/{operation.uuid}/",
        "operation-progress": f"/operations/{operation.uuid}/etat/",
        "retry-operation": f"/operations/{operation.uuid}/reprendre/",
        "download-archive": f"/operations/{operation.uuid}/archive/",
        "restore-export": f"/operations/{export.uuid}/restaurer/",
        "list-report": f"/operations/{opened.uuid}/rapport/",
        "certificate": f"/effacements/{erasure.uuid}/",
        "tenants_erasure_change": f"/tenants/erasure/{erasure.pk}/change/",
        "tenants_town_change": f"/tenants/town/{town.pk}/change/",
        "tenants_operation_change": f"/tenants/operation/{operation.pk}/change/",
    }


def ids_routes() -> set[str]:
    """The console's own routes that take an id (the admin's generic ones are refused by their permissions)."""
    found = set()
    for entry in get_resolver("config.urls.admin").url_patterns[0].url_patterns[0].url_patterns:
        if isinstance(entry, URLPattern) and "<" in str(entry.pattern) and entry.name not in GENERIC:
            found.add(str(entry.name))
    return found


@pytest.fixture
def strangers(town: Town, make_account: Any, operator: Account) -> dict[str, Client]:
    """Everybody who is no operator with a verified second factor."""
    manager = Client(headers={"host": "admin.localhost"})
    manager.force_login(make_account("manager@example.net", role=Role.MANAGER))
    with schema_context("public"):
        half = Client(headers={"host": "admin.localhost"})
        half.force_login(operator)  # a session that no code has opened
        reader = Client(headers={"host": "admin.localhost"})
        reader.force_login(make_account("reader@example.net", role=Role.READER))
    nobody = Client(headers={"host": "admin.localhost"})
    return {"manager": manager, "half": half, "reader": reader, "nobody": nobody}


def test_operators_only(town: Town, make_account: Any, console: Client, strangers: dict[str, Client]) -> None:
    agent = make_account("agent@example.net", role=Role.CLERK)
    with schema_context("public"):
        known = addresses(town, console, str(agent.uuid))
    missing = ids_routes() - set(known)
    assert not missing, f"add {sorted(missing)} to addresses()"
    paths = [(name, path) for name, path in plain_paths() if name not in OPEN_TO_ALL]
    assert len(paths) > 8
    for name, path in [*paths, *known.items()]:
        for who, client in strangers.items():
            for ask in (client.get, client.post):
                answer = ask(path)
                assert answer.status_code in (302, 404), (name, path, who)
                if answer.status_code == 302:
                    assert "/login/" in answer["Location"], (name, path, who)
        if name not in STEPS | UNUSED:
            assert console.get(path).status_code in (200, 302, 405), (name, path)
    town.refresh_from_db()
    assert town.state == TownState.OPEN
    assert b"Mairie de D" in console.get("/tenants/town/").content


def test_a_row_of_a_town_s_people_is_no_operator(town: Town, make_account: Any) -> None:
    with tenant_context(town):
        fake = make_account("fake@example.net", role=Role.OPERATOR)
        client = Client(headers={"host": "admin.localhost"})
        client.force_login(fake)
    assert client.get("/").status_code == 302


def test_suspend_and_resume(console: Client, town: Town) -> None:
    resident = Client(headers={"host": "mairie.localhost"})
    for act, status, words in (("suspendre", 503, "momentanément fermé"), ("rouvrir", 200, "Connexion")):
        assert console.post(f"/communes/mairie/{act}/", {"reason": ""}).status_code == 422
        answer = console.post(f"/communes/mairie/{act}/", {"reason": "Demande du maire"})
        assert answer["Location"] == "/communes/mairie/"
        page = resident.get("/")
        assert page.status_code == status
        assert words in page.content.decode()


def test_every_address_of_the_other_hosts_is_known() -> None:
    """Open to the Treasury, to probes and to the proxy on purpose; a new one must be thought about here."""
    for urlconf, expected in (
        ("config.urls.callback", {"treasury:payfip-notification", "treasury:tipi-callback"} | TO_PROGRAMS),
        (
            "config.urls.public",
            {"health-live", "health-ready", "health-databases", "certificate-ask"} | TO_PROGRAMS,
        ),
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
            "schema": True,
            "redis": True,
        }
