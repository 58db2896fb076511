"""`settle()`: the single road by which an answer about an attempt is applied (payfip.md §4).

Return, notification, poller and staff all come here with what the provider said. Under the locks of the
invoice and of the attempt it looks again, applies once, and keeps as evidence what it does not apply.
"""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import schedule
from tenant_apps.payments.models import Allocation, Attempt, Means, Payment
from tenant_apps.payments.moves import move, note
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.queries import live_attempt
from tenant_apps.payments.states import AttemptState
from tenant_apps.townhall.models import Mode
from toolkit import clock

S = AttemptState
_REFUSED = {
    Outcome.REFUSED_CARD: gettext_lazy("La carte a été refusée. Rien n'a été débité."),
    Outcome.REFUSED_DEBIT: gettext_lazy("Le prélèvement a été refusé. Rien n'a été débité."),
}


def settle(*, attempt_id: int, status: Status, source: str) -> Attempt:
    """Apply `status` to the attempt, once. Returns the attempt as it now is.

    Whoever comes second finds the attempt settled and changes nothing.
    """
    with transaction.atomic():
        invoice_id = Attempt.objects.values_list("invoice_id", flat=True).get(pk=attempt_id)
        # Always the invoice first, then the attempt: everyone who pays takes the locks in this order.
        invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
        attempt = Attempt.objects.select_for_update(of=("self",)).select_related("product").get(pk=attempt_id)
        attempt.last_answer = {"outcome": status.outcome, **status.raw}
        attempt.checks += 1
        attempt.next_check_at = schedule.next_check(attempt.started_at or attempt.created_at, timezone.now())
        _apply(attempt, invoice, status, source)
        attempt.save()
    return attempt


def _apply(attempt: Attempt, invoice: Invoice, status: Status, source: str) -> None:
    if attempt.state == S.PAID:
        attempt.next_check_at = None
        if not status.outcome.is_paid:
            note(attempt, source=source, note=f"after PAID: {status.outcome}, not applied", raw=status.raw)
    elif status.outcome.is_paid:
        _paid(attempt, invoice, status, source)
    elif status.outcome == Outcome.OTHER:
        _hold(attempt, status, source, _("Le Trésor public a donné une réponse que nous ne connaissons pas."))
    elif status.outcome in _REFUSED:
        _end(attempt, S.REFUSED, status, source, str(_REFUSED[status.outcome]))
    elif status.outcome == Outcome.ABANDONED:
        _abandoned(attempt, status, source)
    elif status.outcome in (Outcome.USED, Outcome.TOO_OLD):
        _end(attempt, S.EXPIRED, status, source, _("Le paiement n'a pas été mené à son terme."))
    else:
        _wait(attempt, status, source)


def _paid(attempt: Attempt, invoice: Invoice, status: Status, source: str) -> None:
    difference = _difference(attempt, status)
    if difference:
        _hold(attempt, status, source, difference)
        return
    attempt.next_check_at = None
    move(attempt, S.PAID, source=source, raw=status.raw)
    book(
        attempt,
        invoice,
        actor=audit.TREASURY,
        means=Means.CARD if status.outcome == Outcome.PAID_CARD else Means.DEBIT,
        paid_on=(status.paid_at or clock.now()).astimezone(clock.PARIS).date(),
        authorization=status.authorization,
    )


def book(
    attempt: Attempt,
    invoice: Invoice,
    *,
    actor: audit.Actor,
    means: Means,
    paid_on: date,
    authorization: str = "",
) -> Payment:
    """The money of an attempt that has just become PAID. The caller holds the locks of both rows."""
    payment = Payment.objects.create(
        attempt=attempt,
        provider=attempt.provider,
        provider_reference=attempt.idop or str(attempt.uuid),
        means=means,
        amount=attempt.amount,
        payer_id=invoice.payer_id,
        paid_on=paid_on,
        authorization=authorization[:40],
        recorded_by=actor if isinstance(actor, str) else actor.audit_name,
    )
    # What the invoice no longer needs (paid twice, at the counter meanwhile) stays unallocated, and is shown.
    part = min(payment.amount, invoice.balance)
    if part > 0:
        Allocation.objects.create(payment=payment, invoice=invoice, amount=part)
    audit.record(
        "payment.received",
        actor=actor,
        obj=f"payment:{payment.uuid}",
        new={"invoice": str(invoice.uuid), "amount": str(payment.amount), "allocated": str(max(part, 0))},
    )
    return payment


