"""Write several rows in one round trip to the database, to keep the locks of `settle` short.

Values go through the fields of the model (defaults, `auto_now_add`, JSON). The statements run in order, in the
caller's transaction. The SQL of each model is made once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models


@dataclass(frozen=True)
class Statement:
    """An SQL statement with its values."""

    sql: str
    values: list[Any]


@dataclass(frozen=True)
class IdOf:
    """The value of a foreign key: the id of the last row of `model` inserted by the same `write`."""

    model: type[models.Model]


def inserted(row: models.Model, **references: IdOf) -> Statement:
    """The INSERT of `row`. The instance does not get its id. `references`: columns that take an IdOf."""
    fields = _own(type(row))
    values = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in fields
        if field.attname not in references
    ]
    named = tuple((name, reference.model._meta.db_table) for name, reference in references.items())
    return Statement(_insert(type(row), named), values)


def updated(row: models.Model, fields: Iterable[str]) -> Statement:
    """The UPDATE of only these fields of `row`."""
    chosen: list[Any] = [row._meta.get_field(name) for name in fields]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in chosen]
    return Statement(_update(type(row), tuple(fields)), [*values, row.pk])


def write(*statements: Statement) -> None:
    """Send all statements to the database at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "; ".join(statement.sql for statement in statements),
            [value for statement in statements for value in statement.values],
        )


@cache
def _own(model: type[models.Model]) -> tuple[Any, ...]:
    return tuple(field for field in model._meta.local_concrete_fields if not field.primary_key)


@cache
def _insert(model: type[models.Model], references: tuple[tuple[str, str], ...]) -> str:
    given = [field for field in _own(model) if field.attname not in dict(references)]
    columns = [field.column for field in given] + [name for name, _ in references]
    places = ["%s"] * len(given)
    places += [f"currval(pg_get_serial_sequence('{table}', 'id'))" for _, table in references]
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({", ".join(places)})'  # noqa: S608


@cache
def _update(model: type[models.Model], fields: tuple[str, ...]) -> str:
    chosen: list[Any] = [model._meta.get_field(name) for name in fields]
    sets = ", ".join(f'"{field.column}" = %s' for field in chosen)
    return f'UPDATE "{model._meta.db_table}" SET {sets} WHERE id = %s'  # noqa: S608
