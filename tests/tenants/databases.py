"""A whole database for a test that changes the registry, the template or every town."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core.cache import cache
from django.db import OperationalError, connection

from tenants.hosts import registry
from tenants.schema import versions
from tenants.schema.migrating import migrate_towns


@contextmanager
def database_of_its_own(name: str) -> Iterator[None]:
    """The connection is on a new database with the template and no town; it is dropped afterwards."""
    connection.close()
    before = connection.settings_dict["NAME"]
    create(name)
    connection.settings_dict["NAME"] = name
    registry.forget()
    cache.clear()
    try:
        versions.wanted.cache_clear()
        migrate_towns()
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        drop(name)
        registry.forget()
        connection.set_schema_to_public()


def create(name: str) -> None:
    """A database of that name with the template and no town: a copy of one that is migrated once a session."""
    drop(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")  # the workers of a session want it at the same time
        _make_ready(cursor)
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_ready()}"')


def drop_ready() -> None:
    """At the end of a session; whoever still wants it makes it again."""
    drop(_ready())


def _ready() -> str:
    return f"ready_{os.environ.get('PYTEST_XDIST_TESTRUNUID', 'alone')}"


def _make_ready(cursor: Any) -> None:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_ready()])
    if cursor.fetchone():
        return
    before, making = connection.settings_dict["NAME"], f"{_ready()}_making"
    drop(making)
    cursor.execute(f'CREATE DATABASE "{making}"')
    connection.close()
    connection.settings_dict["NAME"] = making
    try:
        migrate_towns()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
    cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{_ready()}"')


def drop(name: str) -> None:
    """Without FORCE, which may not end an autovacuum; PostgreSQL asks that one to go, and waits for it."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            return
        except OperationalError:  # a killed process's session is just ending
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def environment() -> dict[str, str]:
    """The environment of another process that works on the test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
