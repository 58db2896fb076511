"""Two real PostgreSQL clusters: the session's own, and « south », which is started by the first test that wants it."""

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from django.core.cache import cache as redis_cache
from django.db import close_old_connections, connection, connections
from django.test import Client
from django_tenants.utils import tenant_context

from sandbox.home import Home, free_base_port
from sandbox.process.part import Part
from sandbox.services import postgres
from shared_apps.accounts.models import Account, Role
from tenants.current import REGISTRY, in_shard, leave
from tenants.databases import direct
from tenants.databases.postgresql import silence
from tenants.models import AgendaItem, Operation, Town
from tenants.schema.migrating import migrate_towns
from tenants.shards import barrier, rows
from tests.conftest import PASSWORD, _make_town, hashed, listen_each_time
from tests.demo import wait
from tests.trail import trail_swept
from toolkit import clock

SOUTH = "south"


@dataclass
class Cluster:
    """The second server, which a test may stop and start again."""

    shard: Home
    process: "subprocess.Popen[bytes] | None" = None
    settings: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        part = postgres.part(self.shard, for_tests=True)
        part.prepare()
        log = self.shard.path("log", "postgres.log").open("ab")
        self.process = subprocess.Popen(
            part.command, env={**os.environ, **part.environment}, stdout=log, stderr=log, cwd="/"
        )
        log.close()
        wait(lambda: _answers(part))
        part.settle()

    def stop(self) -> None:
        """At once, in the middle of everything: PostgreSQL's « immediate » shutdown, which ends as a crash does."""
        assert self.process
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(90)
        self.process = None
        close_old_connections()  # what the beginning of a request does, and django.test's client does not

    @property
    def url(self) -> str:
        return self.shard.environment()["DATABASE_URL"]

    def close(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(90)


def _answers(part: Part) -> bool:
    try:
        part.probe()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Started once, by the only worker that runs these tests."""
    with tempfile.TemporaryDirectory(prefix="factures-south-") as folder:
        shard = Home(Path(folder), free_base_port())
        shard.create()
        found = Cluster(shard)
        found.start()
        found.settings = {
            **deepcopy(connections.settings[REGISTRY]),
            "NAME": "factures",
            "USER": "factures",
            "PASSWORD": shard.secret("postgres"),
            "PORT": shard.ports["postgres"],
        }
        yield found
        found.close()


@pytest.fixture
def south(
    cluster: Cluster, django_db_setup: None, django_db_blocker: Any, settings: Any
) -> Iterator[Cluster]:
    """The alias « south » in this process, with its template; rows are really committed, and swept afterwards."""
    settings.MOVED_ROWS_SECONDS = 0
    with django_db_blocker.unblock(), trail_swept(), pytest.MonkeyPatch.context() as patch:
        listen_each_time(patch)
        patch.setattr(barrier, "PAUSE", 0.1)
        patch.setitem(connections.settings, SOUTH, deepcopy(cluster.settings))
        if cluster.process is None:
            cluster.start()
        redis_cache.clear()
        leave()
        migrate_towns()
        before = set(Town.objects.values_list("pk", flat=True))
        yield cluster
        if cluster.process is None:
            cluster.start()
        _sweep(before)
        silence.forget()
        connection.close()
        cast(Any, connection)._waiting.pop(SOUTH, None)


def _sweep(before: set[int]) -> None:
    leave()
    new = list(Town.objects.exclude(pk__in=before))
    for shard in (REGISTRY, SOUTH):
        with in_shard(shard):
            for town in new:
                rows.drop_schema(town.schema_name)
            Town.objects.filter(pk__in=[town.pk for town in new]).delete()
    Operation.objects.all().delete()
    AgendaItem.objects.all().delete()


@pytest.fixture
def open_at(south: Cluster) -> Callable[[str], Town]:
    """`open_at("south")`: a furnished town of its own, living there."""
    return lambda shard: _make_town(
        f"s-{uuid.uuid4().hex[:12]}", "Commune de Lauzerte", "001964", shard=shard
    )


@pytest.fixture
def southern(open_at: Callable[[str], Town]) -> Town:
    """A town that lives on the second cluster; not current."""
    return open_at(SOUTH)


def add_account(town: Town, email: str, role: Role = Role.RESIDENT) -> Account:
    """Somebody who signs in with PASSWORD."""
    with tenant_context(town):
        return Account.objects.create(
            email=email, role=role, password=hashed(PASSWORD), activated_at=clock.now()
        )


def browser(town: Town, email: str = "") -> Client:
    """At the town's host; signed in through the page with an address. Failures are pages, as for a person."""
    client = Client(headers={"host": f"{town.slug}.localhost"}, raise_request_exception=False)
    if email:
        assert client.post("/", {"email": email, "password": PASSWORD}).status_code == 302
    return client


def schemas(shard: str) -> set[str]:
    """The towns' schemas of that database."""
    with direct.open_to(shard) as server:
        found = server.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%'").fetchall()
    return {str(name) for (name,) in found}


def count(shard: str, query: str, *values: object) -> int:
    """What a counting query answers there, from outside of Django."""
    with direct.open_to(shard) as server:
        row = server.execute(query, values).fetchone()
        assert row
        return int(row[0])
