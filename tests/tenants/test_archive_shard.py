"""A town comes back on another database, and is erased from there."""

from collections.abc import Iterator
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from tenants.current import REGISTRY, in_shard
from tenants.life import services
from tenants.models import AgendaItem, Erasure, Town
from tenants.schema import versions
from tenants.schema.migrating import migrate_towns
from tenants.shards import rows
from tenants.states import TownState
from tests.tenants.conftest import MakeTown
from tests.tenants.databases import create, drop
from tests.tenants.world import answer_of, files_of, public_text_of, whole

SECOND = "second"


@pytest.fixture
def second(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The alias of a second database, with its template."""
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        name = f"{connection.settings_dict['NAME']}_second"
        create(name)
        connections.settings[SECOND] = {**deepcopy(connections.settings[REGISTRY]), "NAME": name}
        try:
            migrate_towns()
            yield SECOND
        finally:
            connection.close()
            cast(Any, connection)._waiting.pop(SECOND, None)
            del connections.settings[SECOND]
            drop(name)
            connection.close()


def test_there_and_gone(second: str, make_town: MakeTown, tmp_path: Path) -> None:
    town, path = make_town(), tmp_path / "town.zip"
    before = whole(town)
    call_command("export_town", town.slug, "--to", str(path))
    services.set_state(town=town, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes", stdout=StringIO())
    call_command("restore_town", str(path), "--shard", second)
    back = Town.objects.get(slug=town.slug)
    assert back.shard == second
    assert rows.has_schema(second, back.schema_name)
    assert not rows.has_schema(REGISTRY, back.schema_name)
    assert whole(back) == before
    assert set(public_text_of(back)) == {"tenants_agendaitem", "treasury_route"}
    assert answer_of(town.slug) == 200
    with tenant_context(back):
        assert Account.objects.create(email="new@example.net").pk == 2

    with in_shard(REGISTRY):  # what a move would have left where it lived before
        rows.make_schema(back.schema_name, versions.wanted().names)
        AgendaItem.objects.create(town=back, kind="mail", due_at=timezone.now())
    services.set_state(town=back, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes", stdout=StringIO())
    assert not rows.has_schema(second, back.schema_name)
    assert not rows.has_schema(REGISTRY, back.schema_name)
    with in_shard(second):
        assert not Town.objects.exists()
    assert not files_of(town.uuid)
    assert answer_of(town.slug) == 404
    certificate = Erasure.objects.filter(town_uuid=town.uuid).latest("pk")
    assert certificate.counts["public"]["tenants_agendaitem"] >= 2  # one on each database
    assert certificate.counts["public"]["treasury_route"] == 1
