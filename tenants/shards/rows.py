"""The rows of one town's schema as streams, for archives and moves.

A source is read inside `direct.snapshot`, so that all tables are of one moment; a target is filled inside
`direct.connect`, so that it gets all rows or none. Both may be open at the same time:

    with direct.snapshot(here, schema) as source, direct.connect(there, schema) as target:
        with rows.loading(target) as into:
            for table in rows.tables(source):
                with into(table) as write:
                    rows.copy_out(source, table, write)
            rows.set_sequences(target, rows.sequences(source))
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import psycopg
from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from tenants.current import current_shard, in_shard
from tenants.databases.direct import Server
from tenants.errors import TownError
from tenants.schema import provisioning, versions
from tenants.schema.versions import name_of

Write = Callable[[bytes], object]
Into = Callable[["Table"], AbstractContextManager[Write]]
CHUNK = 256 * 1024
_ABOUT_THE_SCHEMA = "django_migrations"  # make_schema writes it


@dataclass(frozen=True)
class Table:
    """A table, its columns in the order of the text, and those that order its rows."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


def tables(server: Server) -> list[Table]:
    """The tables of the schema by name, without the columns that the database computes by itself."""
    found = server.execute(
        """
        SELECT c.relname,
               (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
               (SELECT array_agg(a.attname::text ORDER BY k.place)
                  FROM pg_index i, unnest(i.indkey::int[]) WITH ORDINALITY AS k(number, place), pg_attribute a
                 WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number)
          FROM pg_class c
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relname <> %s
         ORDER BY c.relname COLLATE "C"
        """,
        [_ABOUT_THE_SCHEMA],
    ).fetchall()
    return [Table(name, tuple(columns), tuple(key or columns)) for name, columns, key in found]


def lock_structure(server: Server) -> None:
    """Lock the tables' structure until the transaction ends: migrations wait, rows may change."""
    held = [sql.Identifier(table.name) for table in tables(server)]
    if held:
        server.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(held)))


def count(server: Server, table: str) -> int:
    """How many rows it has."""
    row = server.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0


def copy_out(server: Server, table: Table, write: Write) -> int:
    """Give the rows to `write`, in the order of their key, as the text of PostgreSQL's COPY. Returns their number."""
    return copy_query(
        server,
        sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            names(table.columns), sql.Identifier(table.name), names(table.key)
        ),
        write,
    )


def copy_query(server: Server, query: sql.Composed, write: Write) -> int:
    """Give the rows of any query to `write` in the same text. Returns their number."""
    waiting = bytearray()
    with server.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
            for piece in copy:
                waiting += piece
                if len(waiting) >= CHUNK:
                    write(bytes(waiting))
                    waiting.clear()
        if waiting:
            write(bytes(waiting))
        return cursor.rowcount


def sequences(server: Server) -> dict[str, tuple[int, bool]]:
    """Each sequence's last value, and whether it was used. Other sessions may advance them meanwhile."""
    found_names = server.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S' "
        'ORDER BY relname COLLATE "C"'
    ).fetchall()
    found = {}
    for (name,) in found_names:
        row = server.execute(
            sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        ).fetchone()
        assert row is not None
        found[str(name)] = (int(row[0]), bool(row[1]))
    return found


def set_sequences(server: Server, values: Mapping[str, tuple[int, bool]]) -> None:
    """Set the target's sequences to the source's values. Raises TownError for a missing one."""
    missing = set(values) - set(sequences(server))
    if missing:
        raise TownError(f"Le schéma n'a pas la séquence « {min(missing)} ».")
    for name, (value, called) in values.items():
        quoted = sql.Identifier(name).as_string(server)
        server.execute("SELECT setval(%s::regclass, %s, %s)", [quoted, value, called])


@contextmanager
def loading(server: Server) -> Iterator[Into]:
    """Empty the schema's tables, seed rows included, then fill them: `with into(table) as write: …`.

    Our triggers do not run (the rows already have their results); all the database's own checks do,
    at the end. Raises TownError for a missing table or column, and psycopg's error for a bad row.
    """
    here = {table.name: table for table in tables(server)}
    everything = [sql.Identifier(name) for name in here]
    server.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in everything:
        server.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    if everything:
        server.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(everything)))
    server.execute("SET CONSTRAINTS ALL DEFERRED")

    @contextmanager
    def into(table: Table) -> Iterator[Write]:
        if table.name not in here:
            raise TownError(f"Le schéma n'a pas la table « {table.name} ».")
        if set(table.columns) != set(here[table.name].columns):
            odd = min(set(table.columns) ^ set(here[table.name].columns))
            raise TownError(f"La colonne « {odd} » de la table « {table.name} » n'est que d'un côté.")
        with copying_in(server, sql.Identifier(table.name), table.columns) as write:
            yield write

    yield into
    server.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in everything:
        server.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))


@contextmanager
def copying_in(server: Server, table: sql.Identifier, columns: Iterable[str]) -> Iterator[Write]:
    """Send what is written into the table with COPY."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names(columns))
    with server.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy.write


def make_schema(schema: str, migrations: Collection[str]) -> str:
    """Create an empty town's schema in the current database, with these migrations; return its version.

    Not in a transaction: after a failure or a kill the caller drops what is half made. Raises
    TownError for an unknown migration (`app.name`), or one whose dependencies are missing.
    """
    plan = plan_of(migrations)
    if set(migrations) == set(versions.wanted().names):
        with transaction.atomic():
            return provisioning.copy_template(schema)
    if not provisioning.SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a town's schema")
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{schema}"')
    with in_shard(current_shard(), schema):
        MigrationExecutor(connection).migrate(None, plan=[(migration, False) for migration in plan])
    return versions.version_of(migrations)


def has_schema(shard: str, schema: str) -> bool:
    """Whether that database has a schema of that name."""
    with in_shard(shard), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        return cursor.fetchone() is not None


def drop_schema(schema: str) -> None:
    """Drop a town's schema from the current database, if it exists."""
    if not provisioning.SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a town's schema")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def plan_of(wanted: Collection[str]) -> list[Migration]:
    """These migrations, in the order in which they run. Raises TownError, like `make_schema`."""
    known = {name_of(migration): migration for migration in versions.wanted().migrations}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise TownError(
            f"Cette version du logiciel ne connaît pas la migration « {unknown[0]} » : "
            "la commune vient d'une version plus récente ; mettez d'abord le logiciel à jour."
        )
    for name in wanted:
        for app, needed in known[name].dependencies:
            if f"{app}.{needed}" in known and f"{app}.{needed}" not in wanted:
                raise TownError(
                    f"La migration « {name} » est là sans « {app}.{needed} », dont elle a besoin."
                )
    return [migration for name, migration in known.items() if name in set(wanted)]


def names(columns: Iterable[str]) -> sql.Composed:
    """The column names, quoted, separated by commas."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def sentence(error: psycopg.Error) -> str:
    """The server's words, without the DETAIL, which quotes rows."""
    return f"{type(error).__name__} : {error.diag.message_primary or error}"
