"""Corrections of payments by staff: cancel one, allocate money left over or give it back. Nothing is deleted."""

from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenant_apps.invoices.locking import lock_invoice, lock_invoices
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.books import ledger
from tenant_apps.payments.books.locking import lock_payment_alone
from tenant_apps.payments.errors import NotCorrectable
from tenant_apps.payments.mails import PAYMENT_CANCELLED
from tenant_apps.payments.models import Allocation, Payment, Refund
from tenants.databases.postgresql.again import atomic_again
from toolkit import clock
from toolkit.money import format_euros

UNDO = timedelta(minutes=30)  # how long the person who booked a payment may cancel it without a manager


@atomic_again
def cancel_payment(*, actor: audit.Actor, payment: Payment, reason: str) -> Payment:
    """Cancel a payment that was typed by mistake, an unpaid cheque, or a direct debit that the bank rejected.

    Its allocations stay as evidence and no longer count: a trigger takes them off the invoices, which can be paid
    again. Somebody who paid online gets an e-mail. Cancelling again changes nothing. Raises NotCorrectable without
    a reason, or when part of the payment was given back: that money would be missing from the accounts.
    """
    if not reason.strip():
        raise NotCorrectable(_("Indiquez pourquoi ce règlement est annulé."))
    locked = lock_payment(payment)
    if locked.cancelled_at is not None:
        return locked
    if given_back := sum((refund.amount for refund in locked.refunds.all()), Decimal("0.00")):
        sentence = _(
            "%(amount)s de ce règlement ont déjà été remboursés : il ne peut plus être annulé. Voyez avec votre "
            "comptable comment récupérer cette somme."
        )
        raise NotCorrectable(sentence % {"amount": format_euros(given_back)})
    locked.cancelled_at = timezone.now()
    locked.cancelled_by = actor if isinstance(actor, str) else actor.audit_name
    locked.cancel_reason = reason.strip()[:300]
    locked.save(update_fields=["cancelled_at", "cancelled_by", "cancel_reason"])
    allocations = list(locked.allocations.select_related("invoice"))
    ledger.write_cancellation(locked, allocations, actor=actor)
    audit.record(
        "payment.cancelled",
        actor=actor,
        obj=f"payment:{locked.uuid}",
        old={
            "amount": str(locked.amount),
            "invoices": {str(a.invoice.uuid): str(a.amount) for a in allocations},
        },
        new={"reason": locked.cancel_reason},
    )
    _tell(locked, [allocation.invoice for allocation in allocations])
    return locked


@atomic_again
def allocate(*, actor: audit.Actor, payment: Payment, invoice: Invoice, amount: Decimal) -> Allocation:
    """Use `amount` euros left over to pay another invoice of the same payer and product. Raises NotCorrectable."""
    target = lock_invoice(invoice)
    locked = lock_payment_alone(payment)
    if locked.cancelled_at is not None or target.state != InvoiceState.PUBLISHED:
        raise NotCorrectable(_("Ce règlement ou cette facture est annulé."))
    if target.payer_id not in payers_of(locked):
        raise NotCorrectable(_("Cette facture est d'un autre redevable."))
    if target.product_id != locked.product_id:
        raise NotCorrectable(
            _("Cette facture est d'une autre régie, qui a son propre compte : l'argent ne peut pas y passer.")
        )
    if not 0 < amount <= min(locked.unallocated, target.balance):
        sentence = _("Affectez un montant de 0,01 € à %(most)s.")
        most = min(locked.unallocated, target.balance)
        raise NotCorrectable(sentence % {"most": format_euros(most)})
    old = locked.unallocated
    allocation = Allocation.objects.filter(payment=locked, invoice=target).first()
    if allocation is None:
        allocation = Allocation.objects.create(payment=locked, invoice=target, amount=amount)
    else:
        allocation.amount += amount
        allocation.save(update_fields=["amount"])
    ledger.write_reallocation(locked, amount, actor=actor, left=None, now_pays=target)
    audit.record(
        "payment.allocated",
        actor=actor,
        obj=f"payment:{locked.uuid}",
        old={"unallocated": str(old)},
        new={"unallocated": str(old - amount), "invoice": str(target.uuid), "amount": str(amount)},
    )
    return allocation


