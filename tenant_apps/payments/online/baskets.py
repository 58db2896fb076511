"""Baskets: whether several invoices of a product can be paid in one payment (docs/payfip.md §1, decision 0029)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, AttemptInvoice
from tenant_apps.payments.payability.deciding import Act, Payability, beyond_limits
from tenant_apps.payments.payability.reading import payabilities_of
from tenant_apps.payments.payability.reasons import Reason
from tenant_apps.payments.providers.registry import capabilities_of, labels_of
from tenant_apps.payments.providers.words import Labels
from tenant_apps.products.models import Product, ProductKind

MOST = 20  # invoices in one payment, which reserves all of them until it ends


class BasketItem(NamedTuple):
    """An invoice of a basket, and its payability for the reader."""

    invoice: Invoice
    payability: Payability

    @property
    def why(self) -> Reason | None:
        """Why the invoice cannot be paid now; None when it can."""
        return self.payability.why


@dataclass(frozen=True)
class Basket:
    """Invoices of one product to pay at once; `amount` in euros. One that cannot be paid stops the whole basket."""

    product: Product
    items: tuple[BasketItem, ...]
    amount: Decimal
    problem: str  # why it cannot be paid, with the number of the invoice; empty when it can

    @property
    def can(self) -> bool:
        return not self.problem

    @property
    def words(self) -> Labels:
        """The words of the provider of this product."""
        return labels_of(self.product.protocol)

    @property
    def opens_popup(self) -> bool:
        """Whether the provider's page opens in another window."""
        found = capabilities_of(self.product.protocol)
        return found is not None and found.opens_popup


def by_product(invoices: Iterable[Invoice], *, reader: Account | None = None) -> list[Basket]:
    """The baskets of `invoices` (each with its product): one per product, because each needs its own payment."""
    groups: dict[int, list[Invoice]] = {}
    for invoice in invoices:
        groups.setdefault(invoice.product_id, []).append(invoice)
    alone = payabilities_of([group[0] for group in groups.values() if len(group) == 1], reader=reader)
    several = [one for group in groups.values() if len(group) > 1 for one in group]
    known = {**alone, **payabilities_of(several, reader=reader, alone=False)}
    return [_basket([BasketItem(one, known[one.pk]) for one in group]) for group in groups.values()]


def _basket(items: Sequence[BasketItem]) -> Basket:
    product, amount = items[0].invoice.product, sum((one.invoice.balance for one in items), Decimal("0.00"))
    fine = len(items) == 1 and not items[0].why
    return Basket(product, tuple(items), amount, "" if fine else _problem(product, items, amount))


def takes_several(product: Product) -> bool:
    """Whether residents may pay several invoices of `product` in one payment."""
    return product.takes_several and product.kind == ProductKind.REGIE


def offered_together(payabilities: Iterable[Payability]) -> set[int]:
    """The ids of the invoices that the resident may tick: at least two of one product that can be paid together.

    `payabilities` were read with `alone` false.
    """
    products: dict[int, set[int]] = {}
    for one in payabilities:
        facts = one.facts
        if one.act == Act.PAY and facts.takes_several and facts.kind == ProductKind.REGIE:
            products.setdefault(facts.product_id, set()).add(facts.id)
    return {pk for group in products.values() if len(group) > 1 for pk in group}


def paid_by(attempt: Attempt) -> list[AttemptInvoice]:
    """The parts of `attempt`, in the order of the invoices' ids. The caller checks who may read them."""
    return list(
        AttemptInvoice.objects.filter(attempt=attempt).select_related("invoice").order_by("invoice_id")
    )


def _problem(product: Product, items: Sequence[BasketItem], amount: Decimal) -> str:
    if len(items) > 1 and not takes_several(product):
        return _("« %(label)s » se règle facture par facture.") % {"label": product.label}
    if len(items) > MOST:
        return _("Réglez au plus %(most)s factures à la fois.") % {"most": MOST}
    for item in items:
        if item.why:
            return of_the_set(item.invoice, item.why.sentence)
    beyond = beyond_limits(product.protocol, amount)
    return beyond.sentence if beyond else ""


def of_the_set(invoice: Invoice, sentence: str) -> str:
    """`sentence`, with the number of the invoice that it is about."""
    return _("Facture n° %(number)s : %(sentence)s") % {"number": invoice.number, "sentence": sentence}
