"""Money taken back: it waits for a person, beside the payment that it takes back."""

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.judging.common import S, say
from tenant_apps.reconciliation.models import Line
from tenant_apps.reconciliation.reading.words import is_cancelled
from toolkit.money import format_euros


def say_returned(line: Line, payments: Sequence[Payment], *, invoice: Invoice | None = None) -> None:
    """Judge a line of money taken back; `payments` are those that it may take back."""
    live = [one for one in payments if one.cancelled_at is None]
    before = [one for one in live if line.booked_on is None or one.paid_on <= line.booked_on]
    if is_cancelled(line.pay_state) and not line.outgoing and not before:
        say(line, S.IGNORED, _("Paiement annulé avant d'être fait : aucun argent n'est venu."))
    elif len(live) == 1 or (before and len(before) == 1):
        _beside(line, (before or live)[0], invoice)
    elif live:
        say(
            line,
            S.DOUBTFUL,
            _told(line, _("Plusieurs règlements ont pu être repris : choisissez.")),
            invoice=invoice,
        )
    elif payments:
        sentence = _("Ce règlement est revenu impayé, et vous l'avez déjà annulé : confirmez.")
        say(line, S.DOUBTFUL, _told(line, sentence), payment=payments[0], invoice=invoice)
    else:
        sentence = _(
            "De l'argent est repris, et nous ne trouvons pas le règlement : cherchez-le, ou écartez."
        )
        say(line, S.DOUBTFUL, _told(line, sentence), invoice=invoice)


def _beside(line: Line, payment: Payment, invoice: Invoice | None) -> None:
    if line.amount == payment.amount:
        sentence = _("Ce règlement est revenu impayé : annulez-le ?")
    else:
        words = {"amount": format_euros(payment.amount)}
        sentence = _("Ce règlement de %(amount)s est revenu, pour un autre montant : vérifiez.") % words
    say(line, S.DOUBTFUL, _told(line, sentence), payment=payment, invoice=invoice)


def _told(line: Line, sentence: str) -> str:
    if not line.return_reason:
        return sentence
    return _("%(sentence)s Motif : %(reason)s.") % {
        "sentence": sentence,
        "reason": line.return_reason.rstrip(". "),
    }
