"""A town that lives on a second cluster is a town like the others, and its rows are nowhere else."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from sandbox.samples import batch
from shared_apps.accounts.models import Account, Role
from shared_apps.mail.content import Content
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.services import compose, queue
from shared_apps.mail.tasks import deliver_outbox
from shared_apps.treasury.models import Route
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.online.paying import start_payment
from tenant_apps.payments.tasks import check_due
from tenant_apps.products.queries import default_product
from tenant_apps.residents.models import Access, Payer
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall.queries import letterhead
from tenants.current import REGISTRY, current_schema, current_shard, in_shard
from tenants.hosts import registry
from tenants.life import services
from tenants.models import AgendaItem, Domain, Town
from tenants.schema import migrating, versions
from tenants.states import TownState
from tenants.work import agenda
from tests.payments.conftest import Simulator, simulator  # noqa: F401
from tests.shards.conftest import SOUTH, Cluster, add_account, browser, count, schemas

pytestmark = pytest.mark.xdist_group("shards")


def add_invoice(town: Town, account: Account, amount: str = "37.50") -> Invoice:
    with tenant_context(town):
        payer = Payer.objects.create(
            source=default_source(), reference="P00001", last_name="MARTIN", first_name="Camille"
        )
        Access.objects.create(account=account, payer=payer)
        return Invoice.objects.create(
            payer=payer,
            product=default_product(),
            amount=Decimal(amount),
            number="2026-001-000001",
            fiscal_year=2026,
            reference="2026001000001",
            subject="FACTURATION",
            issued_on=date(2026, 10, 1),
            due_on=date(2026, 12, 31),
            state=InvoiceState.PUBLISHED,
        )


def test_opened_by_the_command_and_its_manager_comes_in(south: Cluster) -> None:
    call_command(
        "create_town", "lauzerte", "Commune de Lauzerte", "--manager", "maire@example.org", "--shard", SOUTH
    )
    town = Town.objects.get(slug="lauzerte")
    assert (town.shard, town.schema_name in schemas(SOUTH), town.schema_name in schemas(REGISTRY)) == (
        SOUTH,
        True,
        False,
    )
    with tenant_context(town):
        mail = OutgoingMail.objects.get(to="maire@example.org")
    token = re.search(r"LIEN=(X[0-9a-f]{32})", mail.text)
    assert token
    client = browser(town)
    client.get(f"/?LIEN={token[1]}")
    assert client.post("/lien/", {"password": "un mot de passe bien long"})["Location"] == "/gestion/"
    assert client.get("/gestion/").status_code == 200
    services.set_state(town=town, to=TownState.SUSPENDED)
    assert client.get("/").status_code == 503
    services.set_state(town=town, to=TownState.OPEN)
    assert client.get("/gestion/").status_code == 200


def test_a_resident_signs_in_looks_and_pays(southern: Town, simulator: Simulator) -> None:  # noqa: F811
    alice = add_account(southern, "alice@example.net")
    invoice = add_invoice(southern, alice)
    client = browser(southern, "alice@example.net")
    assert "37,50" in client.get("/factures/").content.decode()
    with tenant_context(southern):
        attempt = start_payment(actor=alice, invoice=invoice).attempt
    simulator.act(attempt.operation, "pay")
    with in_shard(SOUTH):
        assert Route.objects.filter(town_id=southern.pk).count() == 1
    with in_shard(REGISTRY):
        assert Route.objects.filter(town_id=southern.pk).count() == 0
    caller = Client(headers={"host": "paiement.localhost"})
    assert caller.post("/payfip/notification/", {"idop": attempt.operation}).status_code == 200
    check_due.apply(headers={"_schema_name": southern.schema_name})
    with tenant_context(southern):
        assert Payment.objects.get().amount == Decimal("37.50")
        assert Attempt.objects.get().state == "paid"
    assert "Réglée" in client.get("/factures/").content.decode()


def test_an_import(southern: Town, tmp_path: Path) -> None:
    bills = list(batch.batch(12))
    with (tmp_path / "f.csv").open("wb") as rows, (tmp_path / "f.zip").open("wb") as documents:
        batch.write_csv(bills, rows)
        batch.write_zip(bills, documents, southern.name)
    call_command(
        "import_invoices",
        "--publish",
        town=southern.slug,
        file=tmp_path / "f.csv",
        documents=tmp_path / "f.zip",
    )
    assert count(SOUTH, f'SELECT count(*) FROM "{southern.schema_name}".invoices_invoice') == 12


def test_mail_goes_out_by_a_task_of_the_worker(southern: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the agenda starts carries the town in its header; the worker goes there, and comes back."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(agenda, "hint", lambda task, *args: sent.append((task.name, current_schema())))
    with tenant_context(southern):
        queue(
            compose(
                kind="test",
                to="alice@example.net",
                content=Content("Bonjour", "Bonjour.", "Un essai."),
                letterhead=letterhead(),
            )
        )
    with in_shard(SOUTH):
        AgendaItem.objects.filter(kind="mail").update(due_at=timezone.now())
    sent.clear()
    assert agenda.run() == 1
    assert sent == [("mail.deliver_outbox", southern.schema_name)]
    monkeypatch.undo()
    deliver_outbox.apply(headers={"_schema_name": southern.schema_name})
    with tenant_context(southern):
        assert OutgoingMail.objects.get().state == "sent"
    with in_shard(SOUTH):
        assert not AgendaItem.objects.filter(kind="mail").exists()


def test_the_copy_of_the_registry_s_rows_follows_each_change(southern: Town) -> None:
    def copied() -> tuple[Any, ...]:
        with in_shard(SOUTH):
            town = Town.objects.get(pk=southern.pk)
            return (
                town.slug,
                town.state,
                town.shard,
                list(Domain.objects.filter(tenant=town).values_list("domain", flat=True)),
            )

    host = f"{southern.slug}.localhost"
    assert copied() == (southern.slug, "open", SOUTH, [host])
    services.set_state(town=southern, to=TownState.SUSPENDED)
    assert copied()[1] == "suspended"
    with in_shard(SOUTH):
        assert not Town.objects.exclude(shard=SOUTH).exists()
    with tenant_context(southern):
        assert registry.address_of(southern).startswith(f"http://{host}")
        assert current_shard() == SOUTH


def test_rows_of_one_cluster_are_never_in_the_other(southern: Town, open_at: Callable[[str], Town]) -> None:
    northern = open_at(REGISTRY)
    for town, email in ((southern, "south@example.net"), (northern, "north@example.net")):
        add_account(town, email, Role.RESIDENT)
        browser(town, email)
    assert southern.schema_name not in schemas(REGISTRY)
    assert northern.schema_name not in schemas(SOUTH)
    for shard, mine, other in ((SOUTH, southern, northern), (REGISTRY, northern, southern)):
        assert count(shard, f'SELECT count(*) FROM "{mine.schema_name}".accounts_account') == 1
        assert (
            count(shard, "SELECT count(*) FROM public.accounts_account WHERE email LIKE '%%@example.net'")
            == 0
        )
        with in_shard(shard):
            assert not AgendaItem.objects.filter(town_id=other.pk).exists()
    stolen = browser(northern)
    stolen.cookies = browser(southern, "south@example.net").cookies
    assert stolen.get("/factures/").status_code == 302


def test_towns_of_every_shard_are_migrated_together(southern: Town, open_at: Callable[[str], Town]) -> None:
    towns = [southern, open_at(REGISTRY)]
    names = [name for name in versions.wanted().names if not name.startswith("contact.")]
    for town in towns:
        with tenant_context(town):
            MigrationExecutor(connection).migrate([("contact", None)])  # as before the room was there
        for shard in (REGISTRY, SOUTH):
            with in_shard(shard):
                Town.objects.filter(pk=town.pk).update(schema_version=versions.version_of(names))
    assert {group.shard for group in migrating.pending()} == {REGISTRY, SOUTH}
    outcome = migrating.migrate_towns()
    assert (sorted(outcome.migrated), outcome.failed) == (sorted(town.slug for town in towns), {})
    for town in towns:
        assert browser(town).get("/contact/").status_code == 200
        with tenant_context(town):
            assert not Message.objects.exists()
    assert not list(migrating.pending())
