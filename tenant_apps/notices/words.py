"""Words that the messages about invoices share. Call these functions in the reader's language."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.invoices.documents.naming import named
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.payability.deciding import Payability
from tenant_apps.payments.payability.words import told_in_mail
from toolkit.money import format_euros

SHOWN = 10  # invoices in one message
Payabilities = Mapping[int, Payability]  # invoice id → its payability


def why(has_account: bool) -> str:
    """Why the reader gets the message. An account may see invoices by an invitation, which billing does not know."""
    if has_account:
        return _("Vous recevez ce message parce que votre compte du portail donne accès à ces factures.")
    return _("Vous recevez ce message parce que cette adresse est connue de notre service de facturation.")


def of_invoice(invoice: Invoice, amount: Decimal, payability: Payability) -> dict[str, str]:
    """The texts of one invoice, for its line in a message."""
    return {
        "subject": invoice.subject,
        "number": named(invoice),
        "amount": format_euros(amount),
        "what": told_in_mail(payability),
    }
