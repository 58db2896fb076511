"""Unsigned reports (docs/payfip.md §3): every field is compared, a report counts once, and it never books money."""

import logging

from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from shared_apps.audit import services as audit
from tenant_apps.payments.books.locking import lock_attempt
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.models import Attempt, FindingKind
from tenant_apps.payments.online.asking import differences_of, key_of
from tenant_apps.payments.online.moves import evidence, move, note
from tenant_apps.payments.providers.base import Outcome, Provider, Status
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.queries import another_is_live
from tenant_apps.payments.states import AttemptState
from tenants.databases.postgresql.again import atomic_again

log = logging.getLogger(__name__)
S = AttemptState
SOURCE = "callback"
# States in which no report has come yet. The payer of an expired attempt may have paid.
WAITING = (S.STARTED, S.EXPIRED)
ENOUGH = 30  # events kept per attempt: somebody with the token could send reports without end


@atomic_again
def read_report(*, found: Provider, token: str, status: Status) -> None:
    """Apply a report to the attempt of this one-use token: it becomes REPORTED, REFUSED or ABANDONED, never PAID.

    A first report counts even after the two hours of the attempt: the payer may have paid. A report that does not
    match the request, or comes a second time, is kept as evidence and not applied.
    """
    pk = Attempt.objects.filter(**key_of(found, token)).values_list("pk", flat=True).first()
    if pk is None:
        return
    attempt = lock_attempt(pk).attempt
    if attempt.events.count() >= ENOUGH:
        log.warning("a redirect's token is used over and over")
    elif differences_of(attempt, status):
        note(attempt, source=SOURCE, note=_("Champs différents de la demande, non appliqué."), raw=status.raw)
        report(
            FindingKind.FORGED,
            about=str(attempt.uuid),
            attempt=attempt,
            details=evidence(attempt, status.raw),
        )
    elif attempt.state not in WAITING:
        note(attempt, source=SOURCE, note=_("Retour présenté de nouveau, non appliqué."), raw=status.raw)
        if attempt.outcome != status.outcome:
            report(
                FindingKind.REPLAYED,
                about=str(attempt.uuid),
                attempt=attempt,
                details=evidence(attempt, status.raw),
            )
    elif attempt.state == S.EXPIRED and _reserves_the_invoice(status) and another_is_live(attempt):
        _beside_another(attempt, status)
    else:
        _apply(attempt, status)


def _reserves_the_invoice(status: Status) -> bool:
    """Whether applying this report makes the attempt live again (REPORTED or REVIEW)."""
    return status.outcome.is_paid or status.outcome == Outcome.OTHER


def _beside_another(attempt: Attempt, status: Status) -> None:
    """Keep a late report as a finding for staff: another attempt on the invoice is live, and only one may be."""
    attempt.reason = _("Paiement annoncé après le délai, pendant une autre tentative : à vérifier.")
    attempt.save(update_fields=["reason"])
    note(attempt, source=SOURCE, note=_("Arrivé pendant une autre tentative, non appliqué."), raw=status.raw)
    report(FindingKind.LATE, about=str(attempt.uuid), attempt=attempt, details=evidence(attempt, status.raw))


def _apply(attempt: Attempt, status: Status) -> None:
    attempt.next_check_at = None
    attempt.outcome, attempt.answer = status.outcome, evidence(attempt, status.raw)
    reasons = provider(attempt.provider).reasons
    if status.outcome.is_paid:
        move(attempt, S.REPORTED, source=SOURCE, reason=reasons.reported, raw=status.raw)
        audit.record("attempt.reported", actor=audit.TREASURY, obj=f"attempt:{attempt.uuid}")
    elif status.outcome in (Outcome.REFUSED_CARD, Outcome.REFUSED_DEBIT):
        move(attempt, S.REFUSED, source=SOURCE, reason=reasons.refused, raw=status.raw)
    elif status.outcome == Outcome.ABANDONED:
        move(attempt, S.ABANDONED, source=SOURCE, reason=reasons.abandoned, raw=status.raw)
    else:
        move(attempt, S.REVIEW, source=SOURCE, reason=reasons.unknown, raw=status.raw)
