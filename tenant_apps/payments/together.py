"""Several invoices of a régie in one payment: whether they go together, and why not (payfip.md §1, decision 0029)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, AttemptInvoice
from tenant_apps.payments.queries import beyond_limits, online_payment
from tenant_apps.payments.reasons import Reason
from tenant_apps.townhall.models import Mode, Product, ProductKind

MOST = 20  # invoices in one payment: they all hold one another until it ends


class Bill(NamedTuple):
    """An invoice of the set, and why it cannot be paid now, if it cannot."""

    invoice: Invoice
    why: Reason | None


@dataclass(frozen=True)
class Together:
    """Invoices of one product, paid at once; `amount` in euros. All or nothing: one that cannot be paid stops all."""

    product: Product
    bills: tuple[Bill, ...]
    amount: Decimal
    problem: str  # in words, which name the invoice; empty when nothing stands in the way

    @property
    def can(self) -> bool:
        return not self.problem


def together(invoices: Sequence[Invoice]) -> Together:
    """What becomes of `invoices` (at least one, of one product, each with its own) if they are paid at once."""
    product, single = invoices[0].product, len(invoices) == 1
    bills = tuple(Bill(one, online_payment(one, alone=single).why) for one in invoices)
    amount = sum((one.balance for one in invoices), Decimal("0.00"))
    return Together(
        product, bills, amount, "" if single and not bills[0].why else _problem(product, bills, amount)
    )


def by_product(invoices: Iterable[Invoice]) -> list[Together]:
    """The same for invoices of several products: a payment each, as the Treasury wants it."""
    groups: dict[int, list[Invoice]] = {}
    for invoice in invoices:
        groups.setdefault(invoice.product_id, []).append(invoice)
    return [together(group) for group in groups.values()]


def takes_several(product: Product) -> bool:
    """Whether residents may pay several invoices of `product` at once."""
    return product.takes_several and product.kind == ProductKind.REGIE


def offered_together(ids: Collection[int]) -> set[int]:
    """Those of `ids` (invoices that the caller may see) that a resident may tick: at least two of an open product."""
    found = Invoice.objects.filter(
        pk__in=ids,
        online_hold="",
        product__takes_several=True,
        product__kind=ProductKind.REGIE,
        product__mode=Mode.PRODUCTION,
        product__closed_at=None,
    ).exclude(product__protocol="none")
    products: dict[int, set[int]] = {}
    for pk, product in found.values_list("pk", "product_id"):
        products.setdefault(product, set()).add(pk)
    return {pk for group in products.values() if len(group) > 1 for pk in group}


def paid_by(attempt: Attempt) -> list[AttemptInvoice]:
    """What `attempt` pays of each invoice, by their ids. The caller says who may read it."""
    return list(
        AttemptInvoice.objects.filter(attempt=attempt).select_related("invoice").order_by("invoice_id")
    )


def _problem(product: Product, bills: Sequence[Bill], amount: Decimal) -> str:
    if len(bills) > 1 and not takes_several(product):
        return _("« %(label)s » se règle facture par facture.") % {"label": product.label}
    if len(bills) > MOST:
        return _("Réglez au plus %(most)s factures à la fois.") % {"most": MOST}
    for invoice, why in bills:
        if why:
            return of_the_set(invoice, why.sentence)
    beyond = beyond_limits(product, amount)
    return beyond.sentence if beyond else ""


def of_the_set(invoice: Invoice, sentence: str) -> str:
    """`sentence` about one invoice of several, which it names."""
    return _("Facture n° %(number)s : %(sentence)s") % {"number": invoice.number, "sentence": sentence}
