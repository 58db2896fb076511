"""What the alerts say. Call under the reader's language."""

from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.mail.content import Content
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from toolkit.money import format_euros

SHOWN = 10


def new_invoices(*, invoices: list[Invoice], town: str, address: str, has_account: bool) -> Content:
    """One message for all the new invoices of an address (M14)."""
    n = len(invoices)
    total = format_euros(sum((invoice.balance for invoice in invoices), Decimal(0)))
    lines = [
        _("%(subject)s, n° %(number)s : %(amount)s, à régler avant le %(due)s")
        % {
            "subject": invoice.subject,
            "number": invoice.number,
            "amount": format_euros(invoice.amount),
            "due": formats.date_format(invoice.due_on, "j F Y"),
        }
        for invoice in invoices[:SHOWN]
    ]
    if n > SHOWN:
        lines.append(_("… et %(n)d autres.") % {"n": n - SHOWN})
    return Content(
        subject=ngettext("Une nouvelle facture – %(town)s", "%(n)d nouvelles factures – %(town)s", n)
        % {"n": n, "town": town},
        sentence=ngettext(
            "Une nouvelle facture vous attend sur le portail : %(total)s.",
            "%(n)d nouvelles factures vous attendent sur le portail, pour un total de %(total)s.",
            n,
        )
        % {"n": n, "total": total},
        button_label=_("Voir mes factures") if has_account else _("Activer mon compte"),
        button_url=f"{address}/factures/" if has_account else f"{address}/activation/",
        more=tuple(lines),
        why=_("Vous recevez ce message parce que cette adresse est connue de notre service de facturation."),
    )


def receipt(*, payment: Payment, town: str, address: str) -> Content:
    """After an online payment. Never called a « quittance » (payfip.md §5)."""
    allocations = list(payment.allocations.all())
    numbers = ", ".join(allocation.invoice.number for allocation in allocations)
    url = f"{address}/factures/{allocations[0].invoice.uuid}/" if allocations else f"{address}/factures/"
    return Content(
        subject=_("Votre règlement est enregistré – %(town)s") % {"town": town},
        sentence=_("Nous avons bien enregistré votre règlement de %(amount)s. Merci.")
        % {"amount": format_euros(payment.amount)},
        button_label=_("Voir la facture"),
        button_url=url,
        more=(
            _("Facture : %(numbers)s") % {"numbers": numbers or _("à affecter par le service")},
            _("Date : %(date)s") % {"date": formats.date_format(payment.paid_on, "j F Y")},
            _("Référence : %(reference)s") % {"reference": str(payment.uuid)[:8].upper()},
        ),
        why=_("Vous recevez ce message parce que cette adresse a été donnée au moment du paiement."),
    )
