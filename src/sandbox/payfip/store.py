"""The data of the simulator, in an SQLite file: operations, notifications, events, knobs."""

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
SHOWN = 200  # the most operations in a list
KEPT = 5000  # the most events kept
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
CREATE TABLE IF NOT EXISTS notification (
    id INTEGER PRIMARY KEY, idop TEXT, url TEXT, method TEXT, fields TEXT, due REAL, sent_at REAL, status INTEGER);
CREATE INDEX IF NOT EXISTS notification_waits ON notification (due) WHERE sent_at IS NULL;
CREATE TABLE IF NOT EXISTS client (numcli TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS behaviour (name TEXT PRIMARY KEY, value TEXT);
"""
_JSON = ("fields", "changes", "detail")


class Store:
    """The data in one file, which threads and processes can share. Each call is a short transaction."""

    def __init__(self, path: str | None = None) -> None:
        """Open `path`, by default the file named by PAYFIP_SIM_DB, else a temporary file of this process."""
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
        db.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing; a power cut may lose data
        try:
            with db:
                yield db
        finally:
            db.close()

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        with self._open() as db:
            return [_read(row) for row in db.execute(sql, values).fetchall()]

    # --- knobs --------------------------------------------------------------------------------------

    def now(self) -> float:
        """The time of the simulator's clock, which can be moved; a Unix time."""
        return time.time() + float(self.behaviour()["clock"])

    def behaviour(self) -> dict[str, Any]:
        """The value of every knob."""
        told = self._rows("SELECT * FROM behaviour")
        return {**DEFAULTS, **{row["name"]: json.loads(row["value"]) for row in told}}

    def behave(self, **changes: Any) -> None:
        """Set knobs, all or none. Raises KeyError for an unknown name and ValueError for a bad value."""
        read = [(name, json.dumps(KNOBS[name].read(value))) for name, value in changes.items()]
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO behaviour VALUES (?, ?)", read)

    def clients(self) -> dict[str, dict[str, Any]]:
        """The configured clients; see `clients`."""
        return {row["numcli"]: json.loads(row["value"]) for row in self._rows("SELECT * FROM client")}

    def set_client(self, numcli: str, value: dict[str, Any] | None) -> None:
        """Configure a client, or remove it with None."""
        with self._open() as db:
            if value is None:
                db.execute("DELETE FROM client WHERE numcli = ?", [numcli])
            else:
                db.execute("INSERT OR REPLACE INTO client VALUES (?, ?)", [numcli, json.dumps(value)])

    def reset(self) -> None:
        """Delete everything and reset the knobs."""
        with self._open() as db:
            for table in ("operation", "event", "notification", "client", "behaviour"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - only the five names above

    # --- operations -----------------------------------------------------------------------------------

    def create(self, kind: str, fields: dict[str, str]) -> str:
        """Store a new operation. Returns its idOp."""
        idop = secrets.token_hex(18)
        with self._open() as db:
            db.execute(
                "INSERT INTO operation (idop, kind, created, fields) VALUES (?, ?, ?, ?)",
                [idop, kind, self.now(), json.dumps(fields)],
            )
        return idop

    def get(self, idop: str) -> dict[str, Any] | None:
        """One operation, or None if there is none."""
        return next(iter(self._rows("SELECT * FROM operation WHERE idop = ?", (idop,))), None)

    def all(self) -> list[dict[str, Any]]:
        """The operations, newest first, at most SHOWN."""
        return self._rows("SELECT * FROM operation ORDER BY created DESC, rowid DESC LIMIT ?", (SHOWN,))

    def mark_opened(self, idop: str) -> bool:
        """Record that the payer's browser has opened the page. False when it was opened already."""
        with self._open() as db:
            done = db.execute(
                "UPDATE operation SET opened = ? WHERE idop = ? AND opened IS NULL", [self.now(), idop]
            )
        return done.rowcount == 1

    def finish(self, idop: str, result: str, changes: dict[str, str]) -> bool:
        """Store the result: P, V, R, Z, A or another code. False when the operation is paid already.

        A refused or abandoned operation may still be paid. `changes`: fields that a look-up answers differently from
        the request.
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

    # --- notifications ----------------------------------------------------------------------------------------

    def plan_notification(self, idop: str, url: str, method: str, fields: dict[str, str], due: float) -> None:
        """Plan a notification to `url` at `due`, a time of the simulator's clock."""
        with self._open() as db:
            db.execute(
                "INSERT INTO notification (idop, url, method, fields, due) VALUES (?, ?, ?, ?, ?)",
                [idop, url, method, json.dumps(fields), due],
            )

    def take_notifications(self) -> list[dict[str, Any]]:
        """The notifications that are due. Each is returned to one caller only."""
        due = self._rows(
            "SELECT * FROM notification WHERE sent_at IS NULL AND due <= ? ORDER BY id", (self.now(),)
        )
        with self._open() as db:
            return [
                notification
                for notification in due
                if db.execute(
                    "UPDATE notification SET sent_at = ? WHERE id = ? AND sent_at IS NULL",
                    [self.now(), notification["id"]],
                ).rowcount
            ]

    def notification_answered(self, notification: int, status: int | None) -> None:
        with self._open() as db:
            db.execute("UPDATE notification SET status = ? WHERE id = ?", [status, notification])

    def notifications(self, idop: str) -> list[dict[str, Any]]:
        """The notifications of an operation, in the order they are due."""
        return self._rows("SELECT * FROM notification WHERE idop = ? ORDER BY due, id", (idop,))

    # --- events ---------------------------------------------------------------------------------------

    def note(self, kind: str, text: str, *, idop: str = "", detail: dict[str, Any] | None = None) -> None:
        """Store an event. `kind`: `asked` (a SOAP request), `answered`, `payer`, `notification` or `warning`."""
        with self._open() as db:
            line = db.execute(
                "INSERT INTO event (at, idop, kind, text, detail) VALUES (?, ?, ?, ?, ?)",
                [self.now(), idop, kind, text, json.dumps(detail or {})],
            )
            db.execute("DELETE FROM event WHERE id <= ?", [(line.lastrowid or 0) - KEPT])

    def events(
        self, *, idop: str = "", kind: str = "", after: int = 0, limit: int = 100
    ) -> list[dict[str, Any]]:
        """The events, newest first; only of an operation, of a kind, or with a higher id than `after`."""
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
