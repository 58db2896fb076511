"""What this room does when a fact of a lower room is recorded."""

from django.db.models import Q

from shared_apps.audit.models import AuditEntry
from tenant_apps.reconciliation.models import StatementRow
from tenant_apps.reconciliation.states import StatementRowState
from tenants.work import agenda


def payment_cancelled(entry: AuditEntry) -> None:
    """A payment was cancelled, and its money is still in the file: wake the worker, the rows must wait again.

    The worker does it (`taken_back.lose_payment`), because rows are locked before payments and the caller holds the
    payment.
    """
    uuid = entry.object.removeprefix("payment:")
    about = Q(payment__uuid=uuid) | Q(parts__payment__uuid=uuid)
    if StatementRow.objects.filter(about, state=StatementRowState.MATCHED, returned=False).exists():
        agenda.wake("statements")
