"""« Ne plus recevoir ces messages »: act on the link of a message (shared_apps.mail.unsubscribing makes it)."""

from django.db import transaction

from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_notices
from shared_apps.audit import services as audit
from shared_apps.mail.unsubscribing import Refusal, read
from tenant_apps.residents.activation import refuse_at_address


@transaction.atomic
def unsubscribe(*, ticket: str) -> Refusal:
    """Refuse these messages, on the account of the address or, without account, where billing gave the address.

    A second call changes nothing, nor does an address that nobody has any more. Raises BadTicket.
    """
    refusal = read(ticket)
    refused = [choice.name for choice in refusal.kinds]
    account = Account.objects.filter(email=refusal.email, activated_at__isnull=False).first()
    if account is not None:
        refuse_notices(actor=account, account=account, kinds=refused)
    else:
        refuse_at_address(actor=audit.SYSTEM, email=refusal.email, kinds=refused)
    return refusal
