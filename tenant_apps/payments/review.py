"""Staff's word on what the Treasury's answer could not settle alone: announced by TIPI, or held for review."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Attempt, Means
from tenant_apps.payments.moves import move
from tenant_apps.payments.settling import book
from tenant_apps.payments.states import AttemptState
from tenant_apps.townhall.models import Mode
from toolkit import clock

S = AttemptState
OPEN = (S.REPORTED, S.REVIEW)


class NotOpen(PaymentError):
    """The attempt waits for nobody's word (any more)."""


@transaction.atomic
def confirm_attempt(*, actor: Account, attempt: Attempt, paid_on: date | None = None) -> Attempt:
    """The money is on the accountant's list, at `paid_on` (today if nobody says): book it, once. Raises NotOpen."""
    locked, invoice = _locked(attempt)
    if locked.mode == Mode.TEST:
        raise NotOpen(_("C'est un paiement d'essai : aucun argent n'a été versé."))
    debit = locked.last_answer.get("resultrans") == "V" or locked.last_answer.get("outcome") == "paid_debit"
    locked.next_check_at = None
    move(locked, S.PAID, source="staff", reason=_("Confirmé par le service de facturation."))
    book(
        locked,
        invoice,
        actor=actor,
        means=Means.DEBIT if debit else Means.CARD,
        paid_on=paid_on or clock.today(),
    )
    audit.record("attempt.confirmed", actor=actor, obj=f"attempt:{locked.uuid}")
    return locked


@transaction.atomic
def refuse_attempt(*, actor: Account, attempt: Attempt) -> Attempt:
    """No money came: the invoice can be paid again. Raises NotOpen."""
    locked, _invoice = _locked(attempt)
    locked.next_check_at = None
    move(locked, S.REFUSED, source="staff", reason=_("Aucun argent reçu, selon le service de facturation."))
    audit.record("attempt.refused_by_staff", actor=actor, obj=f"attempt:{locked.uuid}")
    return locked


def _locked(attempt: Attempt) -> tuple[Attempt, Invoice]:
    """Both rows, in the order that everyone takes them, looked at again."""
    invoice = Invoice.objects.select_for_update().get(pk=attempt.invoice_id)
    locked = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if locked.state not in OPEN:
        sentence = _("Ce paiement n'attend plus de décision : il est « %(state)s ».")
        raise NotOpen(sentence % {"state": locked.get_state_display()})
    return locked, invoice
