"""The receipt of a payment as PDF (« justificatif de paiement »). Only the accountant gives a « quittance »."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.invoices.documents.naming import named
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.sheet import QUIET, Sheet
from toolkit import clock
from toolkit.money import format_euros


def receipt(payment: Payment, *, townhall: TownHall) -> bytes:
    """One A4 page about `payment`. It names the invoices of `payment.seen` (queries.payment_for_resident)."""
    seen: Sequence[Allocation] = payment.seen  # type: ignore[attr-defined]
    title = _("Justificatif de paiement")
    sheet = Sheet(townhall, title, payment.recorded_at)
    sheet.write_line(title, size=20, bold=True, colour=sheet.town_ink, after=5)
    sheet.facts(_facts(payment, seen))
    sheet.rows(
        (_("Facture"), _("Objet et service"), _("Montant réglé")),
        (62, 82, 30),
        (
            (
                named(one.invoice),
                f"{one.invoice.subject} ({one.invoice.product.label})",
                format_euros(one.amount),
            )
            for one in seen
        ),
    )
    words = _(
        "Ce justificatif reprend ce que le service de facturation a enregistré le %(day)s. Il ne remplace pas "
        "la facture. Pour un paiement en ligne, le Trésor public vous a aussi envoyé son ticket de paiement."
    )
    sheet.write_line(words % {"day": clock.in_words(payment.recorded_at)}, size=9, colour=QUIET)
    return bytes(sheet.output())


def _facts(payment: Payment, seen: Sequence[Allocation]) -> list[tuple[str, str]]:
    payers = sorted({one.invoice.payer.full_name for one in seen})
    facts = [
        (_("Au nom de"), ", ".join(payers)),
        (_("Date du règlement"), clock.in_words(payment.paid_on)),
        (_("Moyen de paiement"), payment.get_means_display().capitalize()),
        (_("Montant réglé"), format_euros(sum((one.amount for one in seen), Decimal("0.00")))),
        (_("Référence du règlement"), receipt_reference(payment)),
    ]
    return [*facts, (_("Référence de paiement"), payment.attempt.reference)] if payment.attempt else facts
