"""Who is known to billing, and what an account may see."""

from django.db.models import QuerySet

from shared_apps.accounts.models import Account
from tenant_apps.residents.models import Access, Payer, PayerEmail
from toolkit import emails


def payers_of(account: Account) -> QuerySet[Payer]:
    """The payers whose invoices `account` may see."""
    return Payer.objects.filter(accesses__account=account, accesses__ended_at=None).order_by("reference")


def payer_ids_of(account: Account) -> QuerySet[Access, int]:
    """The same as ids, for use inside another query."""
    return Access.objects.filter(account=account, ended_at=None).values_list("payer_id", flat=True)


def is_known_to_billing(email: str) -> bool:
    """True when billing gave this address for at least one payer (M2)."""
    return PayerEmail.objects.filter(email=emails.normalise(email)).exists()
