"""Commands as an operator types them, and towns whose rows are really committed."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sandbox.home import REPOSITORY
from shared_apps.audit.models import Entry
from tenants.models import Operation, Town
from tenants.services import schema_of


@pytest.fixture
def manage(db: None) -> Callable[..., str]:
    """`manage("suspend_town", "mairie")`: what the command prints. Raises CommandError."""

    def run(*words: Any, **options: Any) -> str:
        out = io.StringIO()
        call_command(*words, stdout=out, **options)
        return out.getvalue()

    return run


@pytest.fixture
def visit(db: None) -> Callable[..., Any]:
    """`visit("mairie.localhost", "/")`: what a stranger is answered; the schema that was current is again."""

    def go(host: str, path: str = "/", method: str = "get", data: Any = None, **headers: str) -> Any:
        before = connection.tenant
        answer = getattr(Client(headers={"host": host, **headers}), method)(path, data)
        connection.set_tenant(before)
        return answer

    return go


@contextmanager
def statements(expected: int) -> Iterator[None]:
    """How many the database is asked, besides the search path that goes before the first."""
    with CaptureQueriesContext(connection) as seen:
        yield
    asked = [
        query["sql"] for query in seen.captured_queries if not query["sql"].startswith("SET search_path")
    ]
    assert len(asked) == expected, asked


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A free slug, in a database where what other processes write is seen; all of it is taken away afterwards."""
    slug = f"coupee-{os.urandom(4).hex()}"
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        yield slug
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{schema_of(slug)}" CASCADE')
        Town.objects.filter(slug=slug).delete()
        Operation.objects.filter(subject=slug).delete()
        Entry.objects.filter(new__slug=slug).delete()
        connection.close()


def start_manage(*words: str) -> "subprocess.Popen[str]":
    """`manage.py …` as a process of its own, on the tests' database."""
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / "manage.py"), *words],
        env={
            **os.environ,
            "DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(
                **connection.settings_dict
            ),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
