"""Another address: the old one redirects, every link already sent still serves, nobody else may take it."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.online.paying import start_payment
from tenant_apps.products.models import Product
from tenant_apps.residents.activation import handle_links, request_activation
from tenants.errors import Busy, TownExists
from tenants.hosts import registry
from tenants.life import renaming, services
from tenants.models import Domain, Operation, Town
from tenants.states import TownState
from tenants.work import operations
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator

OLD, NEW = "mairie.localhost", "ville.localhost"


def address(host: str) -> str:
    return registry.address(host)


def test_the_old_address_redirects(manage: Any, visit: Any) -> None:
    schema = Town.objects.get(slug="mairie").schema_name
    said = manage("rename_town", "mairie", "ville")
    assert f"répond maintenant à {address(NEW)}" in said
    town = Town.objects.get(slug="ville")
    assert town.schema_name == schema
    assert registry.address_of(town) == address(NEW)
    assert visit(NEW).status_code == 200
    for method, status in (("get", 301), ("head", 301), ("post", 308), ("put", 308)):
        answer = visit(OLD, "/contact/?produit=EAU&x=%2F", method)
        assert (answer.status_code, answer["Location"]) == (
            status,
            f"{address(NEW)}/contact/?produit=EAU&x=%2F",
        )
    assert visit(OLD, "//evil.example/")["Location"].startswith(f"{address(NEW)}/")
    entry = AuditEntry.objects.get(verb="town.renamed")
    assert (entry.old["slug"], entry.new["slug"]) == ("mairie", "ville")


def test_back_again_without_a_loop(manage: Any, visit: Any) -> None:
    manage("rename_town", "mairie", "ville")
    assert visit(OLD)["Cache-Control"] == "no-cache"  # two redirects kept by a browser would be a loop
    manage("rename_town", "ville", "mairie")
    assert visit(OLD).status_code == 200
    assert visit(NEW)["Location"] == f"{address(OLD)}/"
    manage("rename_town", "mairie", "hotel-de-ville")
    for former in (OLD, NEW):
        assert visit(former)["Location"] == f"{address('hotel-de-ville.localhost')}/"
    assert Domain.objects.filter(tenant__slug="hotel-de-ville").count() == 3


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("Ville", "ne convient pas"),
        ("a.b", "ne convient pas"),
        ("xn--mairi-esa", "ne convient pas"),
        ("", "ne convient pas"),
        ("admin", "réservé"),
        ("pechabou", "autre commune"),
        ("ancienne", "autre commune"),
    ],
)
def test_refused(db: None, manage: Any, new: str, words: str) -> None:
    manage("rename_town", "pechabou", "ancienne")
    manage("rename_town", "ancienne", "pechabou")
    asked = Operation.objects.count()
    with pytest.raises(CommandError, match=words):
        manage("rename_town", "mairie", new)
    assert Town.objects.get(slug="mairie").slug == "mairie"
    assert Operation.objects.count() == asked


def test_an_old_address_is_nobody_else_s(manage: Any) -> None:
    manage("rename_town", "mairie", "ville")
    with pytest.raises(CommandError, match="a été la sienne"):
        manage("create_town", "mairie", "Une autre", "--contact", "x@example.org")
    with pytest.raises(CommandError, match="autre commune"):
        manage("rename_town", "pechabou", "mairie")
    with pytest.raises(CommandError, match="Aucune commune"):
        manage("rename_town", "mairie", "encore")


def test_a_closed_town_keeps_its_address(db: None, manage: Any) -> None:
    Town.objects.filter(slug="mairie").update(state=TownState.CLOSED)
    with pytest.raises(CommandError, match="ne peut pas changer"):
        manage("rename_town", "mairie", "ville")


def test_asked_of_the_worker_and_done_once(town: Town) -> None:
    operation = renaming.request_renaming(town=town, slug="ville", actor="system")
    with pytest.raises(Busy):
        renaming.request_renaming(town=town, slug="autre", actor="system")
    assert operations.perform(operation.pk).state == "done"
    # Killed after its transaction, before the row said so: done again, it changes nothing.
    Operation.objects.update(state="running", due_at=timezone.now())
    assert operations.perform(operation.pk).state == "done"
    assert Domain.objects.filter(tenant=town).count() == 2


def test_taken_between_the_asking_and_the_doing(town: Town) -> None:
    operation = renaming.request_renaming(town=town, slug="ville", actor="system")
    services.open_town(slug="ville", name="Une autre")
    failed = operations.perform(operation.pk)
    assert (failed.state, "autre commune" in failed.error) == ("failed", True)
    town.refresh_from_db()
    assert town.slug == "mairie"
    with pytest.raises(TownExists):
        renaming.request_renaming(town=town, slug="ville", actor="system")


def test_the_link_of_a_mail_already_sent(town: Town, make_account: Any, make_payer: Any, manage: Any) -> None:
    make_payer(email="alice@example.net")
    make_account("alice@example.net", password=None)
    request_activation(email="alice@example.net")
    handle_links()
    url = re.search(r"http\S+LIEN=X[0-9a-f]{32}", OutgoingMail.objects.get(kind="link-activation").text)
    assert url
    manage("rename_town", "mairie", "ville")
    old = urlsplit(url[0])
    answer = Client(headers={"host": old.netloc}).get(f"{old.path}?{old.query}")
    assert answer.status_code == 301
    assert answer["Referrer-Policy"] == "no-referrer"
    new = urlsplit(answer["Location"])
    assert new.query == old.query
    browser = Client(headers={"host": new.netloc})
    assert browser.get(f"{new.path}?{new.query}")["Location"] == "/lien/"
    assert browser.post("/lien/", {"password": "un mot de passe bien long"}).status_code == 200


def test_a_payment_in_flight(
    town: Town, make_account: Any, make_payer: Any, make_invoice: Any, simulator: Simulator, manage: Any
) -> None:
    alice = make_account("alice@example.net")
    invoice = make_invoice(make_payer(alice))
    attempt = start_payment(actor=alice, invoice=invoice).attempt
    back = urlsplit(simulator.operation(attempt.operation)["fields"]["urlredirect"])
    assert back.hostname == OLD
    simulator.act(attempt.operation, "pay")
    manage("rename_town", "mairie", "ville")
    renamed = Town.objects.get(slug="ville")
    for host, path in ((OLD, back.path), ("paiement.localhost", "/payfip/notification/")):
        answer = Client(headers={"host": host}).get(path, {"idop": attempt.operation})
        assert answer.status_code == (301 if host == OLD else 200)
    with tenant_context(renamed):
        browser = Client(headers={"host": NEW})
        browser.force_login(alice)
    assert "paiement est enregistré" in browser.get(back.path).content.decode()  # which asks the Treasury
    with tenant_context(renamed):
        attempt.refresh_from_db()
        assert attempt.state == "paid"


def test_a_tipi_callback_in_flight(
    town: Town, make_account: Any, make_payer: Any, make_invoice: Any, manage: Callable[..., str]
) -> None:
    Product.objects.update(protocol="tipi")
    alice = make_account("alice@example.net")
    url = start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).url
    fields = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    manage("rename_town", "mairie", "ville")
    path = urlsplit(fields.pop("urlcl")).path
    told = {**fields, "resultrans": "P", "numauto": "1", "dattrans": "24112026", "heurtrans": "1030"}
    assert Client(headers={"host": "paiement.localhost"}).post(path, told).status_code == 200
    with tenant_context(Town.objects.get(slug="ville")):
        assert Attempt.objects.get().state == "reported"
