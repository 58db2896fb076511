"""What lines must hear of the rooms below."""

from django.db.models import Q

from shared_apps.audit.models import Entry
from tenant_apps.reconciliation.models import Line
from tenant_apps.reconciliation.states import LineState
from tenants.work import agenda


def payment_cancelled(entry: Entry) -> None:
    """Its money is still on the account or in the journal, and pays nothing any more: its lines wait again.

    The worker does it (`taken_back.lose_payment`): lines are locked before payments, and here the payment is held.
    """
    uuid = entry.object.removeprefix("payment:")
    about = Q(payment__uuid=uuid) | Q(parts__payment__uuid=uuid)
    if Line.objects.filter(about, state=LineState.MATCHED, returned=False).exists():
        agenda.wake("statements")
