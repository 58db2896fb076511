"""The simulator's memory, in SQLite: operations, bells, what happened, how it behaves. A restart forgets nothing."""

import json
import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.payfip.knobs import DEFAULTS, KNOBS

PAID = ("P", "V")
SHOWN = 200  # operations in a list
KEPT = 5000  # lines of what happened
_SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS operation (
    idop TEXT PRIMARY KEY, kind TEXT, created REAL, opened REAL, result TEXT DEFAULT '', finished REAL,
    numauto TEXT DEFAULT '', fields TEXT, changes TEXT DEFAULT '{}');
CREATE INDEX IF NOT EXISTS operation_age ON operation (created);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, at REAL, idop TEXT, kind TEXT, text TEXT, detail TEXT DEFAULT '{}');
CREATE INDEX IF NOT EXISTS event_of ON event (idop);
CREATE INDEX IF NOT EXISTS event_kind ON event (kind);
CREATE TABLE IF NOT EXISTS bell (
    id INTEGER PRIMARY KEY, idop TEXT, url TEXT, method TEXT, fields TEXT, due REAL, rung REAL, status INTEGER);
CREATE INDEX IF NOT EXISTS bell_waits ON bell (due) WHERE rung IS NULL;
CREATE TABLE IF NOT EXISTS client (numcli TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS behaviour (name TEXT PRIMARY KEY, value TEXT);
"""
_JSON = ("fields", "changes", "detail")


class Store:
    """One short transaction a call; several threads and processes may share the file."""

    def __init__(self, path: str | None = None) -> None:
        """`path` defaults to PAYFIP_SIM_DB, else a file of its own that this process makes."""
        self._path = (
            path
            or os.environ.get("PAYFIP_SIM_DB")
            or str(Path(tempfile.gettempdir()) / f"payfip-{os.getpid()}.sqlite3")
        )
        with self._open() as db:
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=10)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; a power cut may
        try:
            with db:
                yield db
        finally:
            db.close()

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        with self._open() as db:
            return [_read(row) for row in db.execute(sql, values).fetchall()]

    # --- how it behaves -----------------------------------------------------------------------------

    def now(self) -> float:
        """The simulator's clock, which can be moved."""
        return time.time() + float(self.behaviour()["clock"])

    def behaviour(self) -> dict[str, Any]:
        """Every knob."""
        told = self._rows("SELECT * FROM behaviour")
        return {**DEFAULTS, **{row["name"]: json.loads(row["value"]) for row in told}}

    def behave(self, **changes: Any) -> None:
        """Turn knobs. Raises KeyError for a name it does not know and ValueError for a value; then none is turned."""
        read = [(name, json.dumps(KNOBS[name].read(value))) for name, value in changes.items()]
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO behaviour VALUES (?, ?)", read)

    def clients(self) -> dict[str, dict[str, Any]]:
        """The configured numbers; see `clients`."""
        return {row["numcli"]: json.loads(row["value"]) for row in self._rows("SELECT * FROM client")}

    def set_client(self, numcli: str, value: dict[str, Any] | None) -> None:
        """Configure a number, or forget it."""
        with self._open() as db:
            if value is None:
                db.execute("DELETE FROM client WHERE numcli = ?", [numcli])
            else:
                db.execute("INSERT OR REPLACE INTO client VALUES (?, ?)", [numcli, json.dumps(value)])

    def reset(self) -> None:
        """Forget everything and behave well again."""
        with self._open() as db:
            for table in ("operation", "event", "bell", "client", "behaviour"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the five names above

    # --- operations -----------------------------------------------------------------------------------

    def create(self, kind: str, fields: dict[str, str]) -> str:
        """A new operation; returns its idOp."""
        idop = secrets.token_hex(18)
        with self._open() as db:
            db.execute(
                "INSERT INTO operation (idop, kind, created, fields) VALUES (?, ?, ?, ?)",
                [idop, kind, self.now(), json.dumps(fields)],
            )
        return idop

    def get(self, idop: str) -> dict[str, Any] | None:
        """One operation, or None."""
        return next(iter(self._rows("SELECT * FROM operation WHERE idop = ?", (idop,))), None)

    def all(self) -> list[dict[str, Any]]:
        """The newest first, at most SHOWN."""
        return self._rows("SELECT * FROM operation ORDER BY created DESC, rowid DESC LIMIT ?", (SHOWN,))

    def mark_opened(self, idop: str) -> bool:
        """The payer's browser has arrived: the one redirection is used. False when it was used already."""
        with self._open() as db:
            done = db.execute(
                "UPDATE operation SET opened = ? WHERE idop = ? AND opened IS NULL", [self.now(), idop]
            )
        return done.rowcount == 1

    def finish(self, idop: str, result: str, changes: dict[str, str]) -> bool:
        """P, V, R, Z, A or another. A refused or abandoned one may still be paid; a paid one does not change.

        `changes` are fields that a look-up will answer otherwise than they were asked.
        """
        numauto = (
            "" if result in ("R", "A") else "".join(secrets.choice("0123456789ABCDEF") for _ in range(16))
        )
        with self._open() as db:
            done = db.execute(
                "UPDATE operation SET result = ?, finished = ?, numauto = ?, changes = ? "
                "WHERE idop = ? AND result NOT IN ('P', 'V')",
                [result, self.now(), numauto, json.dumps(changes), idop],
            )
        return done.rowcount == 1

    # --- bells ----------------------------------------------------------------------------------------

    def plan_bell(self, idop: str, url: str, method: str, fields: dict[str, str], due: float) -> None:
        """A call to the town's side, at `due` on the simulator's clock."""
        with self._open() as db:
            db.execute(
                "INSERT INTO bell (idop, url, method, fields, due) VALUES (?, ?, ?, ?, ?)",
                [idop, url, method, json.dumps(fields), due],
            )

    def take_bells(self) -> list[dict[str, Any]]:
        """The bells that are due; each is given to one caller only."""
        due = self._rows("SELECT * FROM bell WHERE rung IS NULL AND due <= ? ORDER BY id", (self.now(),))
        with self._open() as db:
            return [
                bell
                for bell in due
                if db.execute(
                    "UPDATE bell SET rung = ? WHERE id = ? AND rung IS NULL", [self.now(), bell["id"]]
                ).rowcount
            ]

    def bell_answered(self, bell: int, status: int | None) -> None:
        with self._open() as db:
            db.execute("UPDATE bell SET status = ? WHERE id = ?", [status, bell])

    def bells(self, idop: str) -> list[dict[str, Any]]:
        """Those of an operation, in order."""
        return self._rows("SELECT * FROM bell WHERE idop = ? ORDER BY due, id", (idop,))

    # --- what happened --------------------------------------------------------------------------------

    def note(self, kind: str, text: str, *, idop: str = "", detail: dict[str, Any] | None = None) -> None:
        """One line of what happened: `asked` (SOAP came in), `answered`, `payer`, `bell`, `warning`."""
        with self._open() as db:
            line = db.execute(
                "INSERT INTO event (at, idop, kind, text, detail) VALUES (?, ?, ?, ?, ?)",
                [self.now(), idop, kind, text, json.dumps(detail or {})],
            )
            db.execute("DELETE FROM event WHERE id <= ?", [(line.lastrowid or 0) - KEPT])

    def events(
        self, *, idop: str = "", kind: str = "", after: int = 0, limit: int = 100
    ) -> list[dict[str, Any]]:
        """The newest first, of an operation or of a kind, above an id."""
        return self._rows(
            "SELECT * FROM event WHERE id > ? AND (? = '' OR idop = ?) AND (? = '' OR kind = ?) "
            "ORDER BY id DESC LIMIT ?",
            (after, idop, idop, kind, kind, limit),
        )


def _read(row: sqlite3.Row) -> dict[str, Any]:
    return {
        name: json.loads(row[name]) if name in _JSON else row[name]
        for name in row.keys()  # noqa: SIM118
    }