def _difference(attempt: Attempt, status: Status) -> str:
    """What in a « paid » answer is not what was asked, in words; empty when all matches.

    `exer` is left out on purpose: the service has been seen to shorten it.
    """
    if attempt.mode in (Mode.TEST, Mode.ACTIVATION) and attempt.product.mode == Mode.PRODUCTION:
        return _("Un paiement d'essai ne règle pas une facture d'un service ouvert.")
    if attempt.mode == Mode.TEST:
        return _("C'est un paiement d'essai : aucun argent n'a été versé.")
    pairs = (
        (_("le montant"), attempt.amount, status.amount),
        (_("la référence"), attempt.reference, status.reference),
        (_("l'identifiant de la collectivité"), attempt.numcli, status.numcli),
        (_("le mode"), attempt.mode, status.mode),
    )
    wrong = [name for name, asked, answered in pairs if asked != answered]
    if not wrong:
        return ""
    return _("La réponse du Trésor public ne correspond pas à la demande : %(what)s.") % {
        "what": ", ".join(wrong)
    }


def _hold(attempt: Attempt, status: Status, source: str, reason: str) -> None:
    if attempt.state in (S.STARTED, S.EXPIRED) and not _another_is_live(attempt):
        move(attempt, S.REVIEW, source=source, reason=reason, raw=status.raw)
        audit.record(
            "attempt.held", actor=audit.TREASURY, obj=f"attempt:{attempt.uuid}", new={"reason": reason}
        )
    else:
        note(attempt, source=source, note=reason, raw=status.raw)


def _end(attempt: Attempt, to: AttemptState, status: Status, source: str, reason: str) -> None:
    if attempt.state == to or attempt.state not in (S.STARTED, S.EXPIRED):
        return
    move(attempt, to, source=source, reason=reason, raw=status.raw)


def _abandoned(attempt: Attempt, status: Status, source: str) -> None:
    """A is believed when it is said again two minutes later: the payer may be trying another card."""
    present = timezone.now()
    if attempt.abandoned_seen_at is None:
        attempt.abandoned_seen_at = present
        note(attempt, source=source, note="A, first time", raw=status.raw)
    if present - attempt.abandoned_seen_at >= schedule.ABANDON_AGAIN:
        _end(
            attempt,
            S.ABANDONED,
            status,
            source,
            _("Vous avez quitté la page de paiement. Rien n'a été débité."),
        )
    elif attempt.state == S.STARTED:
        attempt.next_check_at = attempt.abandoned_seen_at + schedule.ABANDON_AGAIN
        attempt.free_at = min(attempt.free_at, attempt.next_check_at)


def _wait(attempt: Attempt, status: Status, source: str) -> None:
    """Nothing is known yet (P5, or P1 on a fresh idOp). After two hours the invoice is free again."""
    if attempt.abandoned_seen_at is not None and attempt.state == S.STARTED:
        # The payer came back to the Treasury's page after leaving it: the two hours count again.
        attempt.abandoned_seen_at = None
        attempt.free_at = (attempt.started_at or attempt.created_at) + schedule.HOLD
    if attempt.state == S.STARTED and timezone.now() >= attempt.free_at:
        move(
            attempt,
            S.EXPIRED,
            source=source,
            reason=_("Le paiement n'a pas été mené à son terme dans les deux heures."),
            raw=status.raw,
        )


def _another_is_live(attempt: Attempt) -> bool:
    other = live_attempt(attempt.invoice)
    return other is not None and other.pk != attempt.pk
