"""A town's tables closed to writing by the database itself, while the town is moved (docs/decisions/0014).

Whoever writes, whatever it believes, is refused with PostgreSQL's own word for it (25006, read-only). It is a
trigger on each table: it survives the death of whoever raised it, and stays with the rows until they are dropped.
"""

import time
from collections.abc import Callable

import psycopg
from psycopg import sql

from tenants.databases import direct
from tenants.databases.direct import Server
from tenants.errors import TownError

NAME = "zz_closed_to_writing"
TRIES, PAUSE = 40, 1.0  # seconds between two tries
_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the town is being moved' USING ERRCODE = 'read_only_sql_transaction';
END $$
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER {name} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {name}()
"""


def close(home: str, schema: str, on_wait: Callable[[], None]) -> None:
    """All the tables at once. It waits for the transactions that write in them, and none begins after it.

    Raises TownError when one of them does not end.
    """
    for _try in range(TRIES):
        try:
            with direct.connect(home, schema) as server:
                # A little longer than PostgreSQL takes to see that we wait for an autovacuum, and to end it.
                server.execute("SET lock_timeout = '1500ms'")
                names = _tables(server)
                server.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(_list(names)))
                server.execute(sql.SQL(_FUNCTION).format(name=sql.Identifier(NAME)))
                for table in names:
                    server.execute(
                        sql.SQL(_TRIGGER).format(name=sql.Identifier(NAME), table=sql.Identifier(table))
                    )
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            on_wait()
            time.sleep(PAUSE)
    raise TownError(
        "Une écriture est en cours depuis trop longtemps dans la commune : attendez qu'elle finisse."
    )


def open_again(home: str, schema: str) -> None:
    """The move is given up: the tables are written as before. Nothing to do when they are open, or gone."""
    with direct.connect(home, schema) as server:
        server.execute(sql.SQL("DROP FUNCTION IF EXISTS {}() CASCADE").format(sql.Identifier(NAME)))


def _tables(server: Server) -> list[str]:
    rows = server.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
    ).fetchall()
    return [str(name) for (name,) in rows]


def _list(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
