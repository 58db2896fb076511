"""« J'ai payé trois fois, est-ce passé ? »: the answer in one sentence (docs/payfip.md §4, point 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.queries import IN_REVIEW
from tenant_apps.payments.states import AttemptState
from toolkit.money import format_euros


@dataclass(frozen=True)
class Summary:
    """The sentences, and what staff must do."""

    sentences: tuple[str, ...]
    excess: Decimal  # euros received for this invoice beyond its amount
    to_examine: bool


def summary_of(invoice: Invoice, attempts: Sequence[Attempt], money: Sequence[Payment]) -> Summary:
    """The attempts, the payments and what remains, in words that a clerk can read out on the telephone."""
    excess = sum((payment.left_over for payment in money), Decimal("0.00"))
    sentences = [_tries(attempts), _money(invoice)]
    if excess > 0:
        sentences.append(
            _("%(excess)s ont été reçus en trop et ne sont affectés à aucune facture.")
            % {"excess": format_euros(excess)}
        )
    return Summary(tuple(sentences), excess, any(attempt.state in IN_REVIEW for attempt in attempts))


def _tries(attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return _("Personne n'a essayé de régler cette facture en ligne.")
    paid = sum(attempt.state == AttemptState.PAID for attempt in attempts)
    tries = ngettext("%(n)d essai en ligne", "%(n)d essais en ligne", len(attempts)) % {"n": len(attempts)}
    if paid:
        passed = ngettext("%(n)d payé", "%(n)d payés", paid) % {"n": paid}
        return _("%(tries)s, dont %(passed)s.") % {"tries": tries, "passed": passed}
    if any(attempt.state in (AttemptState.CREATED, AttemptState.STARTED) for attempt in attempts):
        return _("%(tries)s ; le Trésor public n'a pas encore dit ce qu'il en est du dernier.") % {
            "tries": tries
        }
    if any(attempt.state in IN_REVIEW for attempt in attempts):
        return _("%(tries)s, dont un attend votre réponse.") % {"tries": tries}
    return _("%(tries)s, aucun n'a abouti.") % {"tries": tries}


def _money(invoice: Invoice) -> str:
    if invoice.is_paid:
        return _("La facture est réglée en entier.")
    if invoice.paid:
        return _("%(paid)s sont réglés, il reste %(rest)s.") % {
            "paid": format_euros(invoice.paid),
            "rest": format_euros(invoice.balance),
        }
    return _("Rien n'est encore réglé.")
