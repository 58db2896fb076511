"""A whole database for a test that changes the registry, the template or every town."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from django.core.cache import cache
from django.db import OperationalError, connection

from tenants import registry, versions
from tenants.migrating import migrate_towns


@contextmanager
def database_of_its_own(name: str) -> Iterator[None]:
    """The connection is on a new database with the template and no town; it is dropped afterwards."""
    connection.close()
    before = connection.settings_dict["NAME"]
    drop(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
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
