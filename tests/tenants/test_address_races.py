"""Two who want the same address at the same moment, on two real connections: one has it, the other is told."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tenants.errors import TownError, TownExists
from tenants.hosts import domains
from tenants.life import renaming, services, town_closure
from tenants.models import Domain, Operation, Town
from tenants.states import TownState
from tenants.work import operations


def beside(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start `work` in a thread with a connection of its own; the answer gives its outcome, or its TownError."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            connection.set_schema_to_public()
            outcome.append(work())
        except TownError as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> Any:
        thread.join(120)
        return outcome[0]

    return result


def until_blocked() -> None:
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # which a transaction would keep
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone():
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.fixture
def public(live_town: Town, committed: str) -> Town:
    connection.set_schema_to_public()
    return live_town


def test_an_opening_is_quicker_than_a_change_of_address(public: Town, committed: str) -> None:
    operation = renaming.request_renaming(town=public, slug=committed, actor="system")
    with transaction.atomic():
        opening = Town.objects.create(slug=committed, name="Autre", schema_name=services.schema_of(committed))
        Domain.objects.create(tenant=opening, domain=services.host_of(committed))
        result = beside(lambda: operations.perform(operation.pk))
        until_blocked()
    failed = result()
    assert (failed.state, "vient d'être prise" in failed.error) == ("failed", True)
    public.refresh_from_db()
    assert public.slug != committed
    assert Domain.objects.get(tenant=public).kind == "platform"
    Operation.objects.filter(pk=operation.pk).delete()


def test_two_towns_claim_one_domain(public: Town) -> None:
    host, other = "dispute.example.fr", Town.objects.get(slug="mairie")
    with transaction.atomic():
        Domain.objects.create(tenant=public, domain=host, kind="custom", proof="x", is_primary=False)
        result = beside(lambda: domains.add_domain(town=other, host=host))
        until_blocked()
    assert isinstance(result(), TownExists)
    assert Domain.objects.get(domain=host).tenant_id == public.pk


def test_a_town_changes_its_mind_while_beat_closes_it(public: Town) -> None:
    closed = town_closure.close_town(town=public, days=1, reason="essai")
    Town.objects.filter(pk=closed.pk).update(closes_at=closed.created_at)
    with transaction.atomic():
        Town.objects.select_for_update().get(pk=public.pk)
        Town.objects.filter(pk=public.pk).update(state=TownState.OPEN, closes_at=None)
        result = beside(town_closure.sweep)
        until_blocked()
    assert result() == 0
    public.refresh_from_db()
    assert public.state == TownState.OPEN
