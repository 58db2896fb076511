"""Money that a row takes back, and rows whose payment was cancelled."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.payments.models import Means, Payment
from tenant_apps.payments.services import cancel_payment, reject_debit
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.locking import lock_rows
from tenant_apps.reconciliation.models import StatementRow, StatementRowPayment
from tenant_apps.reconciliation.statement_rows.setters import lock, settle, write
from tenant_apps.reconciliation.states import StatementRowState
from toolkit import clock
from toolkit.money import format_euros

S = StatementRowState


@transaction.atomic
def take_back(*, actor: Account, row: StatementRow, payment: Payment) -> StatementRow:
    """This row takes that payment back: cancel it with the bank's reason; its invoices are to be paid again.

    When it was cancelled before, only match the row. Raises NotPossible, and what the services of payments raise.
    """
    locked = lock(row)
    if not (locked.outgoing or locked.returned):
        raise NotPossible(_("Cette ligne ne reprend pas d'argent."))
    chosen = Payment.objects.get(pk=payment.pk)
    if locked.amount is not None and locked.amount < chosen.amount:
        sentence = _(
            "Cette ligne ne reprend que %(taken)s d'un règlement de %(amount)s : l'annuler en entier serait faux."
        )
        words = {"taken": format_euros(locked.amount), "amount": format_euros(chosen.amount)}
        raise NotPossible(sentence % words)
    if StatementRow.objects.filter(kind=locked.kind, payment=chosen, state=S.MATCHED, returned=True).exists():
        raise NotPossible(_("Une autre ligne reprend déjà ce règlement."))
    locked.returned = True
    locked.used = chosen.cancelled_at is None
    # First the row: the listener of the cancellation then finds the money taken back, and leaves the other rows alone.
    reason = gettext_noop("Règlement revenu impayé, annulé chez nous.")
    settled = settle(locked, actor, chosen, reason)
    if locked.used:
        _cancel(actor, chosen, _why(locked))
    came = StatementRow.objects.select_for_update(no_key=True).filter(
        payment=chosen, state=S.DOUBTFUL, returned=False
    )
    for other in came.order_by("pk"):
        write(other, actor, S.MATCHED, gettext_noop("Venue, puis reprise : ce règlement est annulé."))
    return settled


def _cancel(actor: Account, payment: Payment, reason: str) -> None:
    if payment.means == Means.DEBIT and payment.attempt is not None:
        reject_debit(actor=actor, attempt=payment.attempt, reason=reason)
    else:
        cancel_payment(actor=actor, payment=payment, reason=reason)


def _why(row: StatementRow) -> str:
    """The reason that the payment keeps. Its payer may read it."""
    day = clock.in_figures(row.booked_on) if row.booked_on else ""
    if row.return_reason:
        return _("revenu impayé le %(day)s : %(reason)s") % {
            "day": day,
            "reason": row.return_reason.rstrip(". "),
        }
    return _("revenu impayé le %(day)s") % {"day": day}


@transaction.atomic
def lose_payment(*, actor: audit.Actor, payment: Payment) -> int:
    """A payment was cancelled: its rows wait again. Returns how many.

    When another row says that the money went back, nothing changes: the two rows explain each other.
    """
    lock_rows()
    if StatementRow.objects.filter(payment=payment, state=S.MATCHED, returned=True).exists():
        return 0
    reason = gettext_noop(
        "Le règlement de cette ligne a été annulé chez nous : l'argent est venu, et ne compte plus."
    )
    if payment.cancel_reason:
        reason += " " + gettext_noop("Motif : %(reason)s.") % {"reason": payment.cancel_reason.rstrip(". ")}
    rows = StatementRow.objects.select_for_update(of=("self",), no_key=True).filter(
        Q(payment=payment) | Q(pk__in=StatementRowPayment.objects.filter(payment=payment).values("row")),
        state=S.MATCHED,
        returned=False,
    )
    found = list(rows.order_by("pk"))
    for row in found:
        StatementRowPayment.objects.filter(row=row).delete()
        row.payment = payment
        write(row, actor, S.DOUBTFUL, reason)
    return len(found)


def lose_cancelled_payments() -> None:
    """Do `lose_payment` for every cancelled payment that a row is still matched to."""
    rows = StatementRow.objects.filter(state=S.MATCHED, payment=OuterRef("pk"))
    lost = Payment.objects.filter(
        Exists(rows.filter(returned=False))
        | Exists(StatementRowPayment.objects.filter(payment=OuterRef("pk"))),
        ~Exists(rows.filter(returned=True)),
        cancelled_at__isnull=False,
    )
    for payment in lost.order_by("pk"):
        lose_payment(actor=payment.cancelled_by, payment=payment)
