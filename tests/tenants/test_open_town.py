"""Opening a town: it serves at once, or nothing of it exists."""

import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.audit.models import AuditEntry
from shared_apps.console.opening import NewTown, request_opening
from shared_apps.mail.models import OutgoingMail
from tenants.current import current_schema
from tenants.errors import Busy, TownExists
from tenants.life.services import open_town
from tenants.models import Operation, Town
from tenants.work import agenda, operations


def test_a_new_town_serves_at_once_and_its_manager_is_invited(db: None) -> None:
    call_command("create_town", "lauzerte", "Commune de Lauzerte", "--manager", "maire@example.org")
    host = {"host": "lauzerte.localhost"}
    for path in ("/", "/activation/", "/contact/", "/theme.css"):
        assert Client(headers=host).get(path).status_code == 200
    town = Town.objects.get(slug="lauzerte")
    with tenant_context(town):
        mail = OutgoingMail.objects.get(to="maire@example.org")
        token = re.search(r"LIEN=(X[0-9a-f]{32})", mail.text)
        assert token
    browser = Client(headers=host)
    browser.get(f"/?LIEN={token[1]}")
    answer = browser.post("/lien/", {"password": "un mot de passe bien long"})
    assert answer["Location"] == "/gestion/"  # signed in
    assert browser.get("/gestion/").status_code == 200


@pytest.mark.parametrize(
    ("slug", "contact", "words"),
    [
        ("Lauzerte", "x@example.org", "ne convient pas"),
        ("a" * 41, "x@example.org", "ne convient pas"),
        ("lauzerte-", "x@example.org", "ne convient pas"),
        ("xn--lauzert-gva", "x@example.org", "ne convient pas"),
        ("admin", "x@example.org", "réservé"),
        ("paiement", "x@example.org", "réservé"),
        ("mairie", "x@example.org", "existe déjà"),
        ("lauzerte", "no address", "courriel"),
        ("lauzerte", "", "--contact"),
    ],
)
def test_refused_and_nothing_is_kept(db: None, slug: str, contact: str, words: str) -> None:
    def schemas() -> set[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nspname FROM pg_namespace")
            return set(cursor.fetchall())

    before = schemas(), Town.objects.count()
    with pytest.raises(CommandError, match=words):
        call_command("create_town", slug, "Commune", "--contact", contact)
    assert (schemas(), Town.objects.count()) == before


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--siren=213100002", "SIREN"),  # its last digit is wrong
        ("--siren=21310000", "SIREN"),
        ("--insee=2C004", "INSEE"),
        ("--shard=ailleurs", "Aucune base"),
        ("--manager=personne", "courriel"),
        ("--legal-name=" + "x" * 161, "160 caractères"),
    ],
)
def test_a_wrong_detail_is_refused_at_once(db: None, option: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("create_town", "lauzerte", "Commune", "--contact", "x@example.org", option)
    assert not Town.objects.filter(slug="lauzerte").exists()
    assert not Operation.objects.exists()


def test_who_and_what_is_kept(db: None, manage: Any) -> None:
    said = manage(
        *("create_town", "lauzerte", "Lauzerte", "--contact", "x@example.org", "--siren", "218200970"),
        *("--insee", "2A004", "--legal-name", "Commune de Lauzerte"),
    )
    assert "1/3" in said
    assert said.endswith("http://lauzerte.localhost:8000\n") or "://lauzerte.localhost" in said
    town = Town.objects.get(slug="lauzerte")
    assert (town.siren, town.insee, town.legal_name) == ("218200970", "2A004", "Commune de Lauzerte")
    entry = AuditEntry.objects.get(verb="town.opened", object=f"town:{town.uuid}")
    assert (entry.actor, entry.new["slug"]) == ("system", "lauzerte")
    operation = Operation.objects.get(subject="lauzerte")
    assert (operation.state, operation.town, operation.done) == ("done", town, 3)
    with pytest.raises(CommandError, match="existe déjà"):
        manage("create_town", "lauzerte", "Lauzerte", "--contact", "x@example.org")
    assert Operation.objects.count() == 1


def test_asked_of_the_worker(db: None) -> None:
    new = NewTown(slug="lauzerte", name="Lauzerte", contact_email="x@example.org")
    operation = request_opening(actor="system", new=new)
    with pytest.raises(Busy):
        request_opening(actor="system", new=new)
    assert operations.perform(operation.pk).state == "done"
    assert Client(headers={"host": "lauzerte.localhost"}).get("/").status_code == 200
    with pytest.raises(TownExists):
        request_opening(actor="system", new=new)


def test_a_furniture_that_breaks_keeps_nothing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared_apps.console.opening.set_up_first_product", lambda **fields: 1 / 0)
    new = NewTown(slug="lauzerte", name="Lauzerte", contact_email="x@example.org")
    operation = operations.perform(request_opening(actor="system", new=new).pk)
    assert (operation.state, "ZeroDivisionError" in operation.error) == ("waiting", True)
    assert not Town.objects.filter(slug="lauzerte").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 't_lauzerte'")
        assert cursor.fetchone() is None
    monkeypatch.undo()
    Operation.objects.update(due_at=timezone.now())
    assert operations.perform(operation.pk).state == "done"


def test_what_its_furniture_asks_for_is_asked_in_its_name(
    committed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first manager's invitation: the transaction is committed outside the town, and the hint is the town's."""
    asked: list[str] = []
    monkeypatch.setattr(agenda, "hint", lambda task, *args: asked.append(current_schema()))
    town = open_town(slug=committed, name="Commune d'essai", furnish=lambda town: agenda.wake("links"))
    assert asked
    assert set(asked) == {town.schema_name}
