"""Credits (avoirs): reduce or cancel an invoice.

An invoice's amount never falls below what payments have allocated to it, unless that money is released first.
"""

from decimal import Decimal

from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import Telling, notify_all
from tenant_apps.invoices.corrections import crediting
from tenant_apps.invoices.locking import lock_invoice
from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.payments.books import ledger
from tenant_apps.payments.books.locking import lock_payments
from tenant_apps.payments.errors import NotCorrectable, StillAllocated
from tenant_apps.payments.mails import INVOICE_CREDITED
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.queries import live_attempt
from tenant_apps.payments.states import AttemptState
from tenants.databases.postgresql.again import atomic_again
from toolkit.money import format_euros


@atomic_again
def reduce_invoice(
    *, actor: audit.Actor, invoice: Invoice, amount: Decimal, reason: str, let_go: bool = False
) -> Credit:
    """Write a credit of `amount` euros. With `let_go`, what was paid above the new amount becomes unallocated.

    Raises StillAllocated when money must be released and `let_go` is false, NotCorrectable during a payment, and
    the invoices' WrongState when the amount or the state does not allow it.
    """
    locked = _locked(invoice)
    if 0 < amount < locked.amount:  # otherwise `crediting` raises the error
        _let_go(actor, locked, locked.paid - (locked.amount - amount), allowed=let_go)
    credit = crediting.record_reduction(actor=actor, invoice=locked, amount=amount, reason=reason)
    _tell(locked, credit)
    return credit


@atomic_again
def cancel_invoice(*, actor: audit.Actor, invoice: Invoice, reason: str, let_go: bool = False) -> Credit:
    """Write a credit of the whole invoice. Raises the same errors as `reduce_invoice`."""
    locked = _locked(invoice)
    _let_go(actor, locked, locked.paid, allowed=let_go)
    credit = crediting.record_cancellation(actor=actor, invoice=locked, reason=reason)
    _tell(locked, credit)
    return credit


def _locked(invoice: Invoice) -> Invoice:
    locked = lock_invoice(invoice)
    attempt = live_attempt(locked)
    if attempt is not None and attempt.state in (AttemptState.CREATED, AttemptState.STARTED):
        # The provider already has the old amount, and the resident would pay that one.
        raise NotCorrectable(
            _("Un paiement en ligne de cette facture est en cours : attendez qu'il soit terminé.")
        )
    if attempt is not None:
        raise NotCorrectable(_("Un paiement de cette facture est à examiner : décidez-en d'abord."))
    return locked


def _let_go(actor: audit.Actor, invoice: Invoice, excess: Decimal, *, allowed: bool) -> None:
    """Release `excess` euros of the money that pays the locked invoice, the newest payment first."""
    if excess <= 0:
        return
    if not allowed:
        sentence = _("%(paid)s sont déjà réglés : %(excess)s deviendraient disponibles. Confirmez-le.")
        raise StillAllocated(sentence % {"paid": format_euros(invoice.paid), "excess": format_euros(excess)})
    live = Allocation.objects.filter(invoice=invoice, payment__cancelled_at=None)
    lock_payments(Payment.objects.filter(pk__in=live.values("payment_id")))
    for allocation in live.select_related("payment").order_by("-pk"):
        part = min(allocation.amount, excess)
        audit.record(
            "allocation.let_go",
            actor=actor,
            obj=f"payment:{allocation.payment.uuid}",
            old={"invoice": str(invoice.uuid), "amount": str(allocation.amount)},
            new={"amount": str(allocation.amount - part)},
        )
        ledger.write_reallocation(allocation.payment, part, actor=actor, left=invoice, now_pays=None)
        if part == allocation.amount:
            allocation.delete()
        else:
            allocation.amount -= part
            allocation.save(update_fields=["amount"])
        excess -= part
        if not excess:
            break
    invoice.refresh_from_db(fields=["paid"])


def _tell(invoice: Invoice, credit: Credit) -> None:
    """Write to everyone who sees the invoice in their account: the amount that they know has changed."""
    seers = Account.objects.filter(accesses__payer=invoice.payer_id, accesses__ended_at=None, is_active=True)
    said = INVOICE_CREDITED.about(invoice=invoice, credit=credit).of(invoice.product_id)
    notify_all(
        Telling(said, account.email, account.reads, {"credit": credit.uuid, "account": account.uuid})
        for account in seers.exclude(activated_at=None).distinct()
    )
