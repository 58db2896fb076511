"""A resident's invoices as cells of a spreadsheet, one column for each figure of the list."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.payability.reading import decided
from tenant_apps.payments.payability.resident_list import Wanted, every_line_of_resident
from tenant_apps.payments.payability.words import States
from toolkit import clock

HEADS = (
    *(_("Date"), _("Échéance"), _("Montant"), _("Réglé"), _("Numéro"), _("Objet"), _("État")),
    *(_("Service"), _("Au nom de"), _("Référence de paiement")),
)


def rows(account: Account, wanted: Wanted) -> Iterator[tuple[str | Decimal, ...]]:
    """Every invoice that passes `wanted`, in its order, one tuple of cells each; amounts in euros."""
    states = States(clock.today())
    for lines in every_line_of_resident(account, wanted):
        payabilities = decided(lines, reader=account)
        about = Invoice.objects.select_related("product", "payer").in_bulk(list(payabilities))
        for line in lines:
            state, invoice = states.of(payabilities[line.id]), about.get(line.id)
            if invoice is None:
                continue  # its import was taken back while we read
            yield (
                *(f"{line.issued_on:%d/%m/%Y}", f"{line.due_on:%d/%m/%Y}", line.amount, line.paid),
                *(line.number, line.subject, f"{state.words} ({state.note})" if state.note else state.words),
                *(invoice.product.label, invoice.payer.full_name, line.reference),
            )
