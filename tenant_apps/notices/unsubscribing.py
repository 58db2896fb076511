"""« Ne plus recevoir ces messages »: what the link of a message does (shared_apps.mail.unsubscribing makes it)."""

from django.db import transaction

from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_notices
from shared_apps.audit import services as audit
from shared_apps.mail.unsubscribing import Refusal, read
from tenant_apps.residents.activation import refuse_at_address


@transaction.atomic
def unsubscribe(*, ticket: str) -> Refusal:
    """Refuse it, on the account of that address or, without one, at the address billing knows. Raises BadTicket.

    Twice changes nothing; nor does an address that nobody knows any more.
    """
    refusal = read(ticket)
    refused = [choice.name for choice in refusal.kinds]
    account = Account.objects.filter(email=refusal.email, activated_at__isnull=False).first()
    if account is not None:
        refuse_notices(actor=account, account=account, kinds=refused)
    else:
        refuse_at_address(actor=audit.SYSTEM, email=refusal.email, kinds=refused)
    return refusal
