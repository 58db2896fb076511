"""The nightly audit: it adds up the rows again and compares the sums with the columns that triggers keep.

It is planned for the next night when money may move, and again while we still ask about an attempt. A town where
nothing moves is not audited and costs nothing.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from shared_apps.audit import services as audit
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.models import Attempt, Finding, FindingKind, Payment
from tenants import facts
from tenants.current import current_town, registry
from tenants.work import agenda
from toolkit.clock import PARIS

log = logging.getLogger(__name__)
KIND = "money-audit"
# Facts of the trail where a person moves money. For online payments, the start of an attempt and a notification
# plan the audit.
MOVES = (
    *("payment.booked", "payment.cancelled", "payment.allocated", "payment.refunded"),
    *("attempt.confirmed", "invoice.cancelled", "invoice.credited"),
)
START, SPREAD = time(3, 30), 90  # in Paris, after the change of summer time; minutes between towns

# What allocations and refunds use of each payment.
_SPENT = """
    SELECT payment_id, MIN(invoice_id) AS invoice_id, SUM(amount) AS total FROM (
        SELECT payment_id, invoice_id, amount FROM payments_allocation
        UNION ALL SELECT payment_id, NULL, amount FROM payments_refund
    ) part GROUP BY payment_id"""
# For each kind, a query that returns: uuid of the object, invoice, attempt, expected amount, amount found
_CHECKS: dict[FindingKind, str] = {
    FindingKind.PAID_DIFFERS: """
        SELECT i.uuid::text, i.id, NULL::bigint, COALESCE(s.total, 0), i.paid
        FROM invoices_invoice i LEFT JOIN (
            SELECT a.invoice_id, SUM(a.amount) AS total FROM payments_allocation a
            JOIN payments_payment p ON p.id = a.payment_id WHERE p.cancelled_at IS NULL GROUP BY a.invoice_id
        ) s ON s.invoice_id = i.id WHERE i.paid <> COALESCE(s.total, 0)""",
    FindingKind.OVERSPENT: f"""
        SELECT p.uuid::text, s.invoice_id, p.attempt_id, p.amount, s.total
        FROM payments_payment p JOIN ({_SPENT}) s ON s.payment_id = p.id WHERE s.total > p.amount""",  # noqa: S608
    FindingKind.LEFT_OVER_DIFFERS: f"""
        SELECT p.uuid::text, s.invoice_id, p.attempt_id, p.amount - COALESCE(s.total, 0), p.unallocated
        FROM payments_payment p LEFT JOIN ({_SPENT}) s ON s.payment_id = p.id
        WHERE COALESCE(s.total, 0) <= p.amount AND p.unallocated <> p.amount - COALESCE(s.total, 0)""",  # noqa: S608
    FindingKind.LEDGER_DIFFERS: """
        SELECT p.uuid::text, NULL::bigint, p.attempt_id,
               CASE WHEN p.cancelled_at IS NULL THEN p.amount - COALESCE(r.total, 0) ELSE 0 END, COALESCE(l.total, 0)
        FROM payments_payment p
        LEFT JOIN (SELECT payment_id, SUM(amount) AS total FROM payments_refund GROUP BY payment_id) r
               ON r.payment_id = p.id
        LEFT JOIN (SELECT payment_id, SUM(amount) AS total FROM payments_ledgerline GROUP BY payment_id) l
               ON l.payment_id = p.id
        WHERE COALESCE(l.total, 0) <> CASE WHEN p.cancelled_at IS NULL THEN p.amount - COALESCE(r.total, 0) ELSE 0 END
        UNION ALL
        SELECT i.uuid::text, i.id, NULL, COALESCE(a.total, 0), COALESCE(l.total, 0)
        FROM invoices_invoice i LEFT JOIN (
            SELECT invoice_id, SUM(amount) AS total FROM payments_ledgerline
            WHERE invoice_id IS NOT NULL GROUP BY invoice_id
        ) l ON l.invoice_id = i.id LEFT JOIN (
            SELECT s.invoice_id, SUM(s.amount) AS total FROM payments_allocation s
            JOIN payments_payment p ON p.id = s.payment_id WHERE p.cancelled_at IS NULL GROUP BY s.invoice_id
        ) a ON a.invoice_id = i.id WHERE COALESCE(a.total, 0) <> COALESCE(l.total, 0)""",
    FindingKind.NO_PAYMENT: """
        SELECT t.uuid::text, t.invoice_id, t.id, t.amount, 0
        FROM payments_attempt t LEFT JOIN payments_payment p ON p.attempt_id = t.id
        WHERE t.state = 'paid' AND p.id IS NULL""",
    FindingKind.NO_ATTEMPT: """
        SELECT p.uuid::text, t.invoice_id, t.id, 0, p.amount
        FROM payments_payment p JOIN payments_attempt t ON t.id = p.attempt_id WHERE t.state <> 'paid'""",
    FindingKind.AMOUNT_DIFFERS: """
        SELECT p.uuid::text, t.invoice_id, t.id, t.amount, p.amount
        FROM payments_payment p JOIN payments_attempt t ON t.id = p.attempt_id WHERE t.amount <> p.amount""",
    FindingKind.PARTS_DIFFER: """
        SELECT t.uuid::text, t.invoice_id, t.id, t.amount, COALESCE(SUM(s.amount), 0)
        FROM payments_attempt t LEFT JOIN payments_attemptinvoice s ON s.attempt_id = t.id
        GROUP BY t.id HAVING t.amount <> COALESCE(SUM(s.amount), 0)""",
    FindingKind.TEST_MONEY: """
        SELECT p.uuid::text, t.invoice_id, t.id, 0, p.amount
        FROM payments_payment p JOIN payments_attempt t ON t.id = p.attempt_id
        WHERE t.mode = 'T' AND p.cancelled_at IS NULL""",
}


@dataclass(frozen=True)
class Difference:
    """One amount that is not what it should be, in euros."""

    kind: FindingKind
    about: str  # uuid of the invoice, payment or attempt
    invoice: int | None
    attempt: int | None
    expected: Decimal
    found: Decimal


def plan_audit() -> None:
    """Plan the audit of the current town for the next night, because money may move."""
    agenda.plan(KIND, _next_night(timezone.now()))


def money_moved(entry: AuditEntry) -> None:
    """Plan the audit when a fact of `MOVES` is recorded."""
    plan_audit()


def next_audit(began: datetime) -> datetime | None:
    """When to audit again: the next night if money may still move or has moved since `began`, else None."""
    moved = Q(recorded_at__gte=began) | Q(cancelled_at__gte=began)
    if Attempt.objects.filter(next_check_at__isnull=False).exists() or Payment.objects.filter(moved).exists():
        return _next_night(timezone.now())
    return None


def _next_night(now: datetime) -> datetime:
    local = now.astimezone(PARIS)
    night = datetime.combine(local.date(), START, PARIS) + timedelta(minutes=current_town().pk % SPREAD)
    return night if night > local else night + timedelta(days=1)


def differences() -> list[Difference]:
    """The differences in the current town, which one statement reads at one moment."""
    every = " UNION ALL ".join(f"SELECT '{kind}', x.* FROM ({query}) x" for kind, query in _CHECKS.items())  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(every)
        return [Difference(FindingKind(kind), *row) for kind, *row in cursor.fetchall()]


def audit_money() -> list[Difference]:
    """Keep each difference as a finding, close the findings that no longer apply, and inform the operator.

    Call it outside of a transaction. A second run only raises the number of times that a difference was seen.
    """
    found = differences()
    with transaction.atomic():
        keys = {
            report(
                difference.kind,
                about=difference.about,
                attempt=Attempt.objects.filter(pk=difference.attempt or 0).first(),
                invoice=Invoice.objects.filter(pk=difference.invoice or 0).first(),
                details={"expected": str(difference.expected), "found": str(difference.found)},
            ).key
            for difference in found
        }
        gone = Finding.objects.filter(kind__in=list(_CHECKS), closed_at=None).exclude(key__in=keys)
        gone.update(closed_at=timezone.now(), closed_by=audit.SYSTEM)
        audit.record("money.audited", actor=audit.SYSTEM, new={"differences": len(found)})
    if found:
        log.error("money does not add up: %d differences", len(found))
        _tell_the_operator(found)
    return found


def _tell_the_operator(found: list[Difference]) -> None:
    """Record in the platform's trail the number of differences of each kind, without personal data."""
    town = current_town()
    kinds = {str(kind): sum(one.kind == kind for one in found) for kind in _CHECKS}
    with registry(), transaction.atomic():
        facts.record(
            "town.money_differs",
            town=town,
            actor=facts.SYSTEM,
            new={kind: number for kind, number in kinds.items() if number},
        )
