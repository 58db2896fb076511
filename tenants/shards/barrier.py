"""While a town moves, its database refuses writes to the town's tables (docs/decisions/0014).

Any write is refused with PostgreSQL's error 25006 (read-only), even from a process with a stale registry. A
trigger on each table does it, so it outlives the process that set it, and stays until the tables are dropped.
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


def close(shard: str, schema: str, on_wait: Callable[[], None]) -> None:
    """Close all tables at once. Wait for running writes; no new one can start.

    Raises TownError when a running write does not end.
    """
    for _try in range(TRIES):
        try:
            with direct.connect(shard, schema) as server:
                # A little longer than PostgreSQL needs to cancel an autovacuum that we wait for.
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


def open_again(shard: str, schema: str) -> None:
    """Allow writes again after a cancelled move. Does nothing when the tables are open or gone."""
    with direct.connect(shard, schema) as server:
        server.execute(sql.SQL("DROP FUNCTION IF EXISTS {}() CASCADE").format(sql.Identifier(NAME)))


def _tables(server: Server) -> list[str]:
    rows = server.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
    ).fetchall()
    return [str(name) for (name,) in rows]


def _list(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
