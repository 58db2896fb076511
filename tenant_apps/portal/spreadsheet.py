"""A resident's invoices as cells: what the list says, one column a fact."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from tenant_apps.invoices.models import Invoice
from tenant_apps.portal.rows import state_of
from toolkit import clock, safecsv

HEADS = (
    *(_("Date"), _("Échéance"), _("Montant"), _("Réglé"), _("Numéro"), _("Objet"), _("État")),
    *(_("Service"), _("Au nom de"), _("Référence de paiement")),
)


def cells(invoice: Invoice, *, paid_on: date | None) -> list[str]:
    """One line, safe to open in a spreadsheet; amounts with a decimal comma, in euros."""
    state = state_of(invoice, today=clock.today(), paid_on=paid_on)
    values = (
        *(f"{invoice.issued_on:%d/%m/%Y}", f"{invoice.due_on:%d/%m/%Y}"),
        *(f"{invoice.amount:.2f}".replace(".", ","), f"{invoice.paid:.2f}".replace(".", ",")),
        *(invoice.number, invoice.subject, state.words),
        *(invoice.product.label, invoice.payer.full_name, invoice.reference),
    )
    return [safecsv.cell(value) for value in values]
