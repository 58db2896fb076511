"""Write avoirs. The caller first frees the money that the invoice no longer needs (payments.corrections.credits)."""

from decimal import Decimal

from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.invoices.states import INVOICE_EDGES, InvoiceState


def record_reduction(*, actor: audit.Actor, invoice: Invoice, amount: Decimal, reason: str) -> Credit:
    """Take `amount` euros off a published invoice that the caller has locked. Raises WrongState."""
    if invoice.state != InvoiceState.PUBLISHED:
        raise WrongState(_("Seule une facture en ligne peut être réduite."))
    if not 0 < amount < invoice.amount:
        raise WrongState(
            _(
                "Le montant de l'avoir doit être plus petit que celui de la facture. Pour tout retirer, choisissez "
                "« Annuler la facture »."
            )
        )
    credit = _credit(actor, invoice, amount, reason, cancels=False)
    invoice.amount -= amount
    invoice.credited += amount
    invoice.save(update_fields=["amount", "credited"])
    audit.record(
        "invoice.credited",
        actor=actor,
        obj=f"invoice:{invoice.uuid}",
        old={"amount": str(credit.amount_before)},
        new={"amount": str(invoice.amount), "reason": reason},
    )
    return credit


def record_cancellation(*, actor: audit.Actor, invoice: Invoice, reason: str) -> Credit:
    """Cancel a published invoice that the caller has locked and that holds no money. Raises WrongState."""
    old = InvoiceState(invoice.state)
    if (old, InvoiceState.CANCELLED) not in INVOICE_EDGES:
        raise WrongState(_("Cette facture est déjà annulée, ou n'est pas en ligne."))
    credit = _credit(actor, invoice, invoice.amount, reason, cancels=True)
    invoice.state = InvoiceState.CANCELLED
    invoice.save(update_fields=["state"])
    audit.record(
        "invoice.cancelled",
        actor=actor,
        obj=f"invoice:{invoice.uuid}",
        old={"state": str(old), "amount": str(invoice.amount)},
        new={"state": str(invoice.state), "reason": reason},
    )
    return credit


def _credit(actor: audit.Actor, invoice: Invoice, amount: Decimal, reason: str, *, cancels: bool) -> Credit:
    return Credit.objects.create(
        invoice=invoice,
        amount=amount,
        amount_before=invoice.amount,
        cancels=cancels,
        reason=reason,
        made_by=actor if isinstance(actor, str) else actor.audit_name,
    )
