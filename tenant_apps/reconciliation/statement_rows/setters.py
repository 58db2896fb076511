"""The only setter of a saved row's state, and the locks before it. Call these in a transaction."""

from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.judging.common import is_no_income
from tenant_apps.reconciliation.locking import lock_rows
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.states import EDGES, OPEN, StatementRowState, StatementState

S = StatementRowState
VERBS = {
    S.MATCHED: "line.matched",
    S.UNMATCHED: "line.unmatched",
    S.DOUBTFUL: "line.doubtful",
    S.DUPLICATE: "line.duplicate",
    S.IGNORED: "line.ignored",
    S.KNOWN: "line.known",
}


def lock(row: StatementRow, *, while_reading: bool = False) -> StatementRow:
    """The row, locked, when a person may still decide about it. Raises NotPossible."""
    locked = lock_any(row)
    if locked.statement.state == StatementState.READING and not while_reading:
        raise NotPossible(
            _("Le fichier de cette ligne est en cours de lecture : attendez qu'elle soit finie.")
        )
    if locked.state not in OPEN:
        sentence = _("Cette ligne est déjà « %(state)s ».")
        raise NotPossible(sentence % {"state": locked.get_state_display()})
    return locked


def lock_any(row: StatementRow) -> StatementRow:
    """The row as it is now, locked after its file (the order of locks is in payments.books.locking)."""
    lock_rows()
    file = Statement.objects.select_for_update(no_key=True).get(pk=row.statement_id)
    locked = StatementRow.objects.select_for_update(no_key=True).get(pk=row.pk)
    locked.statement = file
    return locked


def refuse_what_is_no_income(row: StatementRow) -> None:
    """Raise NotPossible for a row that says that money left, or that none came."""
    if row.outgoing or row.returned:
        raise NotPossible(
            _("Cette ligne dit que l'argent est reparti : elle ne peut pas être un encaissement.")
        )
    if is_no_income(row):
        sentence = _(
            "Cette ligne dit « %(state)s » : ce n'est pas un encaissement. Elle ne peut être qu'écartée."
        )
        raise NotPossible(sentence % {"state": row.pay_state})


def settle(row: StatementRow, actor: audit.Actor, payment: Payment, reason: str) -> StatementRow:
    """Match the row to the payment. Raises NotPossible."""
    row.payment = payment
    return write(row, actor, S.MATCHED, reason)


def write(row: StatementRow, actor: audit.Actor, to: StatementRowState, reason: str) -> StatementRow:
    """Set the state of a saved row, save it and record the fact. Raises NotPossible when EDGES lacks the change."""
    old = StatementRowState(row.state)
    if (old, to) not in EDGES:
        raise NotPossible(
            _("Une ligne « %(state)s » ne peut pas le devenir.") % {"state": row.get_state_display()}
        )
    before = row.reason
    row.state, row.reason = to, reason[:300]
    row.decided_by, row.decided_at = name_of(actor), timezone.now()
    row.save(
        update_fields=[
            *("state", "reason", "payment", "deposit", "invoice", "returned", "used", "rank"),
            *("decided_by", "decided_at"),
        ]
    )
    audit.record(
        VERBS[to],
        actor=actor,
        obj=f"line:{row.uuid}",
        old={"state": str(old), "reason": before},
        new={
            "state": str(to),
            "reason": row.reason,
            "payment": str(row.payment.uuid) if row.payment else "",
        },
    )
    return row


def name_of(actor: audit.Actor) -> str:
    """The actor's name, as the trail writes it."""
    return actor if isinstance(actor, str) else actor.audit_name
