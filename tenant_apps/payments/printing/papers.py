"""Our own documents as PDF: the justificatif de paiement and the bordereau de remise. Never a « quittance ».

The same rows always give the same bytes.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.documents.naming import named
from tenant_apps.payments.models import Deposit, Means, Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.sheet import QUIET, Sheet
from toolkit import clock
from toolkit.money import format_euros
from toolkit.words import in_french


@in_french
def receipt(payment: Payment, town: TownHall) -> bytes:
    """The receipt of a payment as PDF. `payment` comes with its allocations, their invoices and its refunds."""
    title = _("Justificatif de paiement")
    sheet = Sheet(town, title, payment.cancelled_at or payment.recorded_at)
    sheet.write_line(title, size=20, bold=True)
    sheet.write_line(_("N° %(number)s") % {"number": receipt_reference(payment)}, colour=QUIET, after=5)
    if payment.cancelled_at:
        sentence = _("ANNULÉ le %(day)s : %(reason)s")
        words = sentence % {"day": clock.in_words(payment.cancelled_at), "reason": payment.cancel_reason}
        sheet.write_line(words, size=13, bold=True, colour=(155, 28, 28), after=4)
    sheet.write_line(format_euros(payment.amount), size=26, bold=True, after=3)
    facts = [
        (_("Reçu de"), payment.drawer or (payment.payer.full_name if payment.payer else "")),
        (_("Le"), clock.in_words(payment.paid_on)),
        (_("Par"), means_in_words(payment)),
        (_("Enregistré le"), clock.in_words(payment.recorded_at)),
    ]
    sheet.facts((label, value) for label, value in facts if value)
    lines = [
        (named(a.invoice), a.invoice.subject, a.invoice.payer.full_name, format_euros(a.amount))
        for a in payment.allocations.all()
    ]
    if lines:
        sheet.rows((_("Facture"), _("Objet"), _("Redevable"), _("Réglé")), (36, 62, 46, 30), lines)
    if payment.left_over:
        sentence = _(
            "%(amount)s ne sont affectés à aucune facture : le service de facturation vous contactera."
        )
        sheet.write_line(sentence % {"amount": format_euros(payment.left_over)}, after=3)
    if payment.means == Means.CHEQUE:
        sheet.write_line(_("Chèque reçu sous réserve de son encaissement."), size=9.5, after=2)
    sheet.write_line(
        _(
            "Ce document dit ce que le portail des factures a enregistré. Il ne remplace pas un reçu du comptable "
            "public."
        ),
        size=9,
        colour=QUIET,
    )
    return bytes(sheet.output())


@in_french
def docket(deposit: Deposit, payments: Iterable[Payment], town: TownHall) -> bytes:
    """The bordereau de remise as PDF, which goes to the bank with the cheques or the cash."""
    cheques = deposit.means == Means.CHEQUE
    title = _("Bordereau de remise de chèques") if cheques else _("Bordereau de remise d'espèces")
    sheet = Sheet(town, title, deposit.closed_at)
    sheet.write_line(title, size=20, bold=True)
    sheet.write_line(_("N° %(number)s") % {"number": deposit.label}, size=12, colour=QUIET, after=4)
    sheet.write_line(format_euros(deposit.total), size=26, bold=True, after=2)
    count = ngettext("%(n)d règlement", "%(n)d règlements", deposit.count) % {"n": deposit.count}
    sheet.facts(
        [
            (_("Régie"), deposit.product.label),
            (_("Date de la remise"), clock.in_words(deposit.deposited_on)),
            (_("Nombre"), count),
        ]
    )
    if cheques:
        titles: tuple[str, ...] = (
            _("Rang"),
            _("Tireur"),
            _("Banque"),
            _("N° du chèque"),
            _("Factures"),
            _("Montant"),
        )
        widths: tuple[int, ...] = (12, 46, 34, 26, 34, 24)
    else:
        titles, widths = (
            (_("Rang"), _("Reçu le"), _("Redevable"), _("Factures"), _("Montant")),
            (12, 28, 60, 50, 26),
        )
    sheet.rows(titles, widths, (_docket_line(n, one, cheques) for n, one in enumerate(payments, 1)))
    total = _("Total : %(total)s") % {"total": format_euros(deposit.total)}
    sheet.write_line(total, size=13, bold=True, after=12)
    sheet.write_line(_("Signature du régisseur :"), size=10, colour=QUIET)
    return bytes(sheet.output())


def _docket_line(rank: int, payment: Payment, cheques: bool) -> tuple[str, ...]:
    invoices = ", ".join(named(allocation.invoice) for allocation in payment.allocations.all())
    who = payment.drawer or (payment.payer.full_name if payment.payer else "")
    amount = format_euros(payment.amount)
    if cheques:
        return str(rank), who, payment.bank, payment.number, invoices, amount
    return str(rank), f"{payment.paid_on:%d/%m/%Y}", who, invoices, amount


def means_in_words(payment: Payment) -> str:
    """The means of a payment in words: « chèque n° 123, Banque des Coteaux »."""
    parts = [str(payment.get_means_display())]
    if payment.number:
        parts[0] += _(" n° %(number)s") % {"number": payment.number}
    return ", ".join(filter(None, [*parts, payment.bank]))
