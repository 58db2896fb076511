"""Commands as an operator types them, and towns that are really committed; whatever is left goes at the end."""

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sandbox.home import REPOSITORY
from tenants.archive.exporting import stored
from tenants.current import REGISTRY, in_shard, leave, shard_aliases
from tenants.hosts import registry
from tenants.life.services import schema_of
from tenants.models import Erasure, Operation, Town
from tenants.shards import rows
from tests.conftest import _make_town, listen_each_time
from tests.tenants.databases import environment
from tests.tenants.world import furnish
from tests.trail import trail_swept
from toolkit.files import objects

MakeTown = Callable[..., Town]


@pytest.fixture
def make_town(
    django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeTown]:
    """`make_town(invoices=3)`: an open town with people, invoices, files, money."""
    listen_each_time(monkeypatch)
    with django_db_blocker.unblock(), trail_swept():
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
        with in_shard(REGISTRY):
            for town in Town.objects.filter(slug__startswith=mark):
                for export in stored(town):
                    sum(objects.erase(export.result["key"].rpartition("/")[0] + "/"))
                sum(objects.erase(f"{town.uuid}/"))
                for shard in shard_aliases():
                    with in_shard(shard):
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


def said(*words: Any, **options: Any) -> str:
    """`said("suspend_town", "mairie")`: what the command prints. Raises CommandError."""
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def manage(db: None) -> Callable[..., str]:
    """`manage("suspend_town", "mairie")`: what the command prints. Raises CommandError."""
    return said


@pytest.fixture
def visit(db: None) -> Callable[..., Any]:
    """`visit("mairie.localhost", "/")`: what a stranger is answered; the schema that was current is again."""

    def go(host: str, path: str = "/", method: str = "get", data: Any = None, **headers: str) -> Any:
        before = connection.tenant
        answer = getattr(Client(headers={"host": host, **headers}), method)(path, data)
        connection.set_tenant(before)
        return answer

    return go


@contextmanager
def statements(expected: int) -> Iterator[None]:
    """How many the database is asked, besides the search path that goes before the first."""
    with CaptureQueriesContext(connection) as seen:
        yield
    asked = [
        query["sql"] for query in seen.captured_queries if not query["sql"].startswith("SET search_path")
    ]
    assert len(asked) == expected, asked


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A free slug, in a database where what other processes write is seen; all of it is taken away afterwards."""
    slug = f"coupee-{os.urandom(4).hex()}"
    with django_db_blocker.unblock(), trail_swept():
        connection.set_schema_to_public()
        yield slug
        leave()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{schema_of(slug)}" CASCADE')
        Town.objects.filter(slug=slug).delete()
        Operation.objects.filter(subject=slug).delete()
    connection.close()


def start_manage(*words: str) -> "subprocess.Popen[str]":
    """`manage.py …` as a process of its own, on the tests' database."""
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / "manage.py"), *words],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
