"""The rows of a database's public schema that belong to one town: its agenda, its routes at the Treasury…

The tables: every model with a foreign key to Town that its room declares as exported (`town_data`). Rows are
copied without their own id and the town's id, which the target assigns.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import models
from psycopg import sql

from tenants import declarations
from tenants.databases.direct import Server
from tenants.models import Domain, Operation, Town
from tenants.shards import rows
from tenants.shards.rows import Table, Write

_OTHERWISE = (Domain, Operation)  # of the registry: restoring and moving write them themselves


def tables() -> list[Table]:
    """The tables by name, with the columns that are copied."""
    found = []
    for model, link in _links():
        if declarations.declared()[model._meta.label].exported:
            key = model._meta.pk.column
            columns = tuple(str(f.column) for f in model._meta.concrete_fields if f.column not in (key, link))
            found.append(Table(model._meta.db_table, columns, columns))
    return sorted(found, key=lambda table: table.name)


def copy_out(server: Server, table: Table, town: int, write: Write) -> int:
    """Give the rows of the town whose key is `town` to `write`. Returns their number."""
    query = sql.SQL("SELECT {} FROM {} WHERE {} = {} ORDER BY {}").format(
        rows.names(table.columns), _place(table), _link(table), sql.Literal(town), rows.names(table.key)
    )
    return rows.copy_query(server, query, write)


def counts(server: Server, town: int) -> dict[str, int]:
    """Table → number of the town's rows, including those that are not exported."""
    found = {}
    for model, link in _links():
        table = model._meta.db_table
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} = {}").format(
            sql.Identifier("public", table), sql.Identifier(link), sql.Literal(town)
        )
        row = server.execute(query).fetchone()
        found[table] = int(row[0]) if row else 0
    return found


def clear(server: Server, town: int) -> None:
    """Delete the town's rows, including those that are not exported."""
    for model, link in _links():
        server.execute(
            sql.SQL("DELETE FROM {} WHERE {} = {}").format(
                sql.Identifier("public", model._meta.db_table), sql.Identifier(link), sql.Literal(town)
            )
        )


def take_away(server: Server, town: int) -> None:
    """Delete the town's rows that were copied elsewhere. The others belong to the registry and stay."""
    for table in tables():
        server.execute(
            sql.SQL("DELETE FROM {} WHERE {} = {}").format(_place(table), _link(table), sql.Literal(town))
        )


@contextmanager
def copying_in(server: Server, table: Table, town: int) -> Iterator[Write]:
    """Insert what is written as rows of the town; existing rows stay as they are."""
    waiting = sql.Identifier("pg_temp", f"in_{table.name}")
    names = rows.names(table.columns)
    server.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            sql.Identifier(f"in_{table.name}"), names, _place(table)
        )
    )
    with rows.copying_in(server, waiting, table.columns) as write:
        yield write
    server.execute(
        sql.SQL("INSERT INTO {} ({}, {}) SELECT {}, {} FROM {} ON CONFLICT DO NOTHING").format(
            _place(table), _link(table), names, sql.Literal(town), names, waiting
        )
    )


def _links() -> list[tuple[type[models.Model], str]]:
    """Each model whose rows belong to a town, and the column that says which."""
    return [
        (model, str(field.column))
        for model in declarations.concrete_models()
        for field in model._meta.concrete_fields
        if field.related_model is Town and model not in _OTHERWISE
    ]


def _place(table: Table) -> sql.Identifier:
    return sql.Identifier("public", table.name)


def _link(table: Table) -> sql.Identifier:
    return sql.Identifier(next(link for model, link in _links() if model._meta.db_table == table.name))
