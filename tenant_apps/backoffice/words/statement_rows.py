"""What the page of a statement's row offers: book its money, or take a payment back."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import at_least
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation.models import StatementRow
from toolkit import clock
from toolkit.money import format_euros


@dataclass(frozen=True)
class Offer:
    """An act: its sentence and the label of its button."""

    sentence: str
    button: str


def booking_of(row: StatementRow) -> Offer | None:
    """The act that books the money of a row for the invoice it names; None without an invoice."""
    invoice = row.invoice
    if invoice is None or row.amount is None:
        return None
    words = {
        "number": invoice.number,
        "name": invoice.payer.full_name,
        "amount": format_euros(row.amount),
        "balance": format_euros(invoice.balance),
    }
    if not invoice.balance:
        sentence = (
            _("La facture %(number)s est annulée : %(amount)s resteront en trop-perçu au nom de %(name)s.")
            if invoice.state == InvoiceState.CANCELLED
            else _(
                "La facture %(number)s est déjà réglée : %(amount)s resteront en trop-perçu au nom de %(name)s."
            )
        )
        return Offer(sentence % words, _("Enregistrer en trop-perçu"))
    if row.amount > invoice.balance:
        sentence = _(
            "Enregistrer ce règlement pour la facture %(number)s, %(name)s : elle prend %(balance)s, le reste sera "
            "en trop-perçu."
        )
    else:
        sentence = _("Enregistrer ce règlement pour la facture %(number)s, %(name)s.")
    return Offer(sentence % words, _("Enregistrer ce règlement"))


def bill_words(invoice: Invoice) -> str:
    """An invoice in the list of choices, with what the money would do to it."""
    if invoice.state == InvoiceState.CANCELLED:
        state = _("annulée : tout en trop-perçu")
    elif invoice.is_paid:
        state = _("déjà réglée : tout en trop-perçu")
    else:
        state = _("reste %(balance)s") % {"balance": format_euros(invoice.balance)}
    return f"{invoice.number} – {invoice.payer.full_name} – {state}"


def taking_back(row: StatementRow, payment: Payment) -> Offer:
    """What « Annuler ce règlement » will do to the payment that a row takes back."""
    words = {
        "amount": format_euros(payment.amount),
        "day": clock.in_words(payment.paid_on),
        "reason": row.return_reason.rstrip(". ") or _("non précisé par la banque"),
    }
    if payment.cancelled_at is not None:
        sentence = _(
            "Le règlement de %(amount)s du %(day)s est déjà annulé. Motif de la banque : %(reason)s."
        )
        return Offer(sentence % words, _("C'est bien ce règlement"))
    sentence = _(
        "Le règlement de %(amount)s du %(day)s sera annulé (motif : %(reason)s) et ce qu'il payait sera de nouveau à "
        "régler. Qui a payé en ligne en est averti par e-mail."
    )
    return Offer(sentence % words, _("Annuler ce règlement"))


def may_take_back(role: str, payment: Payment) -> bool:
    """Whether `role` may take it back: a direct debit or a cancelled payment always, others only a manager."""
    return payment.means == Means.DEBIT or payment.cancelled_at is not None or at_least(role, Role.MANAGER)
