"""Files: receive, send to the worker, withdraw, discard. Their rows: `processing` and the room's `services`."""

import hashlib
from collections.abc import Mapping
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.reconciliation.errors import CannotRead, NotPossible
from tenant_apps.reconciliation.locking import lock_rows
from tenant_apps.reconciliation.models import Kind, Statement, StatementRow, StatementRowPayment
from tenant_apps.reconciliation.reading import camt, treasury
from tenant_apps.reconciliation.reading.columns import guess, missing
from tenant_apps.reconciliation.reading.layout import account_in_name, layout_of
from tenant_apps.reconciliation.reading.rows import account_number
from tenant_apps.reconciliation.reading.xml import is_xml
from tenant_apps.reconciliation.states import STATEMENT_EDGES, StatementRowState, StatementState
from tenants.current import current_town
from tenants.work import agenda
from toolkit.files.storage import statement_key
from toolkit.scope import EVERYTHING

F = StatementState
MOST_BYTES = 100 * 1024 * 1024


def receive_statement(
    *, actor: audit.Actor, kind: str, file: BinaryIO, name: str, account: str = ""
) -> tuple[Statement, bool]:
    """Keep a file as it was sent. Returns it and True, or the same file kept earlier and False. Raises CannotRead.

    A PES return is recognised by its bytes, whatever `kind` says. The file is held against the régies that the actor
    works for. `account`: given by staff when the file does not say it. The same bytes for another account are another
    file. So are the same bytes under another name for a bank statement: two extracts of a day may say the same.
    """
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(1024 * 1024):
        digest.update(chunk)
        size += len(chunk)
    if not 0 < size <= MOST_BYTES:
        raise CannotRead(_("Ce fichier est vide, ou dépasse 100 Mo."))
    kind = _kind_of(kind, file)
    account = " ".join(account.split())[:40]
    scope = actor.scope if isinstance(actor, Account) else EVERYTHING
    same = scope.all_in(Statement.objects.filter(sha256=digest.hexdigest(), kind=kind), "limited_to")
    same = same.order_by("-id")
    for earlier in same.filter(name=name[:200]) if kind == Kind.BANK else same:
        if not account or account_number(account) == account_number(earlier.account):
            return earlier, False
    statement = Statement(
        kind=kind,
        name=name[:200],
        sha256=digest.hexdigest(),
        created_by=_name(actor),
        account=account,
        limited_to=scope.listed,
    )
    _look_inside(statement, file)
    file.seek(0)
    statement.key = statement_key(town=current_town().uuid, statement=statement.uuid)
    storages["documents"].save(statement.key, File(file))
    with transaction.atomic():
        statement.save()
        audit.record(
            "statement.received", actor=actor, obj=f"statement:{statement.uuid}", new={"file": name[:200]}
        )
    return statement, True


def put_back(*, actor: audit.Actor, statement: Statement, file: BinaryIO) -> bool:
    """The same bytes were sent again: store them when S3 has lost them, and continue an interrupted reading.

    Returns whether they were lost.
    """
    storage = storages["documents"]
    if storage.exists(statement.key):
        return False
    file.seek(0)
    storage.save(statement.key, File(file))
    audit.record("statement.put_back", actor=actor, obj=f"statement:{statement.uuid}")
    try_again(actor=actor, statement=statement)
    return True


def _kind_of(kind: str, file: BinaryIO) -> str:
    """The kind of the file: the bytes of a PES return say it, whatever was chosen. Raises CannotRead."""
    if treasury.is_return(file):
        return Kind.RETURN
    if kind == Kind.RETURN:
        raise CannotRead(
            _("Ce fichier n'est pas un PES retour : c'est un fichier XML dont la racine est « PES_Retour ».")
        )
    return kind


