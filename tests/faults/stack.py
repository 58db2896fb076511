"""The whole portal with each of its processes in our hands, so that one can be killed while the others live.

`make demo`'s supervisor stops everything when a part dies, which is right for a person and useless here: the services
run under it, the portal's own processes (the same commands) under us.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import requests

from sandbox.__main__ import portal
from sandbox.attach import services_for_tests
from sandbox.home import REPOSITORY, Home
from tests.demo import wait

TOWN = "t_mairie"


@dataclass
class Stack:
    """Its database, its simulator, its mail; `kill` and `start` a process by name."""

    home: Home
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # --- processes ------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """front, web, worker or beat; waits until the web answers."""
        parts = {part.name: part for part in portal(self.home)}
        for name in names:
            log = self.home.path("log", f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                parts[name].command,
                env={**self.environment, **parts[name].environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if "web" in names or "front" in names:
            wait(lambda: self._answers())

    def _answers(self) -> bool:
        try:
            return requests.get(self.url("/"), headers=self.host(), timeout=20).status_code == 200
        except requests.ConnectionError:
            return False

    def kill(self, name: str) -> None:
        """-9 to the process and all its children. The database then ends what they held, as it does on a reset."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    # --- HTTP -----------------------------------------------------------------------------------------

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.home.ports.front}{path}"

    def host(self, name: str = "mairie") -> dict[str, str]:
        return {"Host": f"{name}.localhost:{self.home.ports.front}"}

    def simulator(self, method: str, path: str, **json: Any) -> Any:
        """Its control API."""
        address = f"http://127.0.0.1:{self.home.ports['payfip']}/api/{path}"
        answer = requests.request(method, address, json=json, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def behave(self, **how: Any) -> None:
        self.simulator("POST", "behaviour", **how)

    def treasury_listens(self) -> bool:
        """Whether the simulator takes connections."""
        try:
            return bool(self.simulator("GET", "behaviour"))
        except requests.ConnectionError:
            return False

    def operations(self, reference: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulator("GET", "operations")
        return [operation for operation in found if operation["fields"]["refdet"] == reference]

    def asked(self, operation: str, after: int) -> bool:
        """Whether the simulator has heard such a call since the event `after`."""
        events = self.simulator("GET", f"events?kind=asked&after={after}")
        return any(event["text"] == operation for event in events)

    def last_event(self) -> int:
        return max((event["id"] for event in self.simulator("GET", "events?limit=1")), default=0)

    def mails(self) -> list[dict[str, Any]]:
        address = f"http://127.0.0.1:{self.home.ports['mail']}/messages.json"
        found: list[dict[str, Any]] = requests.get(address, timeout=10).json()
        return found

    # --- database -------------------------------------------------------------------------------------

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session of an outsider, in the town."""
        db = psycopg.connect(self.environment["DATABASE_URL"], autocommit=True, connect_timeout=5)
        db.execute(f"SET search_path = {TOWN}, public")
        return db

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as db:
            found = db.execute(sql, values)  # type: ignore[call-overload]
            return list(found.fetchall()) if found.description else []

    def later(self) -> None:
        """Time goes by: whatever waits for its hour is due now (shifted in the database, not slept)."""
        self.ask("UPDATE payments_attempt SET next_check_at = now() WHERE next_check_at IS NOT NULL")
        self.ask("UPDATE mail_outgoingmail SET next_try_at = now() WHERE state IN ('queued', 'sending')")
        self.ask("UPDATE public.tenants_agendaitem SET due_at = now()")

    def two_minutes_later(self) -> None:
        """An attempt whose call was lost holds its invoice no more."""
        self.ask("UPDATE payments_attempt SET free_at = now() WHERE state = 'created'")
        self.later()

    @contextlib.contextmanager
    def held(self, sql: str) -> Iterator[Callable[[], bool]]:
        """Hold a lock from outside; yields whether somebody waits for it. Whoever still does at the end is ended."""
        with contextlib.closing(self.connect()) as db:
            db.execute("BEGIN")
            db.execute(sql)  # type: ignore[call-overload]
            waiting = "FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
            us = db.info.backend_pid
            try:
                yield lambda: bool(self.ask(f"SELECT 1 {waiting}", us))
            finally:
                self.ask(f"SELECT pg_terminate_backend(pid) {waiting}", us)
                db.execute("ROLLBACK")

    def crash_the_database(self) -> None:
        """kill -9 to one of PostgreSQL's sessions: it ends them all, forgets its memory, and replays its journal."""
        with contextlib.closing(self.connect()) as witness, contextlib.closing(self.connect()) as db:
            os.kill(db.info.backend_pid, signal.SIGKILL)
            wait(lambda: _is_broken(witness))  # another session: all of them are gone
        wait(self._database_answers)

    def _database_answers(self) -> bool:
        try:
            return bool(self.ask("SELECT 1"))
        except psycopg.OperationalError:
            return False


def _is_broken(session: psycopg.Connection[tuple[Any, ...]]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


PARTS = ("front", "web", "worker", "beat")


@contextlib.contextmanager
def running_stack(root: Path) -> Iterator[Stack]:
    """Services, demonstration towns, front, web, worker and beat, which looks at the agenda every second."""
    with services_for_tests(root, durable=True) as services:
        environment = {
            **os.environ,
            **services,
            "SANDBOX_HOME": str(root),
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "AGENDA_SECONDS": "1",
        }
        stack = Stack(Home(root, int(services["PUBLIC_PORT"])), environment)
        subprocess.run([sys.executable, "-m", "sandbox.demo"], env=environment, check=True, timeout=300)
        try:
            stack.start(*PARTS)
            yield stack
        finally:
            stack.stop()
