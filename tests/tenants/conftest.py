"""Towns that are really committed, erased and restored; whatever is left of them goes at the end."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tenants import registry, rows
from tenants.archive.exporting import stored
from tenants.current import REGISTRY, at, homes
from tenants.models import Erasure, Operation, Town
from tests.conftest import _make_town
from tests.tenants.world import furnish
from toolkit import objects

MakeTown = Callable[..., Town]


@pytest.fixture
def make_town(django_db_setup: None, django_db_blocker: Any) -> Iterator[MakeTown]:
    """`make_town(invoices=3)`: an open town with people, invoices, files, money."""
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        mark = f"arc{uuid.uuid4().hex[:8]}"
        numbers = iter(range(100))

        def make(**furniture: Any) -> Town:
            slug = f"{mark}-{next(numbers)}"
            _make_town(slug, f"Commune d'essai {slug}", "001964")
            town = Town.objects.get(slug=slug)
            furnish(town, **furniture)
            registry.forget()
            return town

        yield make
        with at(REGISTRY):
            for town in Town.objects.filter(slug__startswith=mark):
                for export in stored(town):
                    sum(objects.erase(export.result["key"].rpartition("/")[0] + "/"))
                sum(objects.erase(f"{town.uuid}/"))
                for home in homes():
                    with at(home):
                        rows.drop_schema(town.schema_name)
                town.delete()
            Erasure.objects.filter(slug__startswith=mark).delete()
            Operation.objects.filter(subject__startswith=mark).delete()
        registry.forget()
        connection.close()


@pytest.fixture
def archived(make_town: MakeTown, tmp_path: Path) -> tuple[Town, Path]:
    """A town and its archive."""
    town = make_town()
    path = tmp_path / "town.zip"
    call_command("export_town", town.slug, "--to", str(path))
    return town, path
