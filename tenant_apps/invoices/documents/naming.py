"""The name of an invoice in PDFs, messages and on screens: staff find the invoice by it."""

from django.utils.translation import gettext as _

from tenant_apps.invoices.models import Invoice


def named(invoice: Invoice) -> str:
    """« 2015-RS-00-8001516 (référence 2015RS008001516) »: its number, and its reference at the Treasury."""
    if invoice.number == invoice.reference:
        return invoice.number
    words = {"number": invoice.number, "reference": invoice.reference}
    return _("%(number)s (référence %(reference)s)") % words
