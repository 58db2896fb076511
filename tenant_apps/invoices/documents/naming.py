"""How papers, messages and screens name an invoice, so that what is read out is what staff find."""

from django.utils.translation import gettext as _

from tenant_apps.invoices.models import Invoice


def named(invoice: Invoice) -> str:
    """« 2015-RS-00-8001516 (référence 2015RS008001516) »: its number, and what the Treasury knows it by."""
    if invoice.number == invoice.reference:
        return invoice.number
    words = {"number": invoice.number, "reference": invoice.reference}
    return _("%(number)s (référence %(reference)s)") % words
