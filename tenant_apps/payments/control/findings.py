"""Findings for staff: kept, counted when they repeat, and closed by a person or by the audit."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Finding, FindingKind
from tenant_apps.products.models import Product
from tenants.databases.postgresql.again import atomic_again


@atomic_again
def report(
    kind: FindingKind,
    *,
    about: str,
    attempt: Attempt | None = None,
    invoice: Invoice | None = None,
    product: Product | None = None,
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """Record that something is wrong. The same `kind` and `about` (an id) count on one row.

    A finding that staff closed is opened again. `details` contain JSON values only, no operation and no token.
    """
    invoice = invoice or (attempt.invoice if attempt else None)
    values = {"details": dict(details or {}), "last_at": timezone.now()}
    finding, created = Finding.objects.get_or_create(
        key=f"{kind}:{about}",
        defaults={"kind": kind, "attempt": attempt, "invoice": invoice, "product": product, **values},
    )
    if not created:
        Finding.objects.filter(pk=finding.pk).update(
            times=F("times") + 1, closed_at=None, closed_by="", answer="", **values
        )
        finding.refresh_from_db()
    if created:
        audit.record(
            "money.finding", actor=audit.SYSTEM, obj=f"finding:{finding.uuid}", new={"kind": str(kind)}
        )
    return finding


@atomic_again
def close_finding(*, actor: Account, finding: Finding, answer: str) -> Finding:
    """« Classer »: close a finding with what staff found. Closing it again changes nothing."""
    locked = Finding.objects.select_for_update(no_key=True).get(pk=finding.pk)
    if locked.closed_at is None:
        locked.closed_at, locked.closed_by = timezone.now(), actor.audit_name
        locked.answer = answer.strip()[:300]
        locked.save(update_fields=["closed_at", "closed_by", "answer"])
        audit.record(
            "finding.closed", actor=actor, obj=f"finding:{locked.uuid}", new={"answer": locked.answer}
        )
    return locked
