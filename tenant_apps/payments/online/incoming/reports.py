"""What an unsigned report is worth (docs/payfip.md §3): every field is compared, it counts once, and it never pays."""

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
# Nothing came back yet; expired is only what we show, the payer may have paid.
WAITING = (S.STARTED, S.EXPIRED)
ENOUGH = 30  # lines of evidence on one attempt: whoever holds the token could write for ever


@atomic_again
def read_report(*, found: Provider, token: str, status: Status) -> None:
    """Apply a report to the attempt of that one-use token: reported, refused or abandoned, never paid.

    A first return that comes after our two hours counts too: the money may have left the payer's account.
    What does not match what was asked, or comes a second time, is kept as evidence and not applied.
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
    """Whether applying it makes the attempt live again (reported, or held for review)."""
    return status.outcome.is_paid or status.outcome == Outcome.OTHER


def _beside_another(attempt: Attempt, status: Status) -> None:
    """Late, and the invoice has another live attempt: only one may live, so staff read it on this one."""
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
