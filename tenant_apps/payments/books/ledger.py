"""The ledger: each act on money writes lines that say what it changed, in the same transaction.

A receipt has the day of the payment (`paid_on`), a refund the day it was given, and every other act the day it
was done. No line is ever changed: a new line of today corrects a wrong one (decision 53).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Allocation, LedgerLine, Nature, Payment, Refund
from tenant_apps.products.models import Product
from toolkit import clock
from toolkit.scope import Scope


def receipt(payment: Payment, shares: Iterable[Allocation]) -> list[LedgerLine]:
    """The unsaved lines of new money: one line per invoice that it pays, and one for what pays no invoice."""
    rest, lines = payment.amount, []
    for share in shares:
        if share.amount:
            rest -= share.amount
            lines.append(_line(payment, Nature.RECEIVED, payment.paid_on, share.amount, share.invoice))
    if rest:
        lines.append(_line(payment, Nature.RECEIVED, payment.paid_on, rest))
    return lines


def write_receipt(payment: Payment, shares: Sequence[Allocation]) -> None:
    """Save the lines of `receipt`."""
    LedgerLine.objects.bulk_create(receipt(payment, shares))


def write_reallocation(
    payment: Payment, amount: Decimal, *, actor: audit.Actor, left: Invoice | None, now_pays: Invoice | None
) -> None:
    """From today, `amount` euros of `payment` pay `now_pays` instead of `left`; None stands for no invoice."""
    LedgerLine.objects.bulk_create(
        [
            _line(payment, Nature.REALLOCATED, clock.today(), -amount, left, actor=actor),
            _line(payment, Nature.REALLOCATED, clock.today(), amount, now_pays, actor=actor),
        ]
    )


def write_refund(refund: Refund, *, actor: audit.Actor) -> None:
    """Save the line of a refund, on the day `refund.refunded_on`."""
    line = _line(refund.payment, Nature.REFUNDED, refund.refunded_on, -refund.amount, actor=actor)
    line.refund = refund
    line.save()


def write_cancellation(payment: Payment, shares: Iterable[Allocation], *, actor: audit.Actor) -> None:
    """Save the lines of a cancelled payment: today they take back all that it paid, and what was left of it."""
    parts: list[tuple[Decimal, Invoice | None]] = [(share.amount, share.invoice) for share in shares]
    parts.append((payment.unallocated, None))
    LedgerLine.objects.bulk_create(
        [
            _line(payment, Nature.CANCELLED, clock.today(), -amount, invoice, actor=actor)
            for amount, invoice in parts
            if amount
        ]
    )


def received_on(scope: Scope, day: date) -> Decimal:
    """The euros of `scope` received on `day` by all means, less what was cancelled or given back on that same day."""
    taken_back = Q(nature=Nature.CANCELLED, payment__paid_on=day)
    lines = LedgerLine.objects.filter(Q(nature=Nature.RECEIVED) | taken_back, day=day)
    found = scope.of(lines, "payment__product")
    return Decimal(found.aggregate(total=Sum("amount", default=Decimal("0.00")))["total"])


def only_product(invoices: Iterable[Invoice]) -> Product:
    """The product of all `invoices`: one payment goes to one bank account. Raises NotPayable if they have several."""
    products = {invoice.product_id: invoice.product for invoice in invoices}
    if len(products) != 1:
        labels = ", ".join(sorted(product.full_label for product in products.values()))
        raise NotPayable(
            _(
                "Ces factures sont de plusieurs régies (%(labels)s), qui ont chacune leur compte : enregistrez un "
                "encaissement par régie."
            )
            % {"labels": labels}
        )
    return next(iter(products.values()))


def _line(
    payment: Payment,
    nature: Nature,
    day: date,
    amount: Decimal,
    invoice: Invoice | None = None,
    *,
    actor: audit.Actor | None = None,
) -> LedgerLine:
    by = payment.recorded_by if actor is None else actor
    return LedgerLine(
        payment=payment if payment.pk else None,
        invoice=invoice,
        nature=nature,
        day=day,
        amount=amount,
        recorded_by=by if isinstance(by, str) else by.audit_name,
    )
