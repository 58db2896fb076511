"""What the worker does with a batch: check, stage, publish. Started again after a kill -9, it ends the same."""

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, BinaryIO

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.audit import services as audit
from tenant_apps.invoices import services
from tenant_apps.invoices.importing.checking import Progress, Report, check
from tenant_apps.invoices.importing.documents import Archive
from tenant_apps.invoices.importing.errors import FileError
from tenant_apps.invoices.importing.rows import Reader, RowProblem
from tenant_apps.invoices.importing.staging import stage
from tenant_apps.invoices.models import Batch, BatchProblem, Severity
from tenant_apps.invoices.states import BatchState
from tenants.databases.postgresql.limits import cancelling
from tenants.work.worker_lock import held
from toolkit.files.storage import StorageSilent

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
AGAIN = timedelta(seconds=20)  # between a failure that may pass and the next attempt
WAITING = (BatchState.UPLOADED, BatchState.CHECKING, BatchState.PUBLISHING)


def process_waiting() -> None:
    """Do all that waits and that no other worker holds."""
    while process_next():
        pass


def process_next() -> bool:
    """Bring the next batch that waits as far as it can go; False when none waits that no other worker holds.

    One that was begun and not ended comes after the others: it holds nobody up.
    """
    due = Q(next_try_at=None) | Q(next_try_at__lte=timezone.now())
    for batch in Batch.objects.filter(due, state__in=WAITING).order_by("attempts", "id"):
        with _held(batch) as mine:
            if mine and attempt(batch=batch):
                return True
    return False


def attempt(*, batch: Batch) -> bool:
    """Try `batch`, whose lock the caller holds; what stops it ends with a sentence on its page, never in a loop.

    False when it must wait: it was ended meanwhile, an error may pass, or the storage is silent, which is no fault of
    the batch.
    """
    batch.refresh_from_db()
    if batch.state not in WAITING:
        return False
    if batch.attempts >= MOST_ATTEMPTS:  # its worker died each time
        services.fail_batch(
            batch=batch, reason=gettext_noop("Le traitement a été interrompu trois fois de suite.")
        )
        return True
    started = {"beat_at": timezone.now(), "next_try_at": None}
    Batch.objects.filter(pk=batch.pk).update(attempts=F("attempts") + 1, **started)
    try:
        with cancelling(SoftTimeLimitExceeded):
            process_batch(batch=batch)
    except StorageSilent:
        log.warning("the storage is silent; an import waits", extra={"batch": str(batch.uuid)}, exc_info=True)
        _later(batch, attempts=F("attempts") - 1)
        return False
    except FileNotFoundError:
        sentence = gettext_noop("Le fichier n'est plus dans l'espace de stockage : envoyez-le de nouveau.")
        services.fail_batch(batch=batch, reason=sentence)
    except SoftTimeLimitExceeded:
        sentence = gettext_noop(
            "Le traitement dure trop longtemps : découpez le fichier en plusieurs envois."
        )
        services.fail_batch(batch=batch, reason=sentence)
    except Exception:
        log.exception("an import could not be processed", extra={"batch": str(batch.uuid)})
        batch.refresh_from_db()
        if batch.attempts >= MOST_ATTEMPTS and batch.state in WAITING:
            sentence = gettext_noop(
                "Le traitement s'est arrêté trois fois sur une erreur : prévenez l'exploitant."
            )
            services.fail_batch(batch=batch, reason=sentence)
        else:
            _later(batch)
        return False
    return True


def _later(batch: Batch, **changes: Any) -> None:
    Batch.objects.filter(pk=batch.pk).update(next_try_at=timezone.now() + AGAIN, **changes)


def process_until_done(batch: Batch, *, seconds: float) -> Batch:
    """Bring `batch` to a state that waits for a person, here or in the worker that holds it; for a command.

    Gives up after `seconds`: the batch is then still in one of the WAITING states.
    """
    deadline = time.monotonic() + seconds
    while batch.state in WAITING and time.monotonic() < deadline:
        with _held(batch) as mine:
            done = mine and attempt(batch=batch)
        batch.refresh_from_db()
        if not done:
            time.sleep(0.2)
    return batch


def _held(batch: Batch) -> AbstractContextManager[bool]:
    return held(f"batch:{batch.pk}")


def process_batch(*, batch: Batch) -> None:
    """Bring a batch as far as it can go without a person."""
    batch.refresh_from_db()
    if batch.state in (BatchState.UPLOADED, BatchState.CHECKING):
        _check_and_stage(batch)
    if batch.state == BatchState.READY and batch.publish_when_ready and _may_be_published(batch):
        services.publish_batch(actor=batch.created_by, batch=batch)
        batch.refresh_from_db()
    if batch.state == BatchState.PUBLISHING:
        _publish(batch)


