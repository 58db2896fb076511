"""kill -9 of `manage.py create_town` at each step: no half town is served, and the opening ends right by itself."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.products.models import Product
from tenants.hosts import registry
from tenants.life.services import schema_of
from tenants.models import AgendaItem, Domain, Operation, OperationState, Town
from tenants.states import TownState
from tenants.work import operations
from tests.tenants.conftest import said, start_manage

pytestmark = pytest.mark.faults
Connection = psycopg.Connection[Any]


@contextmanager
def server() -> Iterator[Connection]:
    """A connection that is in nobody's way until it locks something."""
    s = connection.settings_dict
    with psycopg.connect(
        host=s["HOST"], port=s["PORT"], user=s["USER"], password=s["PASSWORD"], dbname=s["NAME"]
    ) as found:
        yield found
        found.rollback()


def blocked() -> bool:
    """Whether somebody waits for a lock in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() is not None


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not what():
        assert time.monotonic() < deadline, "the command never got there"
        time.sleep(0.05)


@contextmanager
def held_before_the_schema(slug: str) -> Iterator[None]:
    """The registry's rows are there; the schema is not."""
    with server() as other:
        other.execute(f'CREATE SCHEMA "{schema_of(slug)}"')
        yield


@contextmanager
def held_in_the_furniture(slug: str) -> Iterator[None]:
    """The schema is copied, the manager is written, nothing of it is committed."""
    with server() as other:
        other.execute("LOCK TABLE public.tenants_agendaitem IN SHARE MODE")
        yield


@contextmanager
def held_before_open(slug: str) -> Iterator[None]:
    """The schema and its furniture are committed; the town is not open."""
    with server() as other:
        other.execute("LOCK TABLE public.audit_entry IN SHARE MODE")
        yield


POINTS = [held_before_the_schema, held_in_the_furniture, held_before_open]
KILLED_AT = {"held_before_the_schema": False, "held_in_the_furniture": False, "held_before_open": True}


def command(slug: str) -> list[str]:
    return ["create_town", slug, "Commune coupée", "--manager", "maire@example.org"]


def kill_at(point: Any, slug: str) -> None:
    with point(slug):
        process = start_manage(*command(slug))
        wait_for(lambda: blocked() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate()


def served(slug: str) -> int:
    registry.forget()
    status = Client(headers={"host": f"{slug}.localhost"}).get("/").status_code
    connection.set_schema_to_public()
    return status


def has_schema(slug: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema_of(slug)])
        return cursor.fetchone() is not None


def is_whole(slug: str) -> None:
    """Open, served, with one of everything, and one invitation."""
    town = Town.objects.get(slug=slug)
    assert town.state == TownState.OPEN
    assert served(slug) == 200
    assert Domain.objects.filter(tenant=town).count() == 1
    assert Operation.objects.get(subject=slug).state == OperationState.DONE
    assert AuditEntry.objects.filter(verb="town.opened", new__slug=slug).count() == 1
    assert AgendaItem.objects.get(town=town, kind="mail").due_at <= timezone.now()
    with tenant_context(town):
        assert Account.objects.get().role == Role.MANAGER
        assert Product.objects.get().is_default
        assert re.search(r"LIEN=X[0-9a-f]{32}", OutgoingMail.objects.get(to="maire@example.org").text)


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_swept(committed: str, point: Any) -> None:
    kill_at(point, committed)
    wait_for(lambda: has_schema(committed) == KILLED_AT[point.__name__])
    assert Town.objects.get(slug=committed).state == TownState.OPENING
    assert served(committed) == 404
    operation = Operation.objects.get(subject=committed)
    assert operation.state == OperationState.RUNNING
    assert (
        operations.perform(operation.pk).state == OperationState.RUNNING
    )  # not before half a minute of silence
    Operation.objects.update(due_at=timezone.now())
    assert operations.sweep() == 1
    wait_for(lambda: operations.perform(operation.pk).state == OperationState.DONE)
    is_whole(committed)


def test_killed_and_asked_for_again(committed: str) -> None:
    kill_at(held_before_open, committed)
    with pytest.raises(CommandError, match="avec d'autres renseignements"):
        said("create_town", committed, "Commune coupée", "--manager", "autre@example.org")
    again = start_manage(*command(committed))
    words = again.communicate(timeout=120)[0]
    assert again.returncode == 0, words
    assert "3/3 Ouverte" in words
    is_whole(committed)
    with pytest.raises(CommandError, match="existe déjà"):
        said(*command(committed))


def test_killed_between_open_and_the_end(committed: str) -> None:
    with server() as first, server() as second:
        first.execute("LOCK TABLE public.audit_entry IN SHARE MODE")
        process = start_manage(*command(committed))
        wait_for(lambda: blocked() or process.poll() is not None)
        second.execute("LOCK TABLE public.tenants_agendaitem IN SHARE MODE")
        first.rollback()
        wait_for(lambda: Town.objects.get(slug=committed).state == TownState.OPEN and blocked())
        process.send_signal(signal.SIGKILL)
        process.communicate()
    operation = Operation.objects.get(subject=committed)
    assert operation.state == OperationState.RUNNING
    Operation.objects.update(due_at=timezone.now())
    wait_for(lambda: operations.perform(operation.pk).state == OperationState.DONE)
    is_whole(committed)
