"""The machine of files that wait, on statements as its rows; imports and statements show theirs in their rooms."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from tenant_apps.reconciliation.models import Statement
from tenants.work.intake import MOST_ATTEMPTS, Intake, Sentences, beat, show
from toolkit.files.storage import StorageSilent

Work = Callable[[Statement], object]


@pytest.fixture
def row(town: Any) -> Statement:
    return Statement.objects.create(
        kind="bank", name="r.csv", state="reading", key="k", sha256="0" * 64, created_by="clerk"
    )


def intake(work: Work, *, too_long: str = "") -> Intake[Statement]:
    def fail(row: Statement, sentence: str) -> None:
        Statement.objects.filter(pk=row.pk).update(state="failed", problem=sentence)

    return Intake(
        kind="statements",
        waiting=lambda: Statement.objects.filter(state="reading"),
        lock=lambda row: f"trial:{row.pk}",
        work=work,
        fail=fail,
        sentences=Sentences(gone="gone", killed="killed", stopped="stopped", too_long=too_long),
    )


def raising(error: BaseException) -> Work:
    def work(row: Statement) -> None:
        raise error

    return work


def found(row: Statement) -> tuple[str, str, int, bool]:
    row.refresh_from_db()
    return row.state, row.problem, row.attempts, row.next_try_at is not None


def test_what_is_done_is_not_done_again(row: Statement) -> None:
    def work(row: Statement) -> None:
        show(row, "checking", total=7)
        beat(row, done=3)
        Statement.objects.filter(pk=row.pk).update(state="done")

    assert intake(work).process_next()
    assert not intake(work).process_next()
    row.refresh_from_db()
    assert (row.step, row.done, row.total, row.attempts) == ("checking", 3, 7, 1)
    assert row.beat_at


def test_a_silent_storage_is_no_attempt(row: Statement) -> None:
    assert not intake(raising(StorageSilent())).process_next()
    assert found(row) == ("reading", "", 0, True)
    assert not intake(raising(AssertionError())).process_next()  # not again at once
    assert found(row)[2] == 0


def test_silence_after_some_progress(row: Statement) -> None:
    """Progress has begun the count anew: there is nothing to take off."""

    def work(row: Statement) -> None:
        beat(row, done=10, attempts=0)
        raise StorageSilent

    intake(work).process_next()
    assert found(row) == ("reading", "", 0, True)


@pytest.mark.parametrize(
    ("error", "too_long", "after"),
    [
        (FileNotFoundError(), "", ("failed", "gone", 1, False)),
        (SoftTimeLimitExceeded(), "too long", ("failed", "too long", 1, False)),
        (SoftTimeLimitExceeded(), "", ("reading", "", 1, True)),  # it goes on where it was
        (RuntimeError(), "too long", ("reading", "", 1, True)),
    ],
)
def test_what_stops_it(row: Statement, error: Exception, too_long: str, after: Any) -> None:
    intake(raising(error), too_long=too_long).process_next()
    assert found(row) == after


def test_the_third_error_is_the_last(row: Statement) -> None:
    Statement.objects.update(attempts=MOST_ATTEMPTS - 1)
    intake(raising(RuntimeError())).process_next()
    assert found(row)[:2] == ("failed", "stopped")


def test_a_worker_that_dies_says_nothing(row: Statement) -> None:
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            intake(raising(KeyboardInterrupt())).process_next()
    assert intake(raising(AssertionError())).process_next()  # not even begun
    assert found(row)[:2] == ("failed", "killed")


def test_what_another_worker_holds_is_left_to_it(row: Statement, town: Any) -> None:
    values = connection.get_connection_params()
    place = {key: values[key] for key in ("host", "port", "user", "password", "dbname")}
    with psycopg.connect(**place, autocommit=True) as other:
        name = f"{town.schema_name}:trial:{row.pk}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        assert not intake(raising(AssertionError())).process_next()
    assert found(row) == ("reading", "", 0, False)
