"""What lines must hear of the rooms below."""

from django.db.models import Q

from shared_apps.audit.models import AuditEntry
from tenant_apps.reconciliation.models import StatementRow
from tenant_apps.reconciliation.states import StatementRowState
from tenants.work import agenda


def payment_cancelled(entry: AuditEntry) -> None:
    """Its money is still on the account or in the journal, and pays nothing any more: its lines wait again.

    The worker does it (`taken_back.lose_payment`): lines are locked before payments, and here the payment is held.
    """
    uuid = entry.object.removeprefix("payment:")
    about = Q(payment__uuid=uuid) | Q(parts__payment__uuid=uuid)
    if StatementRow.objects.filter(about, state=StatementRowState.MATCHED, returned=False).exists():
        agenda.wake("statements")
