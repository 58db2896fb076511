"""What staff decide about an attempt whose answer proves nothing (REPORTED) or does not match (REVIEW)."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.payments.books.locking import Locked, lock_attempt
from tenant_apps.payments.corrections.payments import cancel_payment, lock_payment
from tenant_apps.payments.errors import NotOpen
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.online.moves import move, note
from tenant_apps.payments.online.settling import book
from tenant_apps.payments.providers.base import Outcome
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.states import AttemptState
from tenant_apps.products.models import Mode
from tenants.databases.postgresql.again import atomic_again
from toolkit import clock
from toolkit.money import format_euros

S = AttemptState
OPEN = (S.REPORTED, S.REVIEW)


@atomic_again
def confirm_attempt(*, actor: audit.Actor, attempt: Attempt, paid_on: date | None = None) -> Attempt:
    """Book the attempt, once: the accountant's list shows the money on `paid_on`, by default today.

    Raises NotOpen if the attempt does not wait for staff, for test money, for a future day, and when the provider
    reports another amount than the one asked.
    """
    locked, parts = _locked(attempt)
    found = provider(locked.provider)
    said = found.read_answer(locked.answer)
    if said.amount is not None and said.amount != locked.amount:
        words = {"reported": format_euros(said.amount), "asked": format_euros(locked.amount)}
        raise NotOpen(_(found.reasons.other_amount) % words)
    if paid_on is not None and paid_on > clock.today():
        raise NotOpen(_("Cette date est à venir : vérifiez-la."))
    if Mode.TEST in (locked.mode, said.mode):
        raise NotOpen(_(found.reasons.test_money))
    debit = Outcome.PAID_DEBIT in (said.outcome, locked.outcome)
    locked.next_check_at = None
    book(
        locked,
        parts,
        source="staff",
        actor=actor,
        means=Means.DEBIT if debit else Means.CARD,
        paid_on=paid_on or clock.today(),
        reason=gettext_noop("Confirmé par le service de facturation."),
    )
    audit.record("attempt.confirmed", actor=actor, obj=f"attempt:{locked.uuid}")
    return locked


@atomic_again
def refuse_attempt(*, actor: Account, attempt: Attempt) -> Attempt:
    """Refuse the attempt, because no money came. Its invoices can be paid again. Raises NotOpen."""
    locked, _parts = _locked(attempt)
    locked.next_check_at = None
    move(
        locked,
        S.REFUSED,
        source="staff",
        reason=gettext_noop("Aucun argent reçu, selon le service de facturation."),
    )
    audit.record("attempt.refused_by_staff", actor=actor, obj=f"attempt:{locked.uuid}")
    return locked


@atomic_again
def reject_debit(*, actor: Account, attempt: Attempt, reason: str) -> Payment:
    """Cancel the payment of a direct debit that the bank returned. No provider reports this (docs/payfip.md §2).

    The payment keeps the reason and is not deleted. The invoice is owed again and can be paid again. The attempt
    stays PAID. Raises NotOpen unless the attempt is a direct debit whose payment is not cancelled.
    """
    payment = Payment.objects.filter(attempt=attempt).first()
    if payment is not None:
        # It locks all invoices first: money left over may pay other invoices than those of the attempt.
        payment = lock_payment(payment)
    if payment is None or payment.means != Means.DEBIT or payment.cancelled_at is not None:
        raise NotOpen(_("Il n'y a pas de prélèvement à rejeter pour cet essai."))
    if not reason.strip():
        raise NotOpen(_("Écrivez le motif du rejet, tel que le comptable public l'a donné."))
    payment = cancel_payment(actor=actor, payment=payment, reason=reason)
    note(
        attempt,
        source="staff",
        note=gettext_noop("Prélèvement rejeté : %(reason)s") % {"reason": payment.cancel_reason},
    )
    return payment


def _locked(attempt: Attempt) -> Locked:
    """Lock the attempt and its invoices and read them again."""
    found = lock_attempt(attempt.pk)
    locked = found.attempt
    if locked.state not in OPEN:
        sentence = _("Ce paiement n'attend plus de décision : il est « %(state)s ».")
        raise NotOpen(sentence % {"state": locked.get_state_display()})
    return found
