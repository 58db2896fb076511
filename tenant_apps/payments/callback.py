"""What TIPI's return is worth (payfip.md §3): nothing is signed, so every field is compared and it counts once."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.moves import move, note
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.providers.registry import tipi
from tenant_apps.payments.states import AttemptState
from toolkit.secrets import fingerprint

S = AttemptState
SOURCE = "callback"


@transaction.atomic
def read_callback(*, token: str, fields: Mapping[str, str]) -> None:
    """Apply a return to the attempt of that one-use token: reported, refused or abandoned, never paid.

    What does not match what was asked, or comes a second time, is kept as evidence and not applied.
    """
    invoice_id = (
        Attempt.objects.filter(callback_hash=fingerprint(token)).values_list("invoice_id", flat=True).first()
    )
    if invoice_id is None:
        return
    Invoice.objects.select_for_update().get(pk=invoice_id)
    attempt = Attempt.objects.select_for_update().get(callback_hash=fingerprint(token))
    status = tipi().read_callback(fields)
    if attempt.state != S.STARTED:
        note(attempt, source=SOURCE, note=f"{status.outcome} came again, not applied", raw=status.raw)
    elif not _matches(attempt, status):
        note(attempt, source=SOURCE, note="fields that were not asked for, not applied", raw=status.raw)
        audit.record("attempt.forged", actor=audit.TREASURY, obj=f"attempt:{attempt.uuid}")
    else:
        _apply(attempt, status)


def _matches(attempt: Attempt, status: Status) -> bool:
    asked = (attempt.amount, attempt.reference, attempt.numcli, attempt.mode)
    return asked == (status.amount, status.reference, status.numcli, status.mode)


def _apply(attempt: Attempt, status: Status) -> None:
    attempt.next_check_at = None
    attempt.last_answer = {"outcome": status.outcome, **status.raw}
    if status.outcome.is_paid:
        reason = _("Paiement annoncé ; le Trésor public doit encore le confirmer.")
        move(attempt, S.REPORTED, source=SOURCE, reason=reason, raw=status.raw)
        audit.record("attempt.reported", actor=audit.TREASURY, obj=f"attempt:{attempt.uuid}")
    elif status.outcome in (Outcome.REFUSED_CARD, Outcome.REFUSED_DEBIT):
        reason = _("Le paiement a été refusé. Rien n'a été débité.")
        move(attempt, S.REFUSED, source=SOURCE, reason=reason, raw=status.raw)
    elif status.outcome == Outcome.ABANDONED:
        reason = _("Vous avez quitté la page de paiement. Rien n'a été débité.")
        move(attempt, S.ABANDONED, source=SOURCE, reason=reason, raw=status.raw)
    else:
        reason = _("Le Trésor public a donné une réponse que nous ne connaissons pas.")
        move(attempt, S.REVIEW, source=SOURCE, reason=reason, raw=status.raw)
