"""The simulator's memory: operations and how it behaves, in SQLite, so that a restart forgets nothing."""

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

OPEN_WITHIN = 15 * 60  # seconds: an idOp not opened by then answers P4
DEAD_AFTER = 120 * 60
DEFAULTS = {"soap": "ok", "notifications": "on", "delay": 0, "clock": 0.0}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operation (
    idop TEXT PRIMARY KEY, kind TEXT, created REAL, opened INTEGER DEFAULT 0, used INTEGER DEFAULT 0,
    result TEXT DEFAULT '', finished REAL, numauto TEXT DEFAULT '', fields TEXT);
CREATE TABLE IF NOT EXISTS behaviour (name TEXT PRIMARY KEY, value TEXT);
"""


class Store:
    """Operations by idOp. One short transaction a call; several processes may share the file."""

    def __init__(self, path: str | None = None) -> None:
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
        try:
            with db:
                yield db
        finally:
            db.close()

    def now(self) -> float:
        """The simulator's clock, which the control API can move."""
        return time.time() + float(self.behaviour()["clock"])

    def behaviour(self) -> dict[str, Any]:
        """How it answers just now."""
        with self._open() as db:
            told = {row["name"]: json.loads(row["value"]) for row in db.execute("SELECT * FROM behaviour")}
        return {**DEFAULTS, **told}

    def behave(self, **changes: Any) -> None:
        """Change how it answers. Raises KeyError for a name it does not know."""
        for name in changes:
            DEFAULTS[name]
        with self._open() as db:
            db.executemany(
                "INSERT OR REPLACE INTO behaviour VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in changes.items()],
            )

    def reset(self) -> None:
        """Forget every operation and behave well again."""
        with self._open() as db:
            db.execute("DELETE FROM operation")
            db.execute("DELETE FROM behaviour")

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
        with self._open() as db:
            row = db.execute("SELECT * FROM operation WHERE idop = ?", [idop]).fetchone()
        return None if row is None else {**dict(row), "fields": json.loads(row["fields"])}

    def all(self) -> list[dict[str, Any]]:
        """Newest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT * FROM operation ORDER BY created DESC, rowid DESC LIMIT 200"
            ).fetchall()
        return [{**dict(row), "fields": json.loads(row["fields"])} for row in rows]

    def mark_opened(self, idop: str) -> None:
        """The payer's browser has arrived: the one redirection is used."""
        with self._open() as db:
            db.execute("UPDATE operation SET opened = 1 WHERE idop = ?", [idop])

    def finish(self, idop: str, result: str) -> bool:
        """P, V, R, Z or A. A refused or abandoned one may still be paid; a paid one does not change."""
        numauto = "".join(secrets.choice("0123456789ABCDEF") for _ in range(16)) if result in "PVZ" else ""
        with self._open() as db:
            done = db.execute(
                "UPDATE operation SET result = ?, finished = ?, numauto = ? "
                "WHERE idop = ? AND result NOT IN ('P', 'V')",
                [result, self.now(), numauto, idop],
            )
        return done.rowcount == 1
