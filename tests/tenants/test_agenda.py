"""The agenda: an idle town costs nothing, what is due is started, what cannot run waits (decision 0003)."""

import contextlib
import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from tenants.models import AgendaItem, Town
from tenants.schema.versions import wanted
from tenants.states import TownState
from tenants.tasks import run_agenda
from tenants.work import agenda
from tests.races import at_once


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(schema, task) of each task that the agenda starts, in place of the broker."""
    found: list[tuple[str, str]] = []

    def note(task: Any, *args: object) -> None:
        found.append((str(connection.schema_name), task.name))  # type: ignore[attr-defined]

    monkeypatch.setattr(agenda, "hint", note)
    return found


@pytest.fixture
def many(db: None) -> list[Town]:
    """Two thousand idle towns: registry rows only, which is all that beat may look at."""
    return Town.objects.bulk_create(
        Town(
            slug=f"idle-{n}",
            name=f"Commune {n}",
            schema_name=f"t_idle_{n}",
            state=TownState.OPEN,
            schema_version=wanted().version,
        )
        for n in range(2000)
    )


def due(town: Town, kind: str = "mail", *, late: int = 1) -> AgendaItem:
    return AgendaItem.objects.create(town=town, kind=kind, due_at=timezone.now() - timedelta(minutes=late))


def minute() -> int:
    """How many statements a minute of beat costs, one run every ten seconds."""
    with CaptureQueriesContext(connection) as queries:
        for _ in range(6):
            run_agenda()
    return len([q for q in queries if "search_path" not in q["sql"]])


def test_a_minute_of_beat_over_two_thousand_idle_towns(
    many: list[Town], started: list[tuple[str, str]]
) -> None:
    AgendaItem.objects.all().delete()
    AgendaItem.objects.bulk_create(
        AgendaItem(town=town, kind="payments", due_at=timezone.now() + timedelta(days=1)) for town in many
    )
    assert minute() <= 6 * 3  # the agenda, the operations and the closings: a query each, none a town
    assert started == []


def test_the_cost_is_that_of_the_work_due(many: list[Town], started: list[tuple[str, str]]) -> None:
    AgendaItem.objects.all().delete()
    for town in many[:3]:
        due(town)
    assert minute() <= 6 * 3 + 7  # three of them to claim the rows
    assert sorted(started) == [(town.schema_name, "mail.deliver_outbox") for town in many[:3]]


def test_the_oldest_first_and_a_bounded_number_at_a_time(
    many: list[Town], started: list[tuple[str, str]]
) -> None:
    AgendaItem.objects.all().delete()
    for minutes, town in enumerate(many[:5], start=1):
        due(town, late=minutes)
    assert agenda.run(limit=2) == 2
    assert [schema for schema, _ in started] == ["t_idle_4", "t_idle_3"]
    assert agenda.run() == 3


def test_a_suspended_town_is_frozen_and_takes_nobody_s_turn(
    town: Town, other_town: Town, started: Any
) -> None:
    AgendaItem.objects.all().delete()
    Town.objects.filter(pk=other_town.pk).update(state=TownState.SUSPENDED)
    frozen, mine = due(other_town, late=9), due(town)
    assert agenda.run() == 1
    assert [schema for schema, _ in started] == [town.schema_name]
    frozen.refresh_from_db()
    mine.refresh_from_db()
    assert frozen.due_at > timezone.now() + timedelta(minutes=50)
    assert mine.due_at < timezone.now() + timedelta(minutes=6)
    Town.objects.filter(pk=other_town.pk).update(state=TownState.OPEN)
    agenda.release(other_town)
    assert agenda.run() == 1


def test_a_town_whose_schema_is_behind_waits_for_its_migration(town: Town, started: Any) -> None:
    AgendaItem.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'contact'")
    Town.objects.filter(pk=town.pk).update(schema_version="old")
    due(town)
    assert agenda.run() == 0
    Town.objects.filter(pk=town.pk).update(schema_version=wanted().version)
    AgendaItem.objects.update(due_at=timezone.now())
    assert agenda.run() == 1


def test_planned_while_it_is_being_finished_is_not_forgotten(town: Town) -> None:
    later = timezone.now() + timedelta(hours=3)
    with tenant_context(town):
        agenda.plan("mail", timezone.now())
        agenda.finish("mail", lambda: later)
        assert AgendaItem.objects.get(town=town, kind="mail").due_at == later
        agenda.plan("mail", later + timedelta(hours=1))  # never later than what was planned
        assert AgendaItem.objects.get(town=town, kind="mail").due_at == later
        agenda.finish("mail", lambda: None)
        assert not AgendaItem.objects.filter(town=town, kind="mail").exists()
        with pytest.raises(LookupError):
            agenda.plan("dancing", later)


def test_what_a_transaction_plans_is_written_at_its_end(town: Town) -> None:
    soon, later = timezone.now(), timezone.now() + timedelta(hours=1)
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        agenda.plan("payments", later)
        agenda.plan("mail", later)
        with transaction.atomic():
            agenda.plan("payments", soon)
        assert not AgendaItem.objects.filter(town=town).exists()
    assert dict(AgendaItem.objects.filter(town=town).values_list("kind", "due_at")) == {
        "mail": later,
        "payments": soon,
    }
    assert len([q for q in queries if "INSERT INTO public.tenants_agendaitem" in q["sql"]]) == 1
    AgendaItem.objects.all().delete()
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        agenda.plan("mail", soon)
        raise ZeroDivisionError
    with transaction.atomic():
        pass
    assert not AgendaItem.objects.filter(town=town).exists()


def test_who_plans_two_kinds_in_either_order_never_waits_in_a_circle(live_town: Town) -> None:
    def plans(*kinds: str) -> None:
        with transaction.atomic():
            for kind in kinds:
                agenda.plan(kind, timezone.now())
                time.sleep(0.3)

    acts = [partial(plans, "mail", "payments"), partial(plans, "payments", "mail")]
    assert at_once(live_town, *acts) == []
    assert AgendaItem.objects.filter(town=live_town).count() == 2