def _publish(batch: Batch) -> None:
    """Publish what was asked for; when the town has changed since it was checked, check it again.

    What then is without any question or change of a payer is published as the clerk has asked.
    """
    _show(batch, "publishing", total=batch.new_count)
    if services.finish_publication(batch=batch):
        return
    batch.refresh_from_db()
    if batch.state != BatchState.CHECKING:
        return
    _check_and_stage(batch, again=True)
    if batch.state == BatchState.READY and _may_be_published(batch) and not batch.change_count:
        services.publish_batch(actor=batch.created_by, batch=batch)
        services.finish_publication(batch=batch)


def _may_be_published(batch: Batch) -> bool:
    return batch.brings_something and not services.open_questions(batch).exists()


def _check_and_stage(batch: Batch, *, again: bool = False) -> None:
    _start_again(batch)
    with contextlib.ExitStack() as files:
        rows = files.enter_context(_opened(batch.rows_key))
        size = _size(rows)
        try:
            archive = (
                Archive(files.enter_context(_opened(batch.documents_key))) if batch.documents_key else None
            )
            _show(batch, "checking", total=_rough_rows(rows))
            report = check(batch, Reader(rows, size), archive, _progress(batch))
        except FileError as error:
            report = Report()
            report.add(RowProblem(None, "", "", str(error)))
        if again:
            sentence = _(
                "Un autre import a été publié depuis la vérification : tout a été vérifié de nouveau."
            )
            report.add(RowProblem(None, "", "", sentence, is_error=False))
        if not report.errors and report.brings_something:
            _show(batch, "storing", total=report.rows)
            stage(batch, Reader(rows, size), archive, _progress(batch))
    _conclude(batch, report)


@transaction.atomic
def _start_again(batch: Batch) -> None:
    """From nothing: whatever an earlier worker left of this batch goes; its files will be written over."""
    locked = services.lock(batch)
    services.move(locked, BatchState.CHECKING)
    services.drop_drafts(locked)
    BatchProblem.objects.filter(batch=locked).delete()
    Batch.objects.filter(pk=batch.pk).update(started_at=timezone.now(), done=0, total=0, step="reading")
    batch.refresh_from_db()


@transaction.atomic
def _conclude(batch: Batch, report: Report) -> None:
    locked = services.lock(batch)
    BatchProblem.objects.bulk_create(
        [
            BatchProblem(
                batch=locked,
                severity=Severity.ERROR if problem.is_error else Severity.WARNING,
                line=problem.line,
                field=problem.field[:60],
                value=problem.value[:200],
                message=problem.message[:500],
            )
            for problem in report.problems
        ]
    )
    locked.new_count, locked.unchanged_count = report.new, report.unchanged
    locked.error_count, locked.warning_count = report.errors, report.warnings
    locked.change_count, locked.question_count = report.changes, report.questions
    locked.late_count = report.late
    locked.document_count, locked.amount = report.documents, report.amount
    locked.done = locked.total = report.rows
    locked.step, locked.attempts = "", 0
    locked.save()
    services.move(locked, BatchState.REFUSED if report.errors else BatchState.READY)
    audit.record(
        "batch.refused" if report.errors else "batch.ready",
        actor=audit.SYSTEM,
        obj=f"batch:{locked.uuid}",
        new={
            **{"new": report.new, "unchanged": report.unchanged, "errors": report.errors},
            **{"changes": report.changes, "questions": report.questions},
        },
    )
    batch.refresh_from_db()


def _show(batch: Batch, step: str, *, total: int) -> None:
    Batch.objects.filter(pk=batch.pk).update(step=step, done=0, total=total, beat_at=timezone.now())


def _progress(batch: Batch) -> Progress:
    def show(done: int) -> None:
        Batch.objects.filter(pk=batch.pk).update(done=done, beat_at=timezone.now())

    return show


@contextlib.contextmanager
def _opened(key: str) -> Iterator[BinaryIO]:
    """The file of S3 as a seekable file on disk: memory does not grow with it."""
    with tempfile.TemporaryFile() as copy, storages["documents"].open(key) as source:
        shutil.copyfileobj(source, copy, 1024 * 1024)
        copy.seek(0)
        yield copy


def _size(stream: BinaryIO) -> int:
    end = stream.seek(0, 2)
    stream.seek(0)
    return end


def _rough_rows(stream: BinaryIO) -> int:
    """Lines under the header, for the progress bar."""
    stream.seek(0)
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1024 * 1024), b""))
    return max(lines - 1, 1)
