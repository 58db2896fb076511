"""What the worker does with a batch: check, stage, publish. After a crash, a new start ends with the same result."""

import contextlib
from datetime import datetime, time

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.audit import services as audit
from tenant_apps.invoices import services
from tenant_apps.invoices.batches.refused import corrections_of, keep_refused
from tenant_apps.invoices.decisions import planning
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.documents.joined import documents_of
from tenant_apps.invoices.importing.records.kinds import RowProblem
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tenant_apps.invoices.importing.run.drafts import Drafts
from tenant_apps.invoices.importing.run.reading import read
from tenant_apps.invoices.importing.run.report import Progress, Report
from tenant_apps.invoices.models import Batch, BatchProblem, Severity
from tenant_apps.invoices.states import BatchState
from tenants.work.intake import Intake, Sentences, beat, show
from toolkit import clock
from toolkit.files.opening import opened
from toolkit.reading.errors import FileError

EARLY = time(6)  # of the day of publication, in Paris
WAITING = (BatchState.UPLOADED, BatchState.CHECKING, BatchState.PUBLISHING)


def waiting() -> QuerySet[Batch]:
    """The imports that wait for a worker, and those whose day of publication has come."""
    today = Q(state=BatchState.READY, publish_on__lte=clock.today())
    return Batch.objects.filter(Q(state__in=WAITING) | today)


def next_publication() -> datetime | None:
    """When the next import that has a day of publication waits for a worker."""
    planned = Batch.objects.filter(state=BatchState.READY, publish_on__isnull=False)
    day = planned.order_by("publish_on").values_list("publish_on", flat=True).first()
    return datetime.combine(day, EARLY, clock.PARIS) if day else None


def process_waiting() -> None:
    """Process all waiting imports that no other worker holds."""
    while INTAKE.process_next():
        pass


def process_batch(*, batch: Batch) -> None:
    """Do all steps of a batch that need no person."""
    batch.refresh_from_db()
    if batch.state in (BatchState.UPLOADED, BatchState.CHECKING):
        _check_and_stage(batch)
    if batch.state == BatchState.READY and batch.publish_when_ready and _may_be_published(batch):
        services.publish_batch(actor=batch.created_by, batch=batch)
        batch.refresh_from_db()
    if batch.state == BatchState.READY and batch.publish_on is not None and batch.publish_on <= clock.today():
        planning.publish_as_planned(batch=batch)
        batch.refresh_from_db()
    if batch.state == BatchState.PUBLISHING:
        _publish(batch)


def _publish(batch: Batch) -> None:
    """Publish a batch. When the town has changed since the check, check it again first.

    After that, publish it only when it asks nothing and changes no payer: otherwise the clerk must look again.
    """
    show(batch, "publishing", total=batch.new_count)
    if services.finish_publication(batch=batch):
        return
    batch.refresh_from_db()
    if batch.state != BatchState.CHECKING:
        return
    _check_and_stage(batch, again=True)
    changes = batch.change_count or batch.amended_count
    if batch.state == BatchState.READY and _may_be_published(batch) and not changes:
        services.publish_batch(actor=batch.created_by, batch=batch)
        services.finish_publication(batch=batch)


def _may_be_published(batch: Batch) -> bool:
    return batch.brings_something and not services.waits_for_answers(batch)


def _check_and_stage(batch: Batch, *, again: bool = False) -> None:
    try:
        _read_and_stage(batch, again=again)
    except IntegrityError:
        # Another import of the same invoices was staged at the same moment: now they are seen, and told.
        _read_and_stage(batch, again=again)


def _read_and_stage(batch: Batch, *, again: bool) -> None:
    with Drafts(batch) as drafts:
        _start_again(batch)
        report = _read(batch, drafts)
        if again:
            sentence = _(
                "Un autre import a été publié depuis la vérification : tout a été vérifié de nouveau."
            )
            report.add(RowProblem(None, "", "", sentence, is_error=False))
        if may_be_staged(batch, report):
            show(batch, "storing", total=report.rows)
            drafts.write()
    _conclude(batch, report)


def _read(batch: Batch, drafts: Drafts) -> Report:
    """What the files of a batch hold. A file that cannot be read as a whole has one problem."""
    try:
        kind = registry.named(batch.format)
        reading = Reading(Rules.kept(batch.source.rules), corrections_of(batch))
        with contextlib.ExitStack() as files:
            rows = files.enter_context(opened(batch.rows_key))
            beside = files.enter_context(opened(batch.documents_key)) if batch.documents_key else None
            documents = documents_of(kind, rows, beside, reading.rules)
            show(batch, "checking", total=kind.rough_rows(rows))
            return read(
                batch,
                kind.rows(rows, reading),
                documents,
                drafts,
                _progress(batch),
                makes_documents=reading.rules.makes_documents,
            )
    except FileError as error:
        report = Report(products={None})
        report.add(RowProblem(None, "", "", str(error)))
        return report


def may_be_staged(batch: Batch, report: Report) -> bool:
    """Whether drafts are made: there is something, and no error but in rows that the clerk sets aside."""
    if report.errors and (report.whole_file or not batch.sets_aside):
        return False
    return report.brings_something


@transaction.atomic
def _start_again(batch: Batch) -> None:
    """Start from nothing: remove what an earlier worker left of this batch. Its files in S3 are overwritten later."""
    locked = services.lock(batch)
    services.move(locked, BatchState.CHECKING)
    services.drop_drafts(locked, keep_documents=True)
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
    keep_refused(locked, report)
    locked.new_count, locked.unchanged_count = report.new, report.unchanged
    locked.error_count, locked.warning_count = report.errors, report.warnings
    locked.change_count, locked.question_count = report.changes, report.questions
    locked.late_count, locked.amended_count = report.late, report.amended
    locked.refused_count = len(report.refused)
    locked.product_ids = report.known_products or locked.limited_to
    locked.document_count, locked.amount = report.documents, report.amount
    locked.done = locked.total = report.rows
    locked.step, locked.attempts = "", 0
    locked.save()
    is_refused = bool(report.errors) and not may_be_staged(locked, report)
    services.move(locked, BatchState.REFUSED if is_refused else BatchState.READY)
    audit.record(
        "batch.refused" if is_refused else "batch.ready",
        actor=audit.SYSTEM,
        obj=f"batch:{locked.uuid}",
        new={
            **{"new": report.new, "unchanged": report.unchanged, "errors": report.errors},
            **{"changes": report.changes, "questions": report.questions, "amended": report.amended},
        },
    )
    batch.refresh_from_db()


def _progress(batch: Batch) -> Progress:
    return lambda done: beat(batch, done=done)


INTAKE = Intake(
    kind="imports",
    waiting=waiting,
    lock=lambda batch: f"batch:{batch.pk}",
    work=lambda batch: process_batch(batch=batch),
    later=next_publication,
    fail=lambda batch, reason: services.fail_batch(batch=batch, reason=reason),
    sentences=Sentences(
        gone=gettext_noop("Le fichier n'est plus dans l'espace de stockage : envoyez-le de nouveau."),
        killed=gettext_noop("Le traitement a été interrompu trois fois de suite."),
        stopped=gettext_noop("Le traitement s'est arrêté trois fois sur une erreur : prévenez l'exploitant."),
        too_long=gettext_noop("Le traitement dure trop longtemps : découpez le fichier en plusieurs envois."),
    ),
)
