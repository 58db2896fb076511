"""The one setter of a line's state, and the locks that come before it. Services call these under a transaction."""

from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.locking import lock_lines
from tenant_apps.reconciliation.models import Line, Statement
from tenant_apps.reconciliation.states import EDGES, OPEN, LineState, StatementState

S = LineState
VERBS = {
    S.MATCHED: "line.matched",
    S.UNMATCHED: "line.unmatched",
    S.DOUBTFUL: "line.doubtful",
    S.DUPLICATE: "line.duplicate",
    S.IGNORED: "line.ignored",
    S.KNOWN: "line.known",
}


def lock(line: Line, *, while_reading: bool = False) -> Line:
    """The line, locked, if a person may still decide it. Raises NotPossible."""
    locked = lock_any(line)
    if locked.statement.state == StatementState.READING and not while_reading:
        raise NotPossible(
            _("Le fichier de cette ligne est en cours de lecture : attendez qu'elle soit finie.")
        )
    if locked.state not in OPEN:
        sentence = _("Cette ligne est déjà « %(state)s ».")
        raise NotPossible(sentence % {"state": locked.get_state_display()})
    return locked


def lock_any(line: Line) -> Line:
    """The line as it is now, locked after its file: the order of everything that moves money (payments.locking)."""
    lock_lines()
    file = Statement.objects.select_for_update(no_key=True).get(pk=line.statement_id)
    locked = Line.objects.select_for_update(no_key=True).get(pk=line.pk)
    locked.statement = file
    return locked


def refuse_outgoing(line: Line) -> None:
    """Raise NotPossible for a line that says that money left."""
    if line.outgoing or line.returned:
        raise NotPossible(
            _("Cette ligne dit que l'argent est reparti : elle ne peut pas être un encaissement.")
        )


def settle(line: Line, actor: audit.Actor, payment: Payment, reason: str) -> Line:
    """The line is that payment: MATCHED. Raises NotPossible."""
    line.payment = payment
    return write(line, actor, S.MATCHED, reason)


def write(line: Line, actor: audit.Actor, to: LineState, reason: str) -> Line:
    """The one setter of a line's state once it is kept. Raises NotPossible for what is not an edge."""
    old = LineState(line.state)
    if (old, to) not in EDGES:
        raise NotPossible(
            _("Une ligne « %(state)s » ne peut pas le devenir.") % {"state": line.get_state_display()}
        )
    before = line.reason
    line.state, line.reason = to, reason[:300]
    line.decided_by, line.decided_at = name_of(actor), timezone.now()
    line.save(
        update_fields=[
            *("state", "reason", "payment", "deposit", "invoice", "returned", "used", "rank"),
            *("decided_by", "decided_at"),
        ]
    )
    audit.record(
        VERBS[to],
        actor=actor,
        obj=f"line:{line.uuid}",
        old={"state": str(old), "reason": before},
        new={
            "state": str(to),
            "reason": line.reason,
            "payment": str(line.payment.uuid) if line.payment else "",
        },
    )
    return line


def name_of(actor: audit.Actor) -> str:
    """As the trail names them."""
    return actor if isinstance(actor, str) else actor.audit_name
