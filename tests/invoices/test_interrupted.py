"""An import that cannot go on: its attempts are counted, it ends with a sentence, and the next one goes on."""

import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState
from tenants.work.intake import MOST_ATTEMPTS

ROW = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom\n{n};01/10/2026;31/12/2026;12,00;Cantine;C{n};DUBOIS{n}\n"


def sent(n: int) -> Batch:
    """An import of one invoice that a clerk has just sent."""
    file = io.BytesIO(ROW.format(n=n).encode())
    return services.create_batch(actor="system", rows_file=file, rows_name=f"{n}.csv")


def state(batch: Batch) -> tuple[str, int]:
    batch.refresh_from_db()
    return batch.state, batch.attempts


def test_a_file_that_is_gone_holds_nobody_up(town: Any) -> None:
    """Regression: the error was raised again and again, and all later imports of the town waited."""
    gone, good = sent(1), sent(2)
    storages["documents"].delete(gone.rows_key)
    processing.process_waiting()
    assert state(gone) == (BatchState.FAILED, 0)
    assert "envoyez-le de nouveau" in gone.failure
    assert state(good) == (BatchState.READY, 0)
    assert AuditEntry.objects.filter(verb="batch.failed", object=f"batch:{gone.uuid}").count() == 1


def test_workers_that_die_are_counted(town: Any) -> None:
    """A killed worker cannot report anything: the count is saved before the work begins."""
    batch, good = sent(1), sent(2)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.CHECKING, attempts=MOST_ATTEMPTS)
    processing.process_waiting()
    assert state(batch) == (BatchState.FAILED, 0)
    assert "trois fois" in batch.failure
    assert state(good) == (BatchState.READY, 0)


def test_the_task_s_limit_ends_the_import_and_not_the_queue(
    town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception that Celery raises during the work; tests/faults does the same with a real worker."""
    long, good = sent(1), sent(2)
    read = processing.read

    def slow(batch: Batch, *rest: Any, **more: Any) -> Any:
        if batch.pk == long.pk:
            raise SoftTimeLimitExceeded
        return read(batch, *rest, **more)

    monkeypatch.setattr(processing, "read", slow)
    processing.process_waiting()
    assert state(long) == (BatchState.FAILED, 0)
    assert "découpez" in long.failure
    assert state(good) == (BatchState.READY, 0)


def test_the_limit_falls_in_the_middle_of_a_statement(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal, as from Celery. It cancels the SQL statement; otherwise the connection could not be used."""
    long, good = sent(1), sent(2)
    read = processing.read

    def ring(*_: object) -> None:
        raise SoftTimeLimitExceeded

    def slow(batch: Batch, *rest: Any, **more: Any) -> Any:
        if batch.pk == long.pk:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(60)")
        return read(batch, *rest, **more)

    monkeypatch.setattr(processing, "read", slow)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        processing.process_waiting()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert state(long) == (BatchState.FAILED, 0)
    assert "découpez" in long.failure
    assert state(good) == (BatchState.READY, 0)


def test_an_error_may_pass_and_ends_after_three(town: Any) -> None:
    """A real database error at each attempt: a row that a constraint refuses."""
    batch, good = sent(1), sent(2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invoices_invoice ADD CONSTRAINT never CHECK (number <> '1')")
    for attempts in (1, 2):
        processing.process_waiting()
        assert state(batch) == (BatchState.CHECKING, attempts)
        assert state(good)[0] == BatchState.READY
        processing.process_waiting()
        assert state(batch)[1] == attempts, "not again at once"
        Batch.objects.update(next_try_at=None)
    processing.process_waiting()
    assert state(batch) == (BatchState.FAILED, 0)
    assert "prévenez l'exploitant" in batch.failure
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE invoices_invoice DROP CONSTRAINT never")
    services.retry_batch(actor="system", batch=batch)
    processing.process_waiting()
    assert state(batch) == (BatchState.READY, 0)
    assert batch.failure == ""


def test_what_is_not_interrupted_is_not_tried_again(town: Any) -> None:
    batch = sent(1)
    processing.process_waiting()
    with pytest.raises(WrongState):
        services.retry_batch(actor="system", batch=batch)


# --- the command prints the result --------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    def write(content: str) -> str:
        path = tmp_path / "f.csv"
        path.write_text(content, encoding="utf-8")
        return str(path)

    return write


def test_the_command_ends_when_the_import_does(town: Any, file: Callable[[str], str]) -> None:
    """Another import of the town that fails does not affect the command."""
    other = sent(9)
    storages["documents"].delete(other.rows_key)
    out = io.StringIO()
    call_command("import_invoices", town="mairie", file=Path(file(ROW.format(n=3))), publish=True, stdout=out)
    assert "publié : 1 nouvelle" in out.getvalue().lower()
    assert Invoice.objects.get(number="3").state == "published"
    assert state(other) == (BatchState.UPLOADED, 0)


def test_the_command_waits_for_the_worker_that_holds_it(
    live_town: Any, file: Callable[[str], str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the command printed « reçu » and exited 0, and later the worker refused the file."""
    import psycopg

    settings.IMPORT_SECONDS = 1
    path = Path(file(ROW.format(n=4)))
    create = services.create_batch

    def created(**how: Any) -> Batch:
        batch = create(**how)
        holder.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"{live_town.schema_name}:batch:{batch.pk}"]
        )
        return batch

    monkeypatch.setattr(services, "create_batch", created)
    values = connection.get_connection_params()
    with (
        psycopg.connect(
            **{key: values[key] for key in ("host", "port", "user", "password", "dbname")}, autocommit=True
        ) as holder,
        pytest.raises(CommandError, match="n'est pas terminé"),
    ):
        call_command("import_invoices", town=live_town.slug, file=path, stdout=io.StringIO())


def test_a_refusal_exits_with_an_error(town: Any, file: Callable[[str], str]) -> None:
    with pytest.raises(CommandError, match="corrigez le fichier"):
        call_command(
            "import_invoices", town="mairie", file=Path(file(ROW.format(n=5).replace("12,00", "douze"))),
            stdout=io.StringIO(), stderr=io.StringIO(),
        )  # fmt: skip