def _look_inside(statement: Statement, file: BinaryIO) -> None:
    """Read titles and account of a file, as far as it gives them. Raises CannotRead."""
    found = ""
    if statement.kind == Kind.RETURN:
        return
    if not is_xml(file):
        layout = layout_of(file)
        found = layout.account or account_in_name(statement.name)
        statement.columns = layout.fingerprint
        same = Statement.objects.filter(kind=statement.kind, columns=layout.fingerprint).exclude(mapping={})
        last = same.order_by("-id").first()
        statement.mapping = last.mapping if last else guess(statement.kind, layout.titles, layout.samples)
    elif statement.kind == Kind.JOURNAL:
        raise CannotRead(
            _("Un relevé XML (CAMT.053) est un relevé de compte : choisissez « relevé de compte ».")
        )
    else:
        found = camt.account_of(file)
    if statement.kind == Kind.BANK:
        statement.account = statement.account or found[:40]


@transaction.atomic
def ask_import(
    *,
    actor: audit.Actor,
    statement: Statement,
    mapping: Mapping[str, object],
    account: str | None = None,
    delimiter: str | None = None,
    titles_line: int | None = None,
) -> Statement:
    """Let the worker read the file as `mapping` (field → title) says.

    The mapping is reused for files with the same titles. `account`, `delimiter` and `titles_line` are corrections of
    staff; None keeps what was found. A second call changes nothing. Raises CannotRead when a required column is
    missing.
    """
    locked = _locked(statement)
    if locked.state != F.RECEIVED:
        return locked
    if locked.columns and (names := missing(locked.kind, mapping)):
        raise CannotRead(_("Dites quelle colonne donne : %(names)s.") % {"names": ", ".join(names)})
    locked.mapping = dict(mapping)
    if account is not None and locked.kind == Kind.BANK:
        locked.account = " ".join(account.split())[:40]
    if delimiter is not None:
        locked.delimiter, locked.titles_line = delimiter, titles_line
    locked.imported_by, locked.problem = _name(actor), ""
    locked.step, locked.done, locked.total = "checking", 0, 0
    locked.new_count = locked.known_count = 0
    locked.withdrawn_by, locked.withdrawn_at = "", None
    _read(locked)
    audit.record(
        "statement.import_asked",
        actor=actor,
        obj=f"statement:{locked.uuid}",
        new={"mapping": locked.mapping, "account": locked.account},
    )
    return locked


@transaction.atomic
def try_again(*, actor: audit.Actor, statement: Statement) -> Statement:
    """Let the worker continue a FAILED file where it stopped."""
    locked = _locked(statement)
    if locked.state == F.FAILED:
        locked.problem = ""
        _read(locked)
        audit.record("statement.tried_again", actor=actor, obj=f"statement:{locked.uuid}")
    return locked


@transaction.atomic
def look_again(*, actor: audit.Actor, statement: Statement) -> Statement:
    """Let the worker judge the waiting rows again: payments may have been booked since."""
    locked = _locked(statement)
    if locked.state == F.DONE:
        look_again_at(locked)
        audit.record("statement.looked_again", actor=actor, obj=f"statement:{locked.uuid}")
    return locked


def look_again_at(locked: Statement) -> None:
    """The same, for a caller that holds the lock of the file."""
    locked.step, locked.done, locked.total = "again", 0, 0
    _read(locked)


@transaction.atomic
def withdraw_statement(*, actor: audit.Actor, statement: Statement) -> Statement:
    """Undo an import: delete its rows. Its columns can then be corrected, and the file imported again or discarded.

    A row that a later file has too moves to that file. A second call changes nothing. Raises NotPossible when a
    payment was booked, confirmed or cancelled from one of the rows, and while any file is being read.
    """
    lock_rows()
    locked = _locked(statement)
    if locked.state == F.RECEIVED:
        return locked
    if Statement.objects.filter(state=F.READING).exists():
        raise NotPossible(_("Un fichier est en cours de lecture : attendez qu'elle soit finie."))
    if blocked := first_used_row(locked):
        sentence = _(
            "Un règlement a été enregistré ou annulé d'après la ligne %(number)s : l'import ne peut plus être retiré."
        )
        raise NotPossible(sentence % {"number": blocked.number})
    _hand_over(locked)
    mine = StatementRow.objects.filter(statement=locked)
    StatementRowPayment.objects.filter(row__in=mine).delete()
    count = mine.count()
    mine._raw_delete(mine.db)
    move(locked, F.RECEIVED)
    locked.withdrawn_by, locked.withdrawn_at = _name(actor), timezone.now()
    locked.imported_at = locked.first_day = locked.last_day = None
    locked.new_count = locked.known_count = locked.done = locked.total = 0
    locked.step = locked.problem = ""
    locked.save()
    audit.record("statement.withdrawn", actor=actor, obj=f"statement:{locked.uuid}", old={"lines": count})
    return locked


