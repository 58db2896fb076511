"""Operations: done once, gone on with after a breakdown, one at a time on a town."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from tenants.current import REGISTRY
from tenants.databases import direct
from tenants.errors import Busy, TownError
from tenants.models import Operation, OperationState
from tenants.work import operations

S = OperationState


@pytest.fixture
def kind(db: None) -> Iterator[dict[str, Any]]:
    """A kind of work whose behaviour the test decides: `behaviour["does"]` is called with the progress."""
    behaviour: dict[str, Any] = {"does": lambda progress: {"n": 1}, "calls": 0}

    def work(operation: Operation, progress: operations.Progress) -> Mapping[str, Any] | None:
        behaviour["calls"] += 1
        result: Mapping[str, Any] | None = behaviour["does"](progress)
        return result

    operations.register("test", work)
    yield behaviour
    del operations._works["test"]


def ask() -> Operation:
    return operations.request(kind="test", subject="lauzerte", actor="system", arguments={})


def test_done_once(kind: dict[str, Any]) -> None:
    seen: list[str] = []
    kind["does"] = lambda progress: progress.step("Copie des lignes", 3, 40) or {"rows": 40}
    operation = ask()
    done = operations.perform(operation.pk, watch=lambda op: seen.append(f"{op.step} {op.done}/{op.total}"))
    assert (done.state, done.result, done.attempts, seen) == (
        S.DONE,
        {"rows": 40},
        1,
        ["Copie des lignes 3/40"],
    )
    operations.perform(operation.pk)
    assert kind["calls"] == 1


def test_one_at_a_time_on_a_town(kind: dict[str, Any]) -> None:
    first = ask()
    with pytest.raises(Busy, match="déjà en cours"):
        ask()
    operations.perform(first.pk)
    ask()


def test_a_final_no_is_said_and_may_be_tried_again(kind: dict[str, Any]) -> None:
    def no(progress: operations.Progress) -> None:
        raise TownError("L'archive est abîmée.")

    kind["does"] = no
    failed = operations.perform(ask().pk)
    assert (failed.state, failed.error) == (S.FAILED, "L'archive est abîmée.")
    with pytest.raises(TownError, match="abîmée"):
        operations.run(kind="test", subject="lauzerte", actor="system", arguments={})
    kind["does"] = lambda progress: None
    operations.retry(failed)
    assert operations.perform(failed.pk).state == S.DONE


def test_a_breakdown_is_tried_again_later_and_not_for_ever(kind: dict[str, Any]) -> None:
    kind["does"] = lambda progress: 1 / 0
    operation = ask()
    for attempt in range(1, operations.TRIES):
        waiting = operations.perform(operation.pk)
        assert waiting.state == S.WAITING
        assert "ZeroDivisionError" in waiting.error
        assert waiting.due_at > timezone.now() + timedelta(seconds=50 * attempt)
        operations.perform(operation.pk)  # too early
        assert kind["calls"] == attempt
        Operation.objects.update(due_at=timezone.now())
    assert operations.perform(operation.pk).state == S.FAILED


def test_what_a_kill_left_running_is_found_and_what_runs_is_left_alone(kind: dict[str, Any]) -> None:
    operation = ask()
    Operation.objects.update(state=S.RUNNING, due_at=timezone.now())
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
        autocommit=True,
    ) as another:  # as the process that is at it holds it
        another.execute("SELECT pg_advisory_lock(%s, %s)", [operations._LOCK_CLASS, operation.pk])
        assert operations.perform(operation.pk).state == S.RUNNING
        assert kind["calls"] == 0
        assert operations.sweep() == 1
    assert operations.perform(operation.pk).state == S.DONE
    assert operations.sweep() == 0


def test_a_command_does_not_change_what_somebody_is_doing(kind: dict[str, Any]) -> None:
    """Were that worker killed, it would go on with what another person asked for."""
    theirs = operations.request(kind="test", subject="lauzerte", actor="system", arguments={"to": "a"})
    with direct.open_to(REGISTRY) as another:
        another.execute("SELECT pg_advisory_lock(%s, %s)", [operations._LOCK_CLASS, theirs.pk])
        due_at = Operation.objects.get(pk=theirs.pk).due_at
        with pytest.raises(Busy):
            operations.run(kind="test", subject="lauzerte", actor="system", arguments={"to": "b"})
        theirs.refresh_from_db()
        assert (theirs.arguments, theirs.due_at, kind["calls"]) == ({"to": "a"}, due_at, 0)
        another.execute("SELECT pg_advisory_unlock_all()")  # a session that ends lets go a moment later
    done = operations.run(kind="test", subject="lauzerte", actor="system", arguments={"to": "b"})
    assert (done.pk, done.state, done.arguments) == (theirs.pk, S.DONE, {"to": "b"})  # left by a kill
