"""What the worker does with a file: check it, save and judge its rows, book what the journal confirms.

Each chunk of rows is one transaction, which also saves the progress: after a crash, another worker continues there.
"""

import contextlib
import itertools
from collections.abc import Iterator
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop, override

from shared_apps.audit import services as audit
from tenant_apps.reconciliation import services
from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.judging.common import say
from tenant_apps.reconciliation.judging.matcher import Matcher
from tenant_apps.reconciliation.locking import READING, lock_rows, reading
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.reading.rows import Identities, Identity, ReadRow, UnreadableRow
from tenant_apps.reconciliation.reading.words import Said
from tenant_apps.reconciliation.statement_rows.taken_back import lose_cancelled_payments
from tenant_apps.reconciliation.statements import files, overlap
from tenant_apps.reconciliation.statements import services as statements
from tenant_apps.reconciliation.states import StatementRowState, StatementState
from tenants.work.intake import Intake, Sentences, beat, show
from toolkit.files.opening import opened

S = StatementRowState
CHUNK = 1000
JUDGED = (S.UNMATCHED, S.DOUBTFUL, S.DUPLICATE)


def waiting() -> QuerySet[Statement]:
    """The files that a worker must read."""
    return Statement.objects.filter(state=StatementState.READING)


def process_waiting() -> None:
    """Read all waiting files. A file that cannot be read does not stop the next one."""
    while process_next():
        pass


def process_next() -> bool:
    """Read the next file. False when none waits, or when another worker is reading."""
    with reading() as mine:
        if not mine:
            return False
        lose_cancelled_payments()
        return INTAKE.process_next()


def _work(statement: Statement) -> None:
    with override(settings.LANGUAGE_CODE):  # reasons are kept in French in the rows
        try:
            process_statement(statement=statement)
        except CannotRead as error:
            (_refuse if statement.step == "checking" else _fail)(statement, str(error))


def process_statement(*, statement: Statement) -> None:
    """Do all remaining steps of a file. Raises CannotRead."""
    if statement.step == "checking":
        _check(statement)
    if statement.step == "matching":
        _keep_rows(statement)
        show(statement, "confirming")
    if statement.step == "again":
        _look_again(statement)
        show(statement, "confirming")
    services.confirm_announced(actor=statement.imported_by or statement.created_by, statement=statement)
    _conclude(statement)


# --- the steps ------------------------------------------------------------------------------------


def _check(statement: Statement) -> None:
    """Read the whole file once and write nothing: after that, no row can stop the import half-way."""
    total, days = 0, _Days()
    with opened(statement.key) as file, contextlib.closing(files.rows(statement, file)) as reads:
        for read in reads:
            total += 1
            if isinstance(read, ReadRow):
                days.see(read.booked_on)
            if total % (5 * CHUNK) == 0:
                beat(statement, done=total)
    show(statement, "matching", total=total, first_day=days.first, last_day=days.last)


def _keep_rows(statement: Statement) -> None:
    identities = Identities(statement.kind, statement.account)
    matcher = Matcher(statement)
    with opened(statement.key) as file, contextlib.closing(files.rows(statement, file)) as reads:
        for read in itertools.islice(reads, statement.done):  # saved already; their ranks count
            identities.of(read)
        for chunk in _chunks(reads):
            rows = [_statement_row(statement, read, identities.of(read)) for read in chunk]
            with transaction.atomic():
                _lock(statement)
                _keep(statement, rows, matcher)
                beat(statement, done=statement.done + len(rows), attempts=0)
    _ask_about_equals(statement)


def _lock(statement: Statement) -> None:
    """Lock the town's rows, then the file. Call it before locking rows or payments (payments.books.locking)."""
    lock_rows()
    Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)


def _keep(statement: Statement, rows: list[StatementRow], matcher: Matcher) -> None:
    known = {
        (checksum, rank): pk
        for checksum, rank, pk in StatementRow.objects.filter(checksum__in={row.checksum for row in rows})
        .exclude(state=S.KNOWN)
        .values_list("checksum", "rank", "pk")
    }
    for row in rows:
        row.twin_id = known.get((row.checksum, row.rank))
        if row.twin_id is not None:
            say(row, S.KNOWN, gettext_noop("Un fichier précédent a déjà apporté cette opération."))
    matcher.judge([row for row in rows if row.state in JUDGED])
    StatementRow.objects.bulk_create(rows, batch_size=CHUNK)
    count = sum(row.state == S.KNOWN for row in rows)
    statement.known_count += count
    statement.new_count += len(rows) - count
    statement.save(update_fields=["known_count", "new_count"])


