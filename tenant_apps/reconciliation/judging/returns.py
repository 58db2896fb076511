"""Judge money taken back. The row waits for a person, with the payment that it takes back."""

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _  # kept in rows: see toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.judging.common import S, say
from tenant_apps.reconciliation.models import StatementRow
from tenant_apps.reconciliation.reading.words import is_cancelled
from toolkit.money import format_euros


def say_returned(row: StatementRow, payments: Sequence[Payment], *, invoice: Invoice | None = None) -> None:
    """Judge a row of money taken back. `payments` are those that it may take back."""
    live = [one for one in payments if one.cancelled_at is None]
    before = [one for one in live if row.booked_on is None or one.paid_on <= row.booked_on]
    if is_cancelled(row.pay_state) and not row.outgoing and not before:
        say(row, S.IGNORED, _("Paiement annulé avant d'être fait : aucun argent n'est venu."))
    elif len(live) == 1 or (before and len(before) == 1):
        _beside(row, (before or live)[0], invoice)
    elif live:
        say(
            row,
            S.DOUBTFUL,
            _told(row, _("Plusieurs règlements ont pu être repris : choisissez.")),
            invoice=invoice,
        )
    elif payments:
        sentence = _("Ce règlement est revenu impayé, et vous l'avez déjà annulé : confirmez.")
        say(row, S.DOUBTFUL, _told(row, sentence), payment=payments[0], invoice=invoice)
    else:
        sentence = _(
            "De l'argent est repris, et nous ne trouvons pas le règlement : cherchez-le, ou écartez."
        )
        say(row, S.DOUBTFUL, _told(row, sentence), invoice=invoice)


def _beside(row: StatementRow, payment: Payment, invoice: Invoice | None) -> None:
    if row.amount == payment.amount:
        sentence = _("Ce règlement est revenu impayé : annulez-le ?")
    else:
        words = {"amount": format_euros(payment.amount)}
        sentence = _("Ce règlement de %(amount)s est revenu, pour un autre montant : vérifiez.") % words
    say(row, S.DOUBTFUL, _told(row, sentence), payment=payment, invoice=invoice)


def _told(row: StatementRow, sentence: str) -> str:
    if not row.return_reason:
        return sentence
    return _("%(sentence)s Motif : %(reason)s.") % {
        "sentence": sentence,
        "reason": row.return_reason.rstrip(". "),
    }
