"""One credit on the account may be the sum of a régie's card payments of a day: one row, many payments."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.utils.translation import gettext as _

from tenant_apps.payments.models import Means, Payment
from tenant_apps.products.models import Product
from tenant_apps.products.queries import products
from tenant_apps.reconciliation.models import Kind, StatementRow, StatementRowPayment
from tenant_apps.reconciliation.states import StatementRowState
from toolkit import clock
from toolkit.scope import Scope

LATEST = timedelta(days=10)  # longest time between the payments and the credit of their sum
_MEANS = (Means.CARD, Means.DEBIT)


@dataclass(frozen=True)
class Total:
    """The payments of one day, one régie and one means, added up. `amount` in euros."""

    day: date
    product: Product
    means: str
    count: int
    amount: Decimal

    @property
    def key(self) -> str:
        """The value that a form sends for this total."""
        return f"{self.day.isoformat()}:{self.product.pk}:{self.means}"

    @property
    def words(self) -> str:
        """« 9 règlements par carte bancaire du 29/11/2026, Régie cantine (001964) »."""
        return _("%(n)s règlements par %(means)s du %(day)s, %(product)s (%(numcli)s)") % {
            "n": self.count,
            "means": Means(self.means).label,
            "day": clock.in_figures(self.day),
            "product": self.product.label,
            "numcli": self.product.numcli,
        }


def totals_of(
    scope: Scope, amounts: Collection[Decimal], first: date, last: date
) -> dict[Decimal, list[Total]]:
    """Amount → the totals of that amount. Only sums of several payments that no bank row has yet.

    `first` and `last` are the days of the rows; the payments may be `LATEST` older.
    """
    rows = (
        scope.of(_free())
        .filter(paid_on__range=(first - LATEST, last), means__in=_MEANS)
        .order_by()
        .values("paid_on", "product", "means")
        .annotate(n=Count("id"), total=Sum("amount"))
        .filter(total__in=list(amounts), n__gt=1)
    )
    found: defaultdict[Decimal, list[Total]] = defaultdict(list)
    groups = list(rows)
    known = {product.pk: product for product in products()} if groups else {}
    for row in groups:
        if row["product"] in known:
            total = Total(row["paid_on"], known[row["product"]], row["means"], row["n"], row["total"])
            found[row["total"]].append(total)
    return found


def chosen(row: StatementRow, totals: Sequence[Total]) -> list[Total]:
    """Those of `totals` that fit the row: the day is right, and the numcli when the label names one."""
    if row.booked_on is None:
        return []
    fit = [one for one in totals if one.day <= row.booked_on <= one.day + LATEST]
    named = [one for one in fit if one.product.numcli and one.product.numcli in row.label]
    return named or fit


def payments_of(day: date, product: Product, means: str) -> QuerySet[Payment]:
    """The payments of a total, in the order of their ids."""
    return _free().filter(paid_on=day, product=product.pk, means=means).order_by("pk")


def _free() -> QuerySet[Payment]:
    """Payments that came through the Treasury, are not cancelled, and are on no bank row yet."""
    bank = StatementRow.objects.filter(
        kind=Kind.BANK, state=StatementRowState.MATCHED, returned=False, payment=OuterRef("pk")
    )
    online = Payment.objects.filter(cancelled_at=None).exclude(provider="offline")
    return online.filter(~Exists(bank), ~Exists(StatementRowPayment.objects.filter(payment=OuterRef("pk"))))
