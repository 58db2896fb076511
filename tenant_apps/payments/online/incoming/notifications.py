"""What is reported at the callback host, or brought back by the payer's browser (docs/payfip.md §2-§3).

Only a provider's own proof is applied. Anything else is a reason to ask it, now, or a report when it cannot be asked.
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
    """A call of the provider `kind` about an operation, or a token, of the current town."""
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
    """Something else says that `attempt` was paid: it is looked at now, if its provider can be asked."""
    found = provider(attempt.provider)
    if attempt.operation and found.capabilities.can_be_asked:
        _ask_now(found, attempt.operation, None)


def _settle(found: Provider, token: str, status: Status) -> None:
    """The provider signed it: it is worth what a look-up is worth, and takes the same road."""
    attempt = Attempt.objects.filter(**key_of(found, token)).only("pk").first()
    if attempt is not None:
        settle(attempt_id=attempt.pk, status=status, source="notification")
    else:
        read_test_payment_report(found=found, token=token, status=status)


@atomic_again
def _ask_now(found: Provider, token: str, reported: ReportedStatus | None) -> None:
    """A notification: the attempt is looked at now. One that rings after the end changes nothing."""
    key = key_of(found, token)
    attempt = Attempt.objects.filter(**key).first() if reported else None
    # First: it takes the invoices, which come before the attempt.
    if attempt is not None and reported is not None:
        keep_claim(attempt, reported.status, source="notification")
    unpaid = Attempt.objects.filter(**key).exclude(state=AttemptState.PAID)
    if not unpaid.update(next_check_at=timezone.now()):
        check_test_payment_soon(found, token)
    agenda.wake("payments")
    plan_audit()  # the attempt may be of last month


def receive_return(*, invoice: Invoice, fields: Mapping[str, str]) -> None:
    """The payer's browser came back and may say a result. It is never proof; the caller has asked already."""
    attempt = last_attempt(invoice)
    reported = provider(attempt.provider).read_notification(fields) if attempt is not None else None
    if attempt is not None and reported is not None and reported.status.raw:
        keep_claim(attempt, reported.status, source="return")


@atomic_again
def keep_claim(attempt: Attempt, said: Status, *, source: str) -> None:
    """Somebody told us a result instead of letting us ask: kept as evidence, shown to staff, never applied."""
    if not said.raw:
        return
    attempt = lock_attempt(attempt.pk).attempt  # somebody may be settling it at this moment
    if said.outcome.is_paid and attempt.state == AttemptState.PAID:
        return
    if attempt.events.count() < ENOUGH:
        note(attempt, source=source, note=_("Un résultat a été affirmé : non appliqué."), raw=said.raw)
    if said.outcome.is_paid:
        details = evidence(attempt, said.raw)
        report(FindingKind.CLAIM, about=str(attempt.uuid), attempt=attempt, details=details)
