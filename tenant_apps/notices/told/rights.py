"""Which payers an address may be told about, now."""

from collections import defaultdict
from collections.abc import Collection

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.residents.models import Access, PayerEmail, RemovedEmail


def item_of(invoice: Invoice) -> str:
    """How a planned notice names an invoice, also after it was read again from its file."""
    return f"{invoice.product_id}/{invoice.fiscal_year}/{invoice.number}"


def payers_of(addresses: Collection[str]) -> dict[int, set[str]]:
    """Payer id → which of these addresses may be told about it. Two SQL statements."""
    payers: defaultdict[int, set[str]] = defaultdict(set)
    accounts = Access.objects.filter(account__email__in=addresses, ended_at=None)
    for payer, email in accounts.values_list("payer_id", "account__email"):
        payers[payer].add(email)
    for payer, email in PayerEmail.objects.filter(email__in=addresses).values_list("payer_id", "email"):
        payers[payer].add(email)
    return payers


def everybody_of(payer_id: int) -> set[str]:
    """All who are or were told about a payer."""
    known = PayerEmail.objects.filter(payer_id=payer_id).values_list("email", flat=True)
    gone = RemovedEmail.objects.filter(payer_id=payer_id).values_list("email", flat=True)
    accounts = Account.objects.filter(accesses__payer_id=payer_id).values_list("email", flat=True)
    return {*known, *gone, *accounts}
