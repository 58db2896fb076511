"""Erasing a town: what is refused, what goes, what remains."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from shared_apps.treasury import services as treasury
from shared_apps.treasury.models import UnmatchedNotification
from tenants import facts
from tenants.archive import erasing, exporting
from tenants.current import REGISTRY, in_shard
from tenants.errors import Busy, TownError, WrongState
from tenants.life import services
from tenants.models import Erasure, Operation, OperationState, Town
from tenants.shards import rows
from tenants.states import TownState
from tenants.work import operations
from tests.tenants.conftest import MakeTown
from tests.tenants.world import answer_of, files_of, platform, whole
from toolkit.files import objects


def test_refused_and_nothing_is_touched(make_town: MakeTown) -> None:
    town = make_town(invoices=1)
    before = platform()
    for words, arguments in (
        ("suspendez-la", [town.slug, "--reason", "Essai", "--yes"]),
        ("Aucune commune", ["nulle-part", "--reason", "Essai", "--yes"]),
        ("motif", [town.slug, "--reason", "  ", "--yes"]),
        ("--yes", [town.slug, "--reason", "Essai"]),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("erase_town", *arguments)
    assert platform() == before
    assert answer_of(town.slug) == 200


def test_all_of_it_goes_and_nothing_of_another(make_town: MakeTown, tmp_path: Path) -> None:
    town, neighbour = make_town(), make_town(invoices=1)
    kept = operations.perform(exporting.request_export(town=town, actor=facts.SYSTEM).pk).result["key"]
    for each in (town, neighbour):
        with tenant_context(each):
            cache.set("letterhead", "of the town", 600)
    services.set_state(town=town, to=TownState.SUSPENDED)
    others, schema = whole(neighbour), town.schema_name
    out, certificate = StringIO(), tmp_path / "certificat.txt"
    call_command(
        "erase_town",
        town.slug,
        "--reason",
        "Fin du contrat",
        "--yes",
        "--certificate",
        str(certificate),
        stdout=out,
    )
    assert not rows.has_schema(REGISTRY, schema)
    assert not files_of(town.uuid)
    assert next(objects.listed(kept), None) is None
    assert answer_of(town.slug) == 404
    with in_shard(REGISTRY):
        assert not Town.objects.filter(uuid=town.uuid).exists()
        with connection.cursor() as cursor:
            for table in ("tenants_domain", "tenants_agendaitem", "treasury_route", "console_townfigures"):
                column = "tenant_id" if table == "tenants_domain" else "town_id"
                cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [town.pk])
                assert cursor.fetchone() == (0,)
        facts_told = set(AuditEntry.objects.filter(object=f"town:{town.uuid}").values_list("verb", flat=True))
        assert {"town.suspended", "town.closed", "town.erased"} <= facts_told
    assert whole(neighbour) == others
    with tenant_context(neighbour):
        assert cache.get("letterhead") == "of the town"
    with tenant_context(town):
        assert cache.get("letterhead") is None

    erasure = Erasure.objects.get(town_uuid=town.uuid)
    counts = erasure.counts
    assert counts["tables"]["invoices_invoice"] == counts["tables"]["invoices_document"] == 3
    assert counts["tables"]["mail_outgoingmail"] == counts["tables"]["django_session"] == 1
    assert (counts["public"]["treasury_route"], counts["objects"], counts["exports"]) == (1, 4, 1)
    # Its mail, its figures and its retention were planned.
    assert counts["public"]["tenants_agendaitem"] == 3
    text = certificate.read_text()
    assert text == out.getvalue().rstrip("\n") + "\n"
    for words in (
        "Fin du contrat",
        f"{town.slug}.localhost",
        str(erasure.uuid),
        "facture (invoices_invoice) : 3",
    ):
        assert words in text
    assert "alice" not in text


def test_an_export_that_failed_leaves_no_archive_behind(make_town: MakeTown) -> None:
    """Killed once it was sent and before it was noted, then given up: the operation does not name its archive."""
    town = make_town(invoices=1)
    asked = exporting.request_export(town=town, actor=facts.SYSTEM)
    key = operations.perform(asked.pk).result["key"]
    Operation.objects.filter(pk=asked.pk).update(state=OperationState.FAILED, result={})
    services.set_state(town=town, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes")
    assert next(objects.listed(key), None) is None


def test_its_address_may_be_used_again(make_town: MakeTown) -> None:
    town = make_town(invoices=1)
    services.set_state(town=town, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes")
    with pytest.raises(CommandError, match=r"Aucune commune .* certificat"):
        call_command("erase_town", town.slug, "--reason", "Essai", "--yes")
    call_command("create_town", town.slug, "Une autre", "--contact", "regie@example.org")
    assert answer_of(town.slug) == 200
    again = Town.objects.get(slug=town.slug)
    assert again.uuid != town.uuid
    with tenant_context(again):
        assert not Account.objects.exists()


def test_asked_at_the_console_by_a_person(make_town: MakeTown) -> None:
    town = make_town(invoices=1)
    somebody = Account(email="operateur@example.net", role=Role.OPERATOR)
    with pytest.raises(WrongState, match="suspendez-la"):
        erasing.request_erasure(town=town, actor=somebody, reason="Essai")
    suspended = services.set_state(town=town, to=TownState.SUSPENDED)
    with pytest.raises(TownError, match="motif"):
        erasing.request_erasure(town=suspended, actor=somebody, reason="")
    asked = erasing.request_erasure(town=suspended, actor=somebody, reason="Essai")
    with pytest.raises(Busy):
        exporting.request_export(town=suspended, actor=somebody)
    services.set_state(town=suspended, to=TownState.OPEN)  # somebody changed their mind meanwhile
    ended = operations.perform(asked.pk)
    assert (ended.state, "suspendez-la" in ended.error) == (OperationState.FAILED, True)
    assert answer_of(town.slug) == 200
    services.set_state(town=suspended, to=TownState.SUSPENDED)
    operations.retry(ended)
    done = operations.perform(asked.pk)
    assert done.state == OperationState.DONE
    assert Erasure.objects.get(uuid=done.result["certificate"]).requested_by == somebody.audit_name


def test_an_opening_that_never_ended_can_be_erased(make_town: MakeTown) -> None:
    town = make_town(invoices=1)
    with in_shard(REGISTRY):
        rows.drop_schema(town.schema_name)
        Town.objects.filter(pk=town.pk).update(state=TownState.OPENING)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes")
    assert Erasure.objects.get(town_uuid=town.uuid).counts["tables"] == {}


def test_a_notification_of_the_treasury_in_the_middle_of_it(make_town: MakeTown) -> None:
    """The schema is gone and the routes are not yet: counted as unmatched, and not a breakdown."""
    town = make_town(invoices=1)
    with tenant_context(town):
        treasury.add_route(kind="payfip", token=f"idop-{town.slug}")
    Town.objects.filter(pk=town.pk).update(state=TownState.CLOSED)
    rows.drop_schema(town.schema_name)
    UnmatchedNotification.objects.all().delete()  # of tests that really commit: they are counted by day
    assert not treasury.deliver(
        kind="payfip", token=f"idop-{town.slug}", fields={"idop": f"idop-{town.slug}"}
    )
    assert UnmatchedNotification.objects.get().number == 1
    UnmatchedNotification.objects.all().delete()
