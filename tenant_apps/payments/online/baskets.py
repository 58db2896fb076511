"""Several invoices of a régie in one payment: can they be paid together? (docs/payfip.md §1, decision 0029)"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, AttemptInvoice
from tenant_apps.payments.standing.deciding import Act, Standing, beyond_limits
from tenant_apps.payments.standing.reading import standings_of
from tenant_apps.payments.standing.reasons import Reason
from tenant_apps.products.models import Product, ProductKind

MOST = 20  # invoices in one payment: they all hold one another until it ends


class Bill(NamedTuple):
    """An invoice of the set, and what it is to who asks."""

    invoice: Invoice
    standing: Standing

    @property
    def why(self) -> Reason | None:
        """Why it cannot be paid now, if it cannot."""
        return self.standing.why


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


def by_product(invoices: Iterable[Invoice], *, reader: Account | None = None) -> list[Together]:
    """What becomes of `invoices` (each with its product) if they are paid at once: a payment for each product."""
    groups: dict[int, list[Invoice]] = {}
    for invoice in invoices:
        groups.setdefault(invoice.product_id, []).append(invoice)
    alone = standings_of([group[0] for group in groups.values() if len(group) == 1], reader=reader)
    several = [one for group in groups.values() if len(group) > 1 for one in group]
    known = {**alone, **standings_of(several, reader=reader, alone=False)}
    return [_together([Bill(one, known[one.pk]) for one in group]) for group in groups.values()]


def _together(bills: Sequence[Bill]) -> Together:
    product, amount = bills[0].invoice.product, sum((one.invoice.balance for one in bills), Decimal("0.00"))
    fine = len(bills) == 1 and not bills[0].why
    return Together(product, tuple(bills), amount, "" if fine else _problem(product, bills, amount))


def takes_several(product: Product) -> bool:
    """Whether residents may pay several invoices of `product` at once."""
    return product.takes_several and product.kind == ProductKind.REGIE


def offered_together(standings: Iterable[Standing]) -> set[int]:
    """The ids of those of `standings` (read with others) that may be ticked: at least two of one product."""
    products: dict[int, set[int]] = {}
    for one in standings:
        facts = one.facts
        if one.act == Act.PAY and facts.takes_several and facts.kind == ProductKind.REGIE:
            products.setdefault(facts.product_id, set()).add(facts.id)
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
    for bill in bills:
        if bill.why:
            return of_the_set(bill.invoice, bill.why.sentence)
    beyond = beyond_limits(product.protocol, amount)
    return beyond.sentence if beyond else ""


def of_the_set(invoice: Invoice, sentence: str) -> str:
    """`sentence` about one invoice of several, which it names."""
    return _("Facture n° %(number)s : %(sentence)s") % {"number": invoice.number, "sentence": sentence}