def _ask_about_equals(statement: Statement) -> None:
    """Ask a person about rows that may or may not be the same operation as a row of another file."""
    reason = gettext_noop(
        "Un autre fichier a une ligne égale, et rien ne dit si c'est la même opération ou une autre : "
        "est-ce la même ?"
    )
    ids = iter(overlap.equals_in_doubt(statement))
    for pks in iter(lambda: list(itertools.islice(ids, CHUNK)), []):
        with transaction.atomic():
            _lock(statement)
            for row in StatementRow.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("id"):
                services.rank_apart(row)
                say(row, S.DUPLICATE, reason)
                row.save()
            statement.known_count -= len(pks)
            statement.new_count += len(pks)
            statement.save(update_fields=["known_count", "new_count"])


def _look_again(statement: Statement) -> None:
    """Judge the waiting rows again, chunk by chunk. The first `done` ones are judged already."""
    rows = statement.rows.filter(state__in=JUDGED, twin=None).order_by("id")
    beat(statement, total=statement.done + rows.count())
    matcher, last = Matcher(statement), 0
    changed = ["state", "reason", "payment", "deposit", "attempt", "invoice", "returned"]
    while True:
        with transaction.atomic():
            _lock(statement)
            chunk = list(rows.select_for_update(no_key=True).filter(pk__gt=last)[:CHUNK])
            if not chunk:
                return
            last = chunk[-1].pk
            matcher.judge(chunk)
            StatementRow.objects.bulk_update(chunk, changed, batch_size=CHUNK)
            beat(statement, done=statement.done + len(chunk), attempts=0)


# --- the end of a file ---------------------------------------------------------------------------------


@transaction.atomic
def _conclude(statement: Statement) -> None:
    locked = Statement.objects.select_for_update().get(pk=statement.pk)
    statements.move(locked, StatementState.DONE)
    first = locked.imported_at is None
    locked.imported_at = locked.imported_at or timezone.now()
    locked.step, locked.attempts, locked.done = "", 0, locked.total
    locked.save()
    if first:
        audit.record(
            "statement.imported",
            actor=locked.imported_by or locked.created_by,
            obj=f"statement:{locked.uuid}",
            new={"new": locked.new_count, "known": locked.known_count, "mapping": locked.mapping},
        )


@transaction.atomic
def _refuse(statement: Statement, sentence: str) -> None:
    """The columns or the bytes are wrong: back to RECEIVED, where staff see the reason and can correct the columns."""
    locked = Statement.objects.select_for_update().get(pk=statement.pk)
    statements.move(locked, StatementState.RECEIVED)
    locked.problem, locked.step, locked.attempts = sentence[:300], "", 0
    locked.save()
    audit.record(
        "statement.refused", actor=audit.SYSTEM, obj=f"statement:{locked.uuid}", new={"why": sentence}
    )


@transaction.atomic
def _fail(statement: Statement, sentence: str) -> None:
    locked = Statement.objects.select_for_update().get(pk=statement.pk)
    statements.move(locked, StatementState.FAILED)
    locked.problem = sentence[:300]
    locked.save(update_fields=["state", "problem"])
    audit.record(
        "statement.failed", actor=audit.SYSTEM, obj=f"statement:{locked.uuid}", new={"why": sentence}
    )


# --- what was read becomes a row of the database --------------------------------------------------


def _chunks(reads: Iterator[ReadRow | UnreadableRow]) -> Iterator[list[ReadRow | UnreadableRow]]:
    return iter(lambda: list(itertools.islice(reads, CHUNK)), [])


def _statement_row(statement: Statement, read: ReadRow | UnreadableRow, identity: Identity) -> StatementRow:
    row = StatementRow(
        statement=statement,
        kind=statement.kind,
        number=read.number,
        checksum=identity.checksum,
        rank=identity.rank,
        weak=identity.weak,
        raw=[*read.raw.items()],
    )
    if isinstance(read, UnreadableRow):
        say(row, S.UNREADABLE, read.message)
        row.doubt = row.reason
        return row
    for name in (
        *("booked_on", "amount", "outgoing", "returned", "return_reason", "idop", "reference"),
        *("authorization", "numcli", "means", "payer_name", "label", "doubt"),
    ):
        setattr(row, name, getattr(read, name))
    row.pay_state = read.state[:60]
    if read.said == Said.NOT_PAID and not read.returned:
        sentence = gettext_noop("L'état est « %(word)s » : aucun argent n'est venu.")
        say(row, S.IGNORED, sentence % {"word": read.state})
        row.doubt = row.reason
    return row


class _Days:
    def __init__(self) -> None:
        self.first: date | None = None
        self.last: date | None = None

    def see(self, day: date) -> None:
        self.first = day if self.first is None else min(self.first, day)
        self.last = day if self.last is None else max(self.last, day)


INTAKE = Intake(
    kind="statements",
    waiting=waiting,
    lock=lambda statement: READING,  # overlapping files must see each other's rows
    work=_work,
    fail=_fail,
    sentences=Sentences(
        gone=files.GONE,
        killed=gettext_noop("La lecture s'est interrompue trois fois de suite."),
        stopped=gettext_noop("La lecture s'est arrêtée trois fois sur une erreur : prévenez l'exploitant."),
    ),
)
