"""Two towns through a real PgBouncer: safe in session mode; in transaction mode a session is somebody else's."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django_tenants.utils import tenant_context

from sandbox.home import free_base_port
from sandbox.services.unprivileged import way_to
from shared_apps.accounts.models import Account
from tenants.current import REGISTRY, leave
from tenants.models import Town
from tests.shards.conftest import add_account

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.xdist_group("shards"),
    pytest.mark.skipif(PROGRAM is None, reason="no pgbouncer here (Debian's package is « pgbouncer »)"),
]
Bouncer = Callable[..., AbstractContextManager[int]]


def version() -> tuple[int, int]:
    said = subprocess.run([str(PROGRAM), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    assert found, said
    return int(found[1]), int(found[2])


@pytest.fixture
def bouncer(tmp_path: Path) -> Bouncer:
    """`with bouncer(pool_mode="session", default_pool_size=2) as port:` before the registry's database."""

    @contextmanager
    def start(**options: object) -> Iterator[int]:
        database, port = connections.settings[REGISTRY], free_base_port()
        lines = [
            "[databases]",
            "towns = host={HOST} port={PORT} dbname={NAME} user={USER} password={PASSWORD}".format(
                **database
            ),
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {port}",
            "unix_socket_dir =",
            "auth_type = any",
            *(f"{name} = {value}" for name, value in options.items()),
        ]
        folder = tmp_path / f"bouncer-{port}"
        folder.mkdir()
        (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                way_to(Path(str(PROGRAM)), folder).command(
                    str(PROGRAM), str(folder / "pgbouncer.ini"), death_signal="INT"
                ),
                stdout=log,
                stderr=log,
            )
        try:
            for _ in range(1200):
                with suppress(psycopg.OperationalError):
                    through(port).close()
                    break
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            yield port
        finally:
            process.kill()
            process.wait(10)

    return start


def through(port: int) -> Any:
    return psycopg.connect(
        host="127.0.0.1", port=port, dbname="towns", user="any", autocommit=True, prepare_threshold=None
    )


@pytest.fixture
def towns(open_at: Callable[[str], Town]) -> list[Town]:
    """Two, each with one person named after it."""
    found = [open_at(REGISTRY), open_at(REGISTRY)]
    for town in found:
        add_account(town, f"{town.slug}@example.net")
    leave()
    return found


def emails(client: Any) -> list[str]:
    return [str(email) for (email,) in client.execute("SELECT email FROM accounts_account").fetchall()]


def test_session_mode_keeps_towns_apart(bouncer: Bouncer, towns: list[Town]) -> None:
    """The portal's own code: four threads, two towns in turn, over two connections to the server."""
    seen: list[bool] = []

    def visit(first: int) -> None:
        for turn in range(6):
            town = towns[(first + turn) % 2]
            with tenant_context(town):
                seen.append(
                    list(Account.objects.values_list("email", flat=True)) == [f"{town.slug}@example.net"]
                )
            if turn % 2:
                connection.close()  # gives its server back; another thread takes it
        connection.close()

    connection.close()
    with bouncer(pool_mode="session", default_pool_size=2) as port, pytest.MonkeyPatch.context() as patch:
        for name, value in (("HOST", "127.0.0.1"), ("PORT", port), ("NAME", "towns")):
            patch.setitem(connections.settings[REGISTRY], name, value)
        threads = [threading.Thread(target=visit, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        connection.close()
    assert seen == [True] * 24


def test_transaction_mode_shows_the_wrong_town(bouncer: Bouncer, towns: list[Town]) -> None:
    """Why it must not be used: what one session set, another has."""
    mine, other = towns
    with (
        bouncer(pool_mode="transaction", default_pool_size=1) as port,
        through(port) as a,
        through(port) as b,
    ):
        a.execute(f'SET search_path = "{mine.schema_name}", public')
        assert emails(a) == [f"{mine.slug}@example.net"]
        b.execute(f'SET search_path = "{other.schema_name}", public')
        assert emails(a) == [f"{other.slug}@example.net"]  # somebody else's town, and no error


def test_our_server_reports_its_search_path(towns: list[Town]) -> None:
    """The server's half of `track_extra_parameters`: PostgreSQL 18 tells each change of it to the client."""
    leave()
    with tenant_context(towns[0]):
        Account.objects.count()
        told = connection.connection.info.parameter_status("search_path")
    assert told == f'"{towns[0].schema_name}", public' or told == f"{towns[0].schema_name}, public"


@pytest.mark.skipif(
    PROGRAM is not None and version() < (1, 20),
    reason="this PgBouncer is older than 1.20, which brought track_extra_parameters",
)
def test_transaction_mode_that_tracks_the_search_path(bouncer: Bouncer, towns: list[Town]) -> None:
    mine, other = towns
    options = {"pool_mode": "transaction", "default_pool_size": 1, "track_extra_parameters": "search_path"}
    with bouncer(**options) as port, through(port) as a, through(port) as b:
        a.execute(f'SET search_path = "{mine.schema_name}", public')
        b.execute(f'SET search_path = "{other.schema_name}", public')
        for _ in range(3):
            assert emails(a) == [f"{mine.slug}@example.net"]
            assert emails(b) == [f"{other.slug}@example.net"]
