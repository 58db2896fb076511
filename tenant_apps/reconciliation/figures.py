"""The figures of each day and the accountant's list, read from the ledger only.

For staff: the caller has checked the role.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tenant_apps.payments.models import LedgerLine, Means, Nature, Refund
from tenant_apps.reconciliation.models import TREASURY, StatementRow
from tenant_apps.reconciliation.states import StatementRowState
from toolkit.scope import Scope

# The words for one nature of ledger line, around its means.
_NAMES = {
    Nature.RECEIVED: "%(means)s",
    Nature.REFUNDED: gettext_noop("remboursement (%(means)s)"),
    Nature.CANCELLED: gettext_noop("annulation (%(means)s)"),
}


@dataclass(frozen=True)
class DayFigure:
    """One régie, one day, one means and one nature (received, refunded, cancelled).

    Euros, negative for money that left.
    """

    day: date
    product: str
    numcli: str
    nature: Nature
    means: str  # in words, with the nature when it is not a receipt
    count: int  # number of payments, or of refunds
    total: Decimal
    left_over: Decimal  # euros of the receipts that paid no invoice on that day


def day_figures(scope: Scope, first: date, last: date) -> list[DayFigure]:
    """The figures of each day from `first` to `last`, newest day first. A later act never changes a past day."""
    every = scope.of(LedgerLine.objects.filter(day__range=(first, last)), "payment__product")
    lines = every.exclude(nature=Nature.REALLOCATED)
    rows = (
        lines.order_by()
        .values(
            "day",
            "nature",
            means=Coalesce("refund__means", "payment__means"),
            product=F("payment__product__label"),
            numcli=F("payment__product__numcli"),
        )
        .annotate(
            count=Count("refund") + Count("payment", distinct=True, filter=Q(refund=None)),
            total=Sum("amount"),
            left_over=Sum("amount", filter=Q(invoice=None, nature=Nature.RECEIVED), default=Decimal("0.00")),
        )
    )
    figures = [
        DayFigure(
            day=row["day"],
            product=row["product"],
            numcli=row["numcli"],
            nature=Nature(row["nature"]),
            means=_(_NAMES[Nature(row["nature"])]) % {"means": _means(row["nature"], row["means"])},
            count=row["count"],
            total=row["total"],
            left_over=row["left_over"],
        )
        for row in rows
    ]
    order = list(Nature)
    return sorted(
        figures, key=lambda one: (-one.day.toordinal(), one.product, order.index(one.nature), one.means)
    )


def accountant_rows(scope: Scope, first: date, last: date) -> Iterator[tuple[Any, ...]]:
    """One tuple per ledger line, oldest day first. Their amounts add up to those of `day_figures`. Streamed."""
    listed = StatementRow.objects.filter(
        kind__in=TREASURY, state=StatementRowState.MATCHED, returned=False, payment=OuterRef("payment_id")
    )
    lines = (
        scope.of(LedgerLine.objects.filter(day__range=(first, last)), "payment__product")
        .annotate(listed=Exists(listed))
        .select_related(
            *("invoice__payer", "refund", "payment__payer", "payment__product", "payment__deposit"),
        )
        .order_by("day", "id")
    )
    for line in lines.iterator(chunk_size=500):
        yield _accountant_row(line)


def _accountant_row(line: Any) -> tuple[Any, ...]:
    payment, bill, refund = line.payment, line.invoice, line.refund
    who = bill.payer if bill else payment.payer
    means = refund.means if refund else payment.means
    reason = refund.reason if refund else payment.cancel_reason if line.nature == Nature.CANCELLED else ""
    return (
        f"{line.day:%d/%m/%Y}",
        payment.product.label,
        payment.product.numcli,
        line.get_nature_display(),
        bill.number if bill else _("Non affecté"),
        bill.reference if bill else "",
        who.full_name if who else "",
        _means(line.nature, means),
        line.amount,
        payment.number,
        payment.bank,
        payment.authorization,
        payment.deposit.label if payment.deposit else "",
        _("oui") if line.listed else _("non"),
        payment.uuid.hex[:10].upper(),
        reason,
    )


def accountant_titles() -> list[str]:
    """The titles of the columns of `accountant_rows`."""
    return [
        *(_("Date"), _("Régie"), _("Identifiant collectivité"), _("Nature"), _("Facture"), _("Référence")),
        *(_("Redevable"), _("Moyen"), _("Montant"), _("N° du chèque ou du virement"), _("Banque")),
        *(_("Autorisation"), _("Remise"), _("Dans le journal du Trésor"), _("N° du règlement"), _("Motif")),
    ]


def _means(nature: str, means: str) -> str:
    return str(Refund.By(means).label if nature == Nature.REFUNDED else Means(means).label)