@atomic_again
def record_refund(
    *, actor: audit.Actor, payment: Payment, amount: Decimal, refunded_on: date, means: str, reason: str
) -> Refund:
    """Record that money left over was given back. PayFiP has no refund: staff give it another way.

    Raises NotCorrectable.
    """
    locked = lock_payment_alone(payment)
    if locked.cancelled_at is not None:
        raise NotCorrectable(_("Ce règlement est annulé : il n'y a rien à rembourser."))
    if not 0 < amount <= locked.unallocated:
        sentence = _("Un remboursement va de 0,01 € à %(most)s, ce qui n'est affecté à aucune facture.")
        raise NotCorrectable(sentence % {"most": format_euros(locked.unallocated)})
    if not locked.paid_on <= refunded_on <= clock.today():
        sentence = _("La date du remboursement va de celle du règlement (%(day)s) à aujourd'hui.")
        raise NotCorrectable(sentence % {"day": f"{locked.paid_on:%d/%m/%Y}"})
    refund = Refund.objects.create(
        payment=locked,
        amount=amount,
        refunded_on=refunded_on,
        means=means,
        reason=reason[:300],
        recorded_by=actor if isinstance(actor, str) else actor.audit_name,
    )
    ledger.write_refund(refund, actor=actor)
    audit.record(
        "payment.refunded",
        actor=actor,
        obj=f"payment:{locked.uuid}",
        old={"unallocated": str(locked.unallocated)},
        new={"amount": str(amount), "means": means, "reason": reason[:300], "on": refunded_on.isoformat()},
    )
    return refund


def can_undo(account: Account, payment: Payment) -> bool:
    """Whether `account` booked `payment` at the counter within UNDO, and it is in no deposit yet."""
    fresh = payment.recorded_at > timezone.now() - UNDO
    own = payment.recorded_by == account.audit_name
    return own and fresh and payment.deposit_id is None and payment.cancelled_at is None


def payers_of(payment: Payment) -> set[int]:
    """The ids of the payers whose money this is."""
    found = set(payment.allocations.values_list("invoice__payer_id", flat=True))
    if payment.payer_id is not None:
        found.add(payment.payer_id)
    if payment.attempt is not None:
        found.update(payment.attempt.invoices.values_list("payer_id", flat=True))
    return found


def lock_payment(payment: Payment) -> Payment:
    """Lock a payment's invoices, then the payment, and read it again. In a transaction only.

    While we wait, money left over may have gone to one more invoice. All locks are then released and taken again
    with that invoice.
    """
    ids = (
        Allocation.objects.filter(payment=payment).order_by("invoice_id").values_list("invoice_id", flat=True)
    )
    payments = Payment.objects.select_for_update(of=("self",), no_key=True).select_related("attempt__account")
    while True:
        known = list(ids.all())
        place = transaction.savepoint()
        lock_invoices(known)
        locked = payments.get(pk=payment.pk)
        if set(ids.all()) <= set(known):
            transaction.savepoint_commit(place)
            return locked
        transaction.savepoint_rollback(place)


def _tell(payment: Payment, invoices: list[Invoice]) -> None:
    """Write to the resident that the invoice is not paid after all, and what to do."""
    attempt = payment.attempt
    if attempt is None or not attempt.email:  # at the counter, or the payer is erased
        return
    notify(
        PAYMENT_CANCELLED.about(payment=payment, attempt=attempt, invoices=invoices).of(payment.product_id),
        to=attempt.email,
        language=attempt.account.reads if attempt.account else settings.LANGUAGE_CODE,
        once={"payment": payment.uuid},
    )