def first_used_row(statement: Statement) -> StatementRow | None:
    """The first row that forbids to undo the import, or None.

    Such a row has a payment that was booked from it and not cancelled since, or one that it took back.
    """
    used = statement.rows.filter(used=True)
    return (used.filter(returned=True) | used.filter(payment__cancelled_at=None)).order_by("id").first()


def _hand_over(statement: Statement) -> None:
    """Give the rows that later files have too to the first of these files, where they are judged again.

    In the other files they become equal to that row. A row that a person has decided stays as it is.
    """
    heirs: dict[int, int] = {}
    moved: dict[int, int] = {}
    waiting = StatementRow.objects.filter(
        state__in=(StatementRowState.KNOWN, StatementRowState.DUPLICATE), twin__statement=statement
    )
    twins = waiting.exclude(statement=statement).order_by("id")
    for row in twins.only("pk", "twin_id", "statement_id").iterator():
        twin = row.twin_id or 0
        if twin in heirs:
            StatementRow.objects.filter(pk=row.pk).update(twin=heirs[twin])
        else:
            heirs[twin] = row.pk
            moved[row.pk] = row.statement_id
    reason = gettext_noop("Le fichier qui l'avait apportée a été retiré.")
    StatementRow.objects.filter(statement=statement).update(twin=None)
    # Their checksum and rank are free only after the rows of this file are gone.
    StatementRow.objects.filter(statement=statement, pk__in=heirs).update(state=StatementRowState.KNOWN)
    place = Subquery(StatementRow.objects.filter(pk=OuterRef("twin")).values("rank"))
    StatementRow.objects.filter(pk__in=moved).update(rank=place)
    StatementRow.objects.filter(pk__in=moved).update(
        twin=None, state=StatementRowState.UNMATCHED, reason=reason, decided_by="", decided_at=None
    )
    StatementRow.objects.filter(twin__statement=statement).update(twin=None)
    for file in Statement.objects.select_for_update().filter(pk__in=set(moved.values())).order_by("pk"):
        known = file.rows.filter(state=StatementRowState.KNOWN).count()
        file.new_count, file.known_count = file.new_count + file.known_count - known, known
        if file.state == F.DONE:
            look_again_at(file)
        else:
            file.save(update_fields=["new_count", "known_count"])


@transaction.atomic
def discard_statement(*, actor: audit.Actor, statement: Statement) -> None:
    """Delete a file that has no rows: never imported, or withdrawn. Its bytes go after the commit.

    Raises NotPossible while it has rows.
    """
    locked = Statement.objects.select_for_update().filter(pk=statement.pk).first()
    if locked is None:
        return
    if locked.state not in (F.RECEIVED, F.FAILED) or locked.rows.exists():
        raise NotPossible(_("Ce fichier est importé : retirez d'abord l'import."))
    key = locked.key
    audit.record(
        "statement.discarded",
        actor=actor,
        obj=f"statement:{locked.uuid}",
        old={"file": locked.name, "sha256": locked.sha256},
    )
    locked.delete()
    transaction.on_commit(lambda: storages["documents"].delete(key))


def move(statement: Statement, to: StatementState) -> None:
    """The only setter of a file's state, along `STATEMENT_EDGES`, in memory. Raises NotPossible.

    The caller holds the lock.
    """
    if (StatementState(statement.state), to) not in STATEMENT_EDGES:
        raise NotPossible(_("Ce fichier est « %(state)s ».") % {"state": statement.get_state_display()})
    statement.state = to


def _read(locked: Statement) -> None:
    move(locked, F.READING)
    locked.attempts, locked.next_try_at = 0, None
    locked.started_at, locked.beat_at = timezone.now(), None
    locked.save()
    agenda.wake("statements")


def _locked(statement: Statement) -> Statement:
    return Statement.objects.select_for_update().get(pk=statement.pk)


def _name(actor: audit.Actor) -> str:
    return actor if isinstance(actor, str) else actor.audit_name
