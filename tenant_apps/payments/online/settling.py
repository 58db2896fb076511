"""`settle()`: the only code that applies a provider's answer to an attempt (docs/payfip.md §4).

The payer's return, notifications, the poller and staff all call it with the provider's answer. It locks the invoices
and the attempt, reads them again, applies the answer once, and keeps as evidence what it does not apply.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from shared_apps.audit import services as audit
from tenant_apps.payments.books import ledger
from tenant_apps.payments.books.locking import Part, lock_attempt
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.models import Allocation, Attempt, FindingKind, Means, Payment
from tenant_apps.payments.online.asking import differences_of
from tenant_apps.payments.online.moves import CHANGING, evidence, move, moved, note
from tenant_apps.payments.online.writing import IdOf, inserted, write
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.queries import another_is_live
from tenant_apps.payments.states import AttemptState
from tenant_apps.products.models import Mode
from tenants.databases.postgresql.again import atomic_again
from toolkit import clock

S = AttemptState
REFUSED = (Outcome.REFUSED_CARD, Outcome.REFUSED_DEBIT)


@atomic_again
def settle(*, attempt_id: int, status: Status, source: str) -> Attempt:
    """Apply `status` to the attempt, once. Returns the changed attempt.

    A second call with the same answer finds the attempt settled and changes nothing.
    """
    attempt, parts = lock_attempt(attempt_id)
    before = attempt.state
    attempt.outcome, attempt.answer = status.outcome, evidence(attempt, status.raw)
    attempt.checks += 1
    attempt.next_check_at = _next_check(attempt, status)
    _apply(attempt, parts, status, source)
    if attempt.state == before:  # otherwise `move` has saved it
        attempt.save(update_fields=CHANGING)
    return attempt


def _age(attempt: Attempt) -> timedelta:
    return timezone.now() - (attempt.started_at or attempt.created_at)


def _next_check(attempt: Attempt, status: Status) -> datetime | None:
    """When to ask again if this answer is not final."""
    started, present = attempt.started_at or attempt.created_at, timezone.now()
    schedule = provider(attempt.provider).schedule
    if status.outcome == Outcome.TOO_OLD and present >= started + schedule.reserved_for:
        return None  # the page was not opened in time; earlier, a page opened at the last minute may be paid
    if status.outcome == Outcome.UNKNOWN and schedule.is_purged(started, present):
        return None  # the provider purged the operation at night: there was no payment
    return schedule.next_check(started, present)


def _apply(attempt: Attempt, parts: Sequence[Part], status: Status, source: str) -> None:
    found = provider(attempt.provider)
    reasons = found.reasons
    if attempt.state == S.PAID:
        _after_paid(attempt, status, source)
    elif status.outcome.is_paid:
        _paid(attempt, parts, status, source)
    elif status.outcome == Outcome.OTHER:
        _put_in_review(attempt, status, source, reasons.unknown)
    elif status.outcome in REFUSED:
        by_card = status.outcome == Outcome.REFUSED_CARD
        _end(attempt, S.REFUSED, status, source, reasons.refused_card if by_card else reasons.refused_debit)
    elif status.outcome == Outcome.ABANDONED:
        _abandoned(attempt, status, source)
    elif status.outcome == Outcome.TOO_OLD:
        _end(attempt, S.EXPIRED, status, source, reasons.too_old)
    elif status.outcome == Outcome.USED and _age(attempt) >= found.schedule.opened:
        _end(attempt, S.EXPIRED, status, source, reasons.used)
    else:
        _wait(attempt, status, source)


def _after_paid(attempt: Attempt, status: Status, source: str) -> None:
    """Keep an answer about a PAID attempt, whose state never changes. Another amount becomes a finding."""
    attempt.next_check_at = None
    if not status.outcome.is_paid:
        said = provider(attempt.provider).reasons.after_paid
        note(attempt, source=source, note=said % {"code": status.outcome}, raw=status.raw)
    elif difference := _difference(attempt, status):
        note(attempt, source=source, note=difference, raw=status.raw)
        report(
            FindingKind.DIFFERS,
            about=str(attempt.uuid),
            attempt=attempt,
            details=evidence(attempt, status.raw),
        )


def _paid(attempt: Attempt, parts: Sequence[Part], status: Status, source: str) -> None:
    difference = _difference(attempt, status)
    if difference:
        _put_in_review(attempt, status, source, difference)
        return
    attempt.next_check_at = None
    paid_on = _day_of(attempt, status)
    if status.paid_at is not None and paid_on != status.paid_at.astimezone(clock.PARIS).date():
        said = provider(attempt.provider).reasons.dated
        days = {
            "said": clock.in_figures(status.paid_at.astimezone(clock.PARIS)),
            "kept": clock.in_figures(paid_on),
        }
        note(attempt, source=source, note=said % days, raw=status.raw)
    book(
        attempt,
        parts,
        source=source,
        actor=audit.TREASURY,
        means=Means.CARD if status.outcome == Outcome.PAID_CARD else Means.DEBIT,
        paid_on=paid_on,
        authorization=status.authorization,
        raw=status.raw,
    )


def _day_of(attempt: Attempt, status: Status) -> date:
    """The day of the payment in Paris: the provider's day if it is possible, else today.

    A day in the future, or more than one day before the attempt, is an error of the provider (docs/payfip.md §7).
    """
    begun, today = attempt.created_at.astimezone(clock.PARIS).date(), clock.today()
    said = status.paid_at.astimezone(clock.PARIS).date() if status.paid_at else today
    return said if begun - timedelta(days=1) <= said <= today else today


def book(
    attempt: Attempt,
    parts: Sequence[Part],
    *,
    source: str,
    actor: audit.Actor,
    means: Means,
    paid_on: date,
    authorization: str = "",
    reason: str = "",
    raw: Mapping[str, str] | None = None,
) -> Payment:
    """Set the attempt to PAID and book its money, together. The caller has called `lock_attempt`.

    Raises ForbiddenMove for an attempt that cannot become PAID, and IntegrityError for money booked already.
    """
    payment = Payment(
        attempt=attempt,
        product_id=attempt.product_id,
        provider=attempt.provider,
        provider_reference=attempt.operation or str(attempt.uuid),
        means=means,
        amount=attempt.amount,
        payer_id=attempt.invoice.payer_id,
        paid_on=paid_on,
        authorization=authorization[:40],
        recorded_by=actor if isinstance(actor, str) else actor.audit_name,
    )
    # If an invoice was paid at the counter meanwhile, the money that it no longer needs stays unallocated.
    shares = [
        Allocation(invoice=part.invoice, amount=max(min(part.amount, part.invoice.balance), Decimal(0)))
        for part in parts
    ]
    write(
        *moved(attempt, S.PAID, source=source, reason=reason, raw=raw),
        inserted(payment),
        *(inserted(share, payment_id=IdOf(Payment)) for share in shares if share.amount),
        *(inserted(line, payment_id=IdOf(Payment)) for line in ledger.receipt(payment, shares)),
    )
    audit.record(
        "payment.received",
        actor=actor,
        obj=f"payment:{payment.uuid}",
        new={"amount": str(payment.amount), **_told(shares)},
    )
    return payment


def _told(shares: Sequence[Allocation]) -> dict[str, object]:
    """For the trail: the invoice and its allocated amount, or the amounts of several invoices."""
    if len(shares) == 1:
        return {"invoice": str(shares[0].invoice.uuid), "allocated": str(shares[0].amount)}
    return {"invoices": {str(share.invoice.uuid): str(share.amount) for share in shares}}


def _difference(attempt: Attempt, status: Status) -> str:
    """What differs between a « paid » answer and the request, as a sentence; empty when all matches.

    A payment in test mode always differs: it is no money.
    """
    reasons = provider(attempt.provider).reasons
    if attempt.mode in (Mode.TEST, Mode.ACTIVATION) and attempt.product.mode == Mode.PRODUCTION:
        return reasons.test_of_open
    if attempt.mode == Mode.TEST:
        return reasons.test_money
    wrong = differences_of(attempt, status)
    return reasons.differs % {"what": ", ".join(wrong)} if wrong else ""


def _put_in_review(attempt: Attempt, status: Status, source: str, reason: str) -> None:
    if attempt.state in (S.STARTED, S.EXPIRED) and not another_is_live(attempt):
        move(attempt, S.REVIEW, source=source, reason=reason, raw=status.raw)
        audit.record(
            "attempt.held", actor=audit.TREASURY, obj=f"attempt:{attempt.uuid}", new={"reason": reason}
        )
    else:
        note(attempt, source=source, note=reason, raw=status.raw)
        if attempt.state != S.REVIEW:  # staff see an attempt in review already
            report(
                FindingKind.DIFFERS,
                about=str(attempt.uuid),
                attempt=attempt,
                details=evidence(attempt, status.raw),
            )


def _end(attempt: Attempt, to: AttemptState, status: Status, source: str, reason: str) -> None:
    if attempt.state == to or attempt.state not in (S.STARTED, S.EXPIRED):
        return
    move(attempt, to, source=source, reason=reason, raw=status.raw)


def _abandoned(attempt: Attempt, status: Status, source: str) -> None:
    """Apply « abandoned » only when the provider says it again later: the payer may be trying another card."""
    present, found = timezone.now(), provider(attempt.provider)
    if attempt.abandoned_seen_at is None:
        attempt.abandoned_seen_at = present
        note(attempt, source=source, note=found.reasons.abandoned_once, raw=status.raw)
    if present - attempt.abandoned_seen_at >= found.schedule.abandon_again:
        _end(attempt, S.ABANDONED, status, source, found.reasons.abandoned)
    elif attempt.state == S.STARTED:
        attempt.next_check_at = attempt.abandoned_seen_at + found.schedule.abandon_again
        attempt.free_at = min(attempt.free_at, attempt.next_check_at)


def _wait(attempt: Attempt, status: Status, source: str) -> None:
    """The result is not known yet. Expire the attempt, and so free the invoice, once its time is over."""
    found = provider(attempt.provider)
    if attempt.abandoned_seen_at is not None and attempt.state == S.STARTED:
        # The payer left the payment page and came back to it: the attempt has its two hours again.
        attempt.abandoned_seen_at = None
        attempt.free_at = (attempt.started_at or attempt.created_at) + found.schedule.reserved_for
    purged = status.outcome == Outcome.UNKNOWN and attempt.next_check_at is None
    if attempt.state == S.STARTED and (purged or timezone.now() >= attempt.free_at):
        move(attempt, S.EXPIRED, source=source, reason=found.reasons.out_of_time, raw=status.raw)
