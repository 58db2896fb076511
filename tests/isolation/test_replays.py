"""What was made in one town, tried on another: cookies, tokens, ids, links, notifications open nothing there."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from django.urls import reverse
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, LinkPurpose, Role
from shared_apps.accounts.services import ask_link, make_token
from tenant_apps.invoices.models import Document
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.online.paying import start_payment
from tests.isolation.table import TOWN
from tests.isolation.test_routes import World
from tests.isolation.test_routes import world as world
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator
from tests.staff import open_session
from toolkit.files.storage import document_key

HERE, THERE = "mairie.localhost", "pechabou.localhost"


def at(host: str, cookies: dict[str, str] | None = None) -> Client:
    client = Client(enforce_csrf_checks=True, headers={"host": host})
    for name, value in (cookies or {}).items():
        client.cookies[name] = value
    return client


def is_nobody(client: Client) -> bool:
    return str(client.get("/factures/").headers.get("Location", "")).startswith("/?suite=")


def test_a_session_and_its_csrf_cookie(world: World) -> None:
    signed_in = world.client("alice")
    signed_in.get("/")
    cookies = {name: morsel.value for name, morsel in signed_in.cookies.items()}
    stolen = at(THERE, cookies)
    assert is_nobody(stolen)
    answer = stolen.post("/mes-informations/", {"csrfmiddlewaretoken": cookies.get("csrf", "x" * 32)})
    assert answer.status_code in (302, 403)
    assert "/?suite=" in answer.get("Location", "/?suite=")


def test_the_same_session_id_in_both_towns(world: World) -> None:
    """By chance or by force: the row of the other town names its own person, signed for another password."""
    key = world.client("alice").cookies["session"].value
    with tenant_context(world.other):
        diane = Client(headers={"host": THERE})
        diane.force_login(world.people["diane"])
        theirs = Session.objects.get(session_key=diane.cookies["session"].value)
        Session.objects.create(
            session_key=key, session_data=theirs.session_data, expire_date=theirs.expire_date
        )
    page = at(THERE, {"session": key}).get("/mes-informations/").content.decode()
    assert "diane@example.org" in page
    assert "alice@example.net" not in page
    page = at(HERE, {"session": key}).get("/mes-informations/").content.decode()
    assert "alice@example.net" in page
    assert "diane@example.org" not in page


def test_a_session_row_copied_into_the_other_town(world: World) -> None:
    """Even with the other's row in our table, and a person of the same number here, its hash is not theirs."""
    key = world.client("alice").cookies["session"].value
    with tenant_context(world.town):
        row = Session.objects.get(session_key=key)
    with tenant_context(world.other):
        Session.objects.create(session_key=key, session_data=row.session_data, expire_date=row.expire_date)
        Account.objects.filter(pk=world.people["diane"].pk).update(
            id=world.people["alice"].pk, password=make_password("un mot de passe à elle")
        )
    assert is_nobody(at(THERE, {"session": key}))


def test_a_lien_token(world: World) -> None:
    with tenant_context(world.town):
        link = ask_link(purpose=LinkPurpose.RESET, email="alice@example.net", account=world.people["alice"])
        token = make_token(link=link)
    there = Client(headers={"host": THERE})
    for _twice in range(2):
        assert there.get(f"/?LIEN={token}").status_code == 410
    assert there.get("/lien/").status_code == 410
    assert there.post("/lien/", {"password": "un mot de passe bien long"}).status_code == 410
    assert Client(headers={"host": HERE}).get(f"/?LIEN={token}")["Location"] == "/lien/"  # not used up


def test_a_signed_link(world: World) -> None:
    """Signed for one key: with the key of another town's document, or without its signature, S3 refuses."""
    storage = storages["documents"]
    keys = {}
    for town in (world.town, world.other):
        document = Document(key="", sha256="0" * 64, size=1, pages=1)
        keys[town.slug] = document_key(town=town.uuid, year=2026, document=town.uuid)
        storage.save(keys[town.slug], ContentFile(town.slug.encode()))
        document.key = keys[town.slug]
        with tenant_context(town):
            document.save()
    link = storage.signed_link(keys["mairie"], filename="facture.pdf")
    parts = urlsplit(link)
    assert requests.get(link, timeout=10).content == b"mairie"
    tampered = link.replace(keys["mairie"], keys["pechabou"])
    assert tampered != link
    for forged in (tampered, link.split("?")[0], tampered.split("?")[0], f"{parts.scheme}://{parts.netloc}/"):
        answer = requests.get(forged, timeout=10)
        assert answer.status_code in (400, 403), forged
        assert b"pechabou" not in answer.content


def test_the_ids_of_an_invoice_and_of_its_payment(world: World, simulator: Simulator) -> None:
    alice = world.people["alice"]
    attempt = start_payment(actor=alice, invoice=world.invoice).attempt
    with tenant_context(world.other):
        diane = Client(headers={"host": THERE})
        diane.force_login(world.people["diane"])
    for route in (
        "portal:invoice",
        "portal:invoice-pdf",
        "portal:pay",
        "portal:payment-return",
        "portal:payment-state",
    ):
        path = reverse(route, urlconf="config.urls.town", kwargs={"public_id": world.invoice.uuid})
        assert diane.get(path, {"idop": attempt.operation}).status_code == 404, route
    assert diane.post(f"/factures/{world.invoice.uuid}/payer/").status_code == 404
    with tenant_context(world.town):
        attempt.refresh_from_db()
        assert attempt.state == "started"


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RESIDENT])
def test_every_id_of_a_town_is_absent_in_the_other(world: World, make_account: Any, role: Role) -> None:
    """At their own host, with rights to everything there: an id of here opens nothing, by GET or POST."""
    with tenant_context(world.other):
        stranger = Client(headers={"host": THERE})
        open_session(stranger, make_account("stranger@example.org", role=role))
    addresses = {route: world.address(route) for route in TOWN}
    named = {route: path for route, path in addresses.items() if re.search(r"[0-9a-f]{8}-", path)}
    assert len(named) > 50
    for route, path in named.items():
        asked, written = stranger.get(path), stranger.post(path)
        assert asked.status_code in (404, 405), route
        assert written.status_code in (404, 405), route
        assert 404 in (asked.status_code, written.status_code), route


def test_a_notification_arrives_in_its_own_town_only(
    world: World, simulator: Simulator, make_payer: Any, make_invoice: Any
) -> None:
    with tenant_context(world.other):
        theirs = start_payment(
            actor=world.people["diane"], invoice=make_invoice(make_payer(world.people["diane"]))
        ).attempt
    assert theirs.operation
    before = attempts(world)
    Client(headers={"host": "paiement.localhost"}).get("/payfip/notification/", {"idop": theirs.operation})
    assert attempts(world) == before
    with tenant_context(world.other):
        rung = Attempt.objects.get(pk=theirs.pk)
    assert theirs.next_check_at
    assert rung.next_check_at
    assert rung.next_check_at < theirs.next_check_at


def attempts(world: World) -> list[dict[str, Any]]:
    with tenant_context(world.town):
        return list(Attempt.objects.order_by("pk").values("pk", "state", "next_check_at"))
