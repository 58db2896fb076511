"""A town's rows as streams: the same text on both sides, checked by the database, made at any version."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.treasury import services as treasury
from tenant_apps.products.models import Product
from tenants.current import REGISTRY, in_shard
from tenants.databases import direct
from tenants.errors import TownError
from tenants.models import Town
from tenants.schema import provisioning, versions
from tenants.shards import public_rows, rows
from tenants.work import agenda
from tests.tenants.world import text_of
from toolkit import clock

TARGET = "t_rows_target"


@pytest.fixture
def target(live_town: Town) -> Iterator[str]:
    with in_shard(REGISTRY):
        rows.drop_schema(TARGET)
        yield TARGET
    with in_shard(REGISTRY):
        rows.drop_schema(TARGET)


def carry(source: str, target: str) -> None:
    with direct.snapshot(REGISTRY, source) as here, direct.connect(REGISTRY, target) as there:
        with rows.loading(there) as into:
            for table in rows.tables(here):
                with into(table) as write:
                    rows.copy_out(here, table, write)
        rows.set_sequences(there, rows.sequences(here))


def test_carried_whole_whatever_the_target_was_seeded_with(live_town: Town, target: str) -> None:
    with tenant_context(live_town):
        Account.objects.create(email="elodie@example.net", password="Élodie\t\\N l'une\nl'autre")
        Product.objects.update(label="« Régie »")
    rows.make_schema(target, versions.wanted().names)
    with in_shard(REGISTRY, target):
        Account.objects.create(email="seed@example.net")
    carry(live_town.schema_name, target)
    assert text_of(target) == text_of(live_town.schema_name)
    with in_shard(REGISTRY, target):
        assert Account.objects.create(email="next@example.net").pk == 2


def test_triggers_are_on_again(live_town: Town, target: str) -> None:
    rows.make_schema(target, versions.wanted().names)
    carry(live_town.schema_name, target)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE c.relnamespace = %s::regnamespace",
            [target],
        )
        assert cursor.fetchall() == [("O",)]


def test_a_row_that_points_to_nothing_is_refused_and_nothing_stays(live_town: Town, target: str) -> None:
    rows.make_schema(target, versions.wanted().names)
    empty = text_of(target)
    with direct.connect(REGISTRY, target) as there:
        (access,) = [table for table in rows.tables(there) if table.name == "residents_access"]
    values = {"id": "1", "account_id": "7", "payer_id": "7", "granted_at": "2026-01-01", "ended_at": "\\N"}
    values |= {"granted_by": "\\N", "lapsed": "f", "through": "x@example.net"}
    line = "\t".join(values.get(column, "x") for column in access.columns) + "\n"
    with (
        pytest.raises(psycopg.errors.ForeignKeyViolation),
        direct.connect(REGISTRY, target) as there,
        rows.loading(there) as into,
        into(access) as write,
    ):
        write(line.encode())
    assert text_of(target) == empty


def test_a_table_or_a_column_that_is_not_there_is_named(live_town: Town, target: str) -> None:
    rows.make_schema(target, versions.wanted().names)
    for odd, word in (
        (rows.Table("parking_meter", ("id",), ("id",)), "parking_meter"),
        (rows.Table("residents_access", ("id", "shoe"), ("id",)), "colonne"),
    ):
        with (
            pytest.raises(TownError, match=word),
            direct.connect(REGISTRY, target) as there,
            rows.loading(there) as into,
            into(odd),
        ):
            pass


def test_made_at_an_older_version_and_never_at_an_unknown_one(live_town: Town, target: str) -> None:
    wanted = versions.wanted().names
    older = set(wanted) - {wanted[-1]}
    assert rows.make_schema(target, older) == versions.version_of(older)
    assert provisioning.version_of_schema(target) == versions.version_of(older)
    with pytest.raises(TownError, match="9999_later"):
        rows.make_schema("t_never", [*wanted, "payments.9999_later"])
    with pytest.raises(TownError, match="dont elle a besoin"):
        rows.make_schema("t_never", set(wanted) - {"payments.0001_initial"})


def test_a_snapshot_sees_one_moment_and_writes_nothing(live_town: Town) -> None:
    with direct.snapshot(REGISTRY, live_town.schema_name) as server:
        assert rows.count(server, "accounts_account") == 0
        with tenant_context(live_town):
            Account.objects.create(email="late@example.net")
        assert rows.count(server, "accounts_account") == 0
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            server.execute("DELETE FROM products_product")


def test_public_rows_of_a_town_follow_it_and_no_other_towns(live_town: Town) -> None:
    with tenant_context(live_town):
        agenda.plan("mail", clock.now())
        treasury.add_route(kind="payfip", token="of this town")
    with in_shard(REGISTRY):
        other = Town.objects.create(slug="other-public", schema_name="t_other_public", name="Autre")
    try:
        taken: dict[str, bytes] = {}
        with direct.snapshot(REGISTRY, live_town.schema_name) as server:
            for table in public_rows.tables():
                pieces: list[bytes] = []
                public_rows.copy_out(server, table, live_town.pk, pieces.append)
                taken[table.name] = b"".join(pieces)
            assert public_rows.counts(server, live_town.pk)["treasury_route"] == 1
            assert set(public_rows.counts(server, other.pk).values()) == {0}
        assert set(taken) == {"tenants_agendaitem", "treasury_route"}
        assert taken["treasury_route"].count(b"\n") == 1
        assert b"mail\t" in taken["tenants_agendaitem"]
        with direct.connect(REGISTRY, "public") as server:
            for table in public_rows.tables():
                with public_rows.copying_in(server, table, other.pk) as write:
                    write(taken[table.name])
            # One town has the route already.
            counts = public_rows.counts(server, other.pk)
            assert counts["tenants_agendaitem"] == taken["tenants_agendaitem"].count(b"\n") >= 1
            assert counts["treasury_route"] == 0
    finally:
        with in_shard(REGISTRY):
            other.delete()
