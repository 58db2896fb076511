"""Notifications to the callback host, and what the payer's browser brings back (docs/payfip.md §2-§3).

Only what the provider signed is applied. For anything else we ask the provider at once; if it cannot be asked, we
treat it as an unsigned report.
"""

from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.books.locking import lock_attempt
from tenant_apps.payments.control.auditing import plan_audit
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.models import Attempt, FindingKind
from tenant_apps.payments.online.asking import key_of
from tenant_apps.payments.online.going_live import check_test_payment_soon, read_test_payment_report
from tenant_apps.payments.online.incoming.reports import ENOUGH, read_report
from tenant_apps.payments.online.moves import evidence, note
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.providers.base import Provider, ReportedStatus, Status
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.queries import last_attempt
from tenant_apps.payments.states import AttemptState
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda


def receive(kind: str, token: str, fields: Mapping[str, str]) -> None:
    """Treat a call of the provider `kind` about `token`, an operation or one-use token of the current town."""
    found = provider(kind)
    reported = found.read_notification(fields, token=token)
    if reported is not None and reported.is_proof:
        _settle(found, token, reported.status)
    elif found.capabilities.can_be_asked:
        _ask_now(found, token, reported)
    elif reported is not None and not read_test_payment_report(
        found=found, token=token, status=reported.status
    ):
        read_report(found=found, token=token, status=reported.status)


def ask_soon(attempt: Attempt) -> None:
    """Ask about `attempt` at once, if its provider can be asked: another source says that it was paid."""
    found = provider(attempt.provider)
    if attempt.operation and found.capabilities.can_be_asked:
        _ask_now(found, attempt.operation, None)


def _settle(found: Provider, token: str, status: Status) -> None:
    """Apply a signed answer with `settle`, as the answer of a look-up."""
    attempt = Attempt.objects.filter(**key_of(found, token)).only("pk").first()
    if attempt is not None:
        settle(attempt_id=attempt.pk, status=status, source="notification")
    else:
        read_test_payment_report(found=found, token=token, status=status)


@atomic_again
def _ask_now(found: Provider, token: str, reported: ReportedStatus | None) -> None:
    """Make the attempt, or the test payment, due at once. A paid attempt does not change."""
    key = key_of(found, token)
    attempt = Attempt.objects.filter(**key).first() if reported else None
    # This comes first, because it locks the invoices before the attempt.
    if attempt is not None and reported is not None:
        keep_claim(attempt, reported.status, source="notification")
    unpaid = Attempt.objects.filter(**key).exclude(state=AttemptState.PAID)
    if not unpaid.update(next_check_at=timezone.now()):
        check_test_payment_soon(found, token)
    agenda.wake("payments")
    plan_audit()  # the attempt may be of last month


def receive_return(*, invoice: Invoice, fields: Mapping[str, str]) -> None:
    """Keep the result that the payer's browser brings back. It proves nothing; the caller has asked already."""
    attempt = last_attempt(invoice)
    reported = provider(attempt.provider).read_notification(fields) if attempt is not None else None
    if attempt is not None and reported is not None and reported.status.raw:
        keep_claim(attempt, reported.status, source="return")


@atomic_again
def keep_claim(attempt: Attempt, said: Status, *, source: str) -> None:
    """Keep a result that somebody claims as evidence, and show a claimed payment to staff. Never apply it."""
    if not said.raw:
        return
    attempt = lock_attempt(attempt.pk).attempt  # `settle` may be changing it now
    if said.outcome.is_paid and attempt.state == AttemptState.PAID:
        return
    if attempt.events.count() < ENOUGH:
        note(attempt, source=source, note=_("Un résultat a été affirmé : non appliqué."), raw=said.raw)
    if said.outcome.is_paid:
        details = evidence(attempt, said.raw)
        report(FindingKind.CLAIM, about=str(attempt.uuid), attempt=attempt, details=details)
