"""Deposits (bordereaux de remise): cheques, or cash, that go to the bank together."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Max, QuerySet, Sum
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.payments.books.locking import lock_payments
from tenant_apps.payments.errors import NotCorrectable
from tenant_apps.payments.models import Deposit, Means, Payment
from tenant_apps.products.models import Product
from tenant_apps.townhall.models import TownHall
from tenants.databases.postgresql.again import atomic_again
from toolkit.scope import Scope

DEPOSITED = (Means.CHEQUE, Means.CASH)
MEANS = {"cheques": Means.CHEQUE, "especes": Means.CASH}  # the words of the pages' addresses
MOST = 1000


@atomic_again
def close_deposit(
    *, actor: audit.Actor, means: Means, payments: Collection[uuid.UUID], deposited_on: date
) -> Deposit:
    """Make the deposit of these payments of one product. It has a number, a date and a total, and never changes.

    Raises NotCorrectable when a payment is cancelled, has other means or another product, or is in a deposit already.
    """
    if means not in DEPOSITED or not payments:
        raise NotCorrectable(_("Cochez au moins un règlement."))
    if len(payments) > MOST:
        raise NotCorrectable(_("Une remise compte 1 000 règlements au plus : faites-en plusieurs."))
    # One deposit at a time, so that the numbers have no gap.
    TownHall.objects.select_for_update(no_key=True).get(pk=1)
    locked = lock_payments(Payment.objects.filter(uuid__in=list(payments)))
    if len(locked) < len(set(payments)) or any(not _can_be_deposited(one, means) for one in locked):
        raise NotCorrectable(
            _("Un de ces règlements a été remis ou annulé entre-temps. La liste est à jour : recommencez.")
        )
    if len({one.product_id for one in locked}) > 1:
        raise NotCorrectable(_("Chaque régie a son propre compte en banque : faites une remise par régie."))
    year = deposited_on.year
    last = Deposit.objects.filter(year=year).aggregate(last=Max("number"))["last"] or 0
    deposit = Deposit.objects.create(
        product_id=locked[0].product_id,
        year=year,
        number=last + 1,
        means=means,
        deposited_on=deposited_on,
        total=sum((one.amount for one in locked), Decimal("0.00")),
        count=len(locked),
        closed_by=actor if isinstance(actor, str) else actor.audit_name,
    )
    Payment.objects.filter(pk__in=[one.pk for one in locked]).update(deposit=deposit)
    audit.record(
        "deposit.closed",
        actor=actor,
        obj=f"deposit:{deposit.uuid}",
        new={
            "number": deposit.label,
            "total": str(deposit.total),
            "count": deposit.count,
            "means": str(means),
            "product": deposit.product.code,
        },
    )
    return deposit


def _can_be_deposited(payment: Payment, means: Means) -> bool:
    return payment.deposit_id is None and payment.cancelled_at is None and payment.means == means


# --- For staff: the view has checked the role; the scope says of which régies ----------------------


def undeposited(scope: Scope, means: str, product: Product | None = None) -> QuerySet[Payment]:
    """Payments by cheque, or in cash, in no deposit yet, of all products of `scope` or of one; the oldest first."""
    waiting = scope.of(Payment.objects.filter(deposit=None, cancelled_at=None, means=means))
    if product is not None:
        waiting = waiting.filter(product=product)
    return waiting.select_related("payer").prefetch_related("allocations__invoice").order_by("pk")


@dataclass(frozen=True)
class Undeposited:
    """The money of one product and one means that is in no deposit yet, in euros."""

    product: Product
    means: str
    count: int
    total: Decimal

    @property
    def name(self) -> str:
        """The word for its means in addresses (MEANS)."""
        return next(name for name, means in MEANS.items() if means == self.means)


def undeposited_by_means(scope: Scope) -> list[Undeposited]:
    """The money that is in no deposit yet, by product and means. A partial index covers these payments."""
    waiting = scope.of(Payment.objects.filter(deposit=None, cancelled_at=None, means__in=DEPOSITED))
    rows = waiting.order_by().values("product", "means").annotate(count=Count("id"), total=Sum("amount"))
    products = Product.objects.in_bulk({row["product"] for row in rows})
    found = [Undeposited(products[row["product"]], row["means"], row["count"], row["total"]) for row in rows]
    return sorted(found, key=lambda one: (one.product.label, one.means))


def deposits(scope: Scope) -> QuerySet[Deposit]:
    """The deposits, newest first."""
    return scope.of(Deposit.objects.select_related("product")).order_by("-id")


def deposit(scope: Scope, public_id: uuid.UUID) -> Deposit:
    """One deposit. Raises Deposit.DoesNotExist."""
    return deposits(scope).get(uuid=public_id)


def payments_in(docket: Deposit) -> QuerySet[Payment]:
    """The payments of a deposit, in the order they were booked, with those that were cancelled since."""
    inside = Payment.objects.filter(deposit=docket).select_related("payer")
    return inside.prefetch_related("allocations__invoice").order_by("pk")
