"""What the worker does with a file: check it, keep and judge its lines, book what the journal confirms.

A chunk of lines is a transaction that also says how far it is: a second worker goes on where the first died.
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
from tenant_apps.reconciliation.lines.taken_back import lose_cancelled_payments
from tenant_apps.reconciliation.locking import READING, lock_lines, reading
from tenant_apps.reconciliation.models import Line, Statement
from tenant_apps.reconciliation.reading.rows import BadRow, Identities, Identity, Row
from tenant_apps.reconciliation.reading.words import Said
from tenant_apps.reconciliation.statements import files, overlap
from tenant_apps.reconciliation.statements import services as statements
from tenant_apps.reconciliation.states import LineState, StatementState
from tenants.work.intake import Intake, Sentences, beat, show
from toolkit.files.opening import opened

S = LineState
CHUNK = 1000
JUDGED = (S.UNMATCHED, S.DOUBTFUL, S.DUPLICATE)


def waiting() -> QuerySet[Statement]:
    """The files that a worker must read."""
    return Statement.objects.filter(state=StatementState.READING)


def process_waiting() -> None:
    """Read all that waits, file by file; a file that cannot be read does not hold up the next one."""
    while process_next():
        pass


def process_next() -> bool:
    """Read the next file; False when none waits, or when another worker is at it."""
    with reading() as mine:
        if not mine:
            return False
        lose_cancelled_payments()
        return INTAKE.process_next()


def _work(statement: Statement) -> None:
    with override(settings.LANGUAGE_CODE):  # what is said of a line stays in its row
        try:
            process_statement(statement=statement)
        except CannotRead as error:
            (_refuse if statement.step == "checking" else _fail)(statement, str(error))


def process_statement(*, statement: Statement) -> None:
    """Bring a file to its end. Raises CannotRead."""
    if statement.step == "checking":
        _check(statement)
    if statement.step == "matching":
        _keep_lines(statement)
        show(statement, "confirming")
    if statement.step == "again":
        _look_again(statement)
        show(statement, "confirming")
    services.confirm_announced(actor=statement.imported_by or statement.created_by, statement=statement)
    _conclude(statement)


# --- the steps ------------------------------------------------------------------------------------


def _check(statement: Statement) -> None:
    """The whole file once, and nothing is written: after that, no line can stop it half-way."""
    total, days = 0, _Days()
    with opened(statement.key) as file, contextlib.closing(files.rows(statement, file)) as rows:
        for row in rows:
            total += 1
            if isinstance(row, Row):
                days.see(row.booked_on)
            if total % (5 * CHUNK) == 0:
                beat(statement, done=total)
    show(statement, "matching", total=total, first_day=days.first, last_day=days.last)


def _keep_lines(statement: Statement) -> None:
    identities = Identities(statement.kind, statement.account)
    matcher = Matcher(statement.kind)
    with opened(statement.key) as file, contextlib.closing(files.rows(statement, file)) as rows:
        for row in itertools.islice(rows, statement.done):  # kept already; their ranks count
            identities.of(row)
        for chunk in _chunks(rows):
            lines = [_line(statement, row, identities.of(row)) for row in chunk]
            with transaction.atomic():
                _lock(statement)
                _keep(statement, lines, matcher)
                beat(statement, done=statement.done + len(lines), attempts=0)
    _ask_about_equals(statement)


def _lock(statement: Statement) -> None:
    """Before its lines, and before any payment (payments.locking)."""
    lock_lines()
    Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)


def _keep(statement: Statement, lines: list[Line], matcher: Matcher) -> None:
    known = {
        (checksum, rank): pk
        for checksum, rank, pk in Line.objects.filter(checksum__in={line.checksum for line in lines})
        .exclude(state=S.KNOWN)
        .values_list("checksum", "rank", "pk")
    }
    for line in lines:
        line.twin_id = known.get((line.checksum, line.rank))
        if line.twin_id is not None:
            say(line, S.KNOWN, gettext_noop("Un fichier précédent a déjà apporté cette opération."))
    matcher.judge([line for line in lines if line.state in JUDGED])
    Line.objects.bulk_create(lines, batch_size=CHUNK)
    count = sum(line.state == S.KNOWN for line in lines)
    statement.known_count += count
    statement.new_count += len(lines) - count
    statement.save(update_fields=["known_count", "new_count"])


def _ask_about_equals(statement: Statement) -> None:
    """Lines that may be the same operation as one of another file, or another one: a person says."""
    reason = gettext_noop(
        "Un autre fichier a une ligne égale, et rien ne dit si c'est la même opération ou une autre : "
        "est-ce la même ?"
    )
    ids = iter(overlap.equals_in_doubt(statement))
    for pks in iter(lambda: list(itertools.islice(ids, CHUNK)), []):
        with transaction.atomic():
            _lock(statement)
            for line in Line.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("id"):
                services.rank_apart(line)
                say(line, S.DUPLICATE, reason)
                line.save()
            statement.known_count -= len(pks)
            statement.new_count += len(pks)
            statement.save(update_fields=["known_count", "new_count"])


def _look_again(statement: Statement) -> None:
    """The lines that wait, a chunk at a time. `done` lines were looked at already."""
    lines = statement.lines.filter(state__in=JUDGED, twin=None).order_by("id")
    beat(statement, total=statement.done + lines.count())
    matcher, last = Matcher(statement.kind), 0
    changed = ["state", "reason", "payment", "deposit", "attempt", "invoice", "returned"]
    while True:
        with transaction.atomic():
            _lock(statement)
            chunk = list(lines.select_for_update(no_key=True).filter(pk__gt=last)[:CHUNK])
            if not chunk:
                return
            last = chunk[-1].pk
            matcher.judge(chunk)
            Line.objects.bulk_update(chunk, changed, batch_size=CHUNK)
            beat(statement, done=statement.done + len(chunk), attempts=0)


# --- how far it is --------------------------------------------------------------------------------


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
    """Its columns or its bytes are not right: staff see why where they can correct it."""
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


# --- a row becomes a line -------------------------------------------------------------------------


def _chunks(rows: Iterator[Row | BadRow]) -> Iterator[list[Row | BadRow]]:
    return iter(lambda: list(itertools.islice(rows, CHUNK)), [])


def _line(statement: Statement, row: Row | BadRow, identity: Identity) -> Line:
    line = Line(
        statement=statement,
        kind=statement.kind,
        number=row.number,
        checksum=identity.checksum,
        rank=identity.rank,
        weak=identity.weak,
        raw=[*row.raw.items()],
    )
    if isinstance(row, BadRow):
        say(line, S.UNREADABLE, row.message)
        line.doubt = line.reason
        return line
    for name in (
        *("booked_on", "amount", "outgoing", "returned", "return_reason", "idop", "reference"),
        *("authorization", "numcli", "means", "payer_name", "label", "doubt"),
    ):
        setattr(line, name, getattr(row, name))
    line.pay_state = row.state[:60]
    if row.said == Said.NOT_PAID and not row.returned:
        sentence = gettext_noop("L'état est « %(word)s » : aucun argent n'est venu.")
        say(line, S.IGNORED, sentence % {"word": row.state})
        line.doubt = line.reason
    return line


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
    lock=lambda statement: READING,  # overlapping files must find each other's lines
    work=_work,
    fail=_fail,
    sentences=Sentences(
        gone=files.GONE,
        killed=gettext_noop("La lecture s'est interrompue trois fois de suite."),
        stopped=gettext_noop("La lecture s'est arrêtée trois fois sur une erreur : prévenez l'exploitant."),
    ),
)
