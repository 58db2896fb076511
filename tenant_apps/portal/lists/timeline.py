"""What happened to an invoice, in words for its resident, oldest first."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Allocation, Attempt, Declaration
from tenant_apps.payments.queries import attempts_for_resident
from tenant_apps.payments.states import AttemptState
from toolkit.money import format_euros


class Step(NamedTuple):
    """A day, and what happened."""

    day: date
    words: str


def timeline(
    invoice: Invoice, *, payments: Iterable[Allocation], declaration: Declaration | None
) -> list[Step]:
    """The steps of an invoice that the caller may see. An attempt that led to a payment shows as the payment only."""
    steps = [Step(invoice.issued_on, _("La facture est établie."))]
    if invoice.published_at:
        steps.append(Step(_day(invoice.published_at), _("La facture est mise en ligne.")))
    steps += [Step(_day(attempt.created_at), _told(attempt)) for attempt in attempts_for_resident(invoice)]
    if declaration:
        steps.append(Step(_day(declaration.declared_at), _("« J'ai réglé » : le règlement est déclaré.")))
    for paid in payments:
        words = _("%(amount)s réglés par %(means)s.")
        means = paid.payment.get_means_display()
        steps.append(
            Step(paid.payment.paid_on, words % {"amount": format_euros(paid.amount), "means": means})
        )
    return sorted(steps, key=lambda step: step.day)


def _told(attempt: Attempt) -> str:
    endings = {
        AttemptState.REFUSED: _("Un paiement en ligne a été refusé."),
        AttemptState.ABANDONED: _("Un paiement en ligne a été abandonné."),
        AttemptState.EXPIRED: _("Un paiement en ligne n'a pas été mené à son terme."),
        AttemptState.FAILED: _("Un paiement en ligne n'a pas pu commencer."),
        AttemptState.REPORTED: _("Un paiement en ligne est annoncé ; le Trésor public doit le confirmer."),
        AttemptState.REVIEW: _("Un paiement en ligne est examiné par le service de facturation."),
    }
    return endings.get(AttemptState(attempt.state), _("Un paiement en ligne est commencé."))


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()
