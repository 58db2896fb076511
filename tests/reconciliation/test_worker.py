"""The worker and the files: progress, a crash in the middle, a lost file, and the next file goes on."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import storages

from shared_apps.audit.models import AuditEntry
from tenant_apps.reconciliation import tasks
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.reading.columns import guess
from tenant_apps.reconciliation.statements import files, processing
from tenant_apps.reconciliation.statements import services as statements
from tenants.models import AgendaItem, Town

TITLES = "Date;Montant;Refdet\n"


def rows(number: int, *, start: int = 0) -> str:
    return TITLES + "".join(f"12/11/2026;{n + 1},00;REFER{n:05}\n" for n in range(start, start + number))


@pytest.fixture
def send(town: Town) -> Callable[..., Statement]:
    def send(text: str, **more: Any) -> Statement:
        file = io.BytesIO(text.encode())
        found, _new = statements.receive_statement(
            actor="clerk", kind="journal", file=file, name="j.csv", **more
        )
        return statements.ask_import(actor="clerk", statement=found, mapping=found.mapping)

    return send


def kept_rows(statement: Statement) -> list[tuple[int, str]]:
    return list(statement.rows.order_by("id").values_list("number", "state"))


def test_asked_then_read_by_the_task(send: Callable[..., Statement], town: Town) -> None:
    statement = send(rows(3))
    assert (statement.state, StatementRow.objects.count()) == ("reading", 0)
    assert AgendaItem.objects.filter(town_id=town.pk, kind="statements").exists()
    tasks.read_statements()
    statement.refresh_from_db()
    assert (statement.state, statement.done, statement.total, statement.new_count) == ("done", 3, 3, 3)
    assert not AgendaItem.objects.filter(town_id=town.pk, kind="statements").exists()
    assert AuditEntry.objects.filter(verb="statement.imported").count() == 1
    tasks.read_statements()
    assert StatementRow.objects.count() == 3


def test_a_second_worker_goes_on_where_the_first_died(
    send: Callable[..., Statement], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing twice, nothing lost; a reading longer than the task's limit also comes to its end."""
    monkeypatch.setattr(processing, "CHUNK", 10)
    statement = send(rows(35) + rows(35).removeprefix(TITLES))  # each row twice: ranks count across workers
    keep, calls = processing._keep, 0

    def dies(*args: Any) -> None:
        nonlocal calls
        keep(*args)
        calls += 1
        if calls % 2 == 0:
            raise KeyboardInterrupt  # like a crash: the chunk is undone, and nothing is written after it

    monkeypatch.setattr(processing, "_keep", dies)
    for _ in range(4):  # more often than `attempts` allows, but each time with one more chunk
        with pytest.raises(KeyboardInterrupt):
            processing.process_waiting()
        statement.refresh_from_db()
    assert statement.done == 40
    monkeypatch.setattr(processing, "_keep", keep)
    processing.process_waiting()
    statement.refresh_from_db()
    assert (statement.state, statement.new_count, statement.attempts) == ("done", 70, 0)
    assert [number for number, _state in kept_rows(statement)] == list(range(2, 72))


def test_an_error_stops_after_three_attempts_and_the_next_file_goes_on(
    send: Callable[..., Statement], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = send(rows(3)), send(rows(3, start=50))
    read = processing.process_statement

    def stumbles(*, statement: Statement) -> None:
        if statement.pk == broken.pk:
            raise RuntimeError("anything")
        read(statement=statement)

    monkeypatch.setattr(processing, "process_statement", stumbles)
    for attempt in (1, 2, 3):
        processing.process_waiting()
        broken.refresh_from_db()
        assert broken.attempts == attempt
        Statement.objects.update(next_try_at=None)
    good.refresh_from_db()
    assert (broken.state, good.state) == ("failed", "done")
    assert "trois fois" in broken.problem
    assert not processing.waiting().exists()
    monkeypatch.setattr(processing, "process_statement", read)
    statements.try_again(actor="clerk", statement=broken)
    processing.process_waiting()
    broken.refresh_from_db()
    assert (broken.state, broken.problem, len(kept_rows(broken))) == ("done", "", 3)


def test_killed_three_times_without_a_line_more(send: Callable[..., Statement]) -> None:
    """A killed worker cannot report anything: the attempts are counted before the work."""
    statement = send(rows(3))
    Statement.objects.filter(pk=statement.pk).update(attempts=3)
    processing.process_waiting()
    statement.refresh_from_db()
    assert (statement.state, statement.problem[:40]) == ("failed", "La lecture s'est interrompue trois fois ")


def test_a_file_that_is_gone_is_said_at_once(send: Callable[..., Statement]) -> None:
    gone, good = send(rows(3)), send(rows(3, start=50))
    storages["documents"].delete(gone.key)
    processing.process_waiting()
    gone.refresh_from_db()
    good.refresh_from_db()
    assert (gone.state, good.state) == ("failed", "done")
    assert "n'est plus dans l'espace de stockage" in gone.problem
    statements.withdraw_statement(actor="clerk", statement=gone)
    statements.discard_statement(actor="clerk", statement=gone)
    assert not Statement.objects.filter(pk=gone.pk).exists()


def test_a_cut_file_leaves_no_line_and_says_why(send: Callable[..., Statement]) -> None:
    statement = send(rows(40) + "x" * 200_000)
    processing.process_waiting()
    statement.refresh_from_db()
    assert (statement.state, kept_rows(statement)) == ("received", [])
    assert "ne se lit plus à la ligne 42" in statement.problem


def test_lines_cannot_be_decided_while_their_file_is_read(send: Callable[..., Statement]) -> None:
    from tenant_apps.reconciliation import services
    from tenant_apps.reconciliation.errors import NotPossible

    statement = send(rows(3))
    processing.process_waiting()
    Statement.objects.filter(pk=statement.pk).update(state="reading")
    with pytest.raises(NotPossible, match="en cours de lecture"):
        services.ignore_row(actor="clerk", row=statement.rows.first(), reason="x")  # type: ignore[arg-type]
    with pytest.raises(NotPossible, match="en cours de lecture"):
        statements.withdraw_statement(actor="clerk", statement=statement)


def test_the_titles_of_a_file_are_found_again_by_the_worker(send: Callable[..., Statement]) -> None:
    statement = send("Compte 1;;\n\n" + rows(2))
    with files.opened(statement) as file:
        layout = files.layout(statement, file)
    assert layout.line == 3
    assert guess("journal", layout.titles)["reference"] == "Refdet"
