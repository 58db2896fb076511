"""Bordereaux de remise: cheques or cash that go to the bank together."""

import uuid
from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.payments.errors import NotCorrectable
from tenant_apps.payments.locking import lock_payments
from tenant_apps.payments.models import Deposit, Means, Payment
from tenant_apps.townhall.models import TownHall
from tenants.postgresql.again import atomic_again

DEPOSITED = (Means.CHEQUE, Means.CASH)
MOST = 1000


@atomic_again
def close_deposit(
    *, actor: audit.Actor, means: Means, payments: Collection[uuid.UUID], deposited_on: date
) -> Deposit:
    """Close a docket of these payments: numbered, dated, totalled, and never changed.

    Raises NotCorrectable when one of them is cancelled, of another kind, or lies in a docket already.
    """
    if means not in DEPOSITED or not payments:
        raise NotCorrectable(_("Cochez au moins un règlement."))
    if len(payments) > MOST:
        raise NotCorrectable(_("Une remise compte 1 000 règlements au plus : faites-en plusieurs."))
    TownHall.objects.select_for_update(no_key=True).get(pk=1)  # the numbers follow one another without a gap
    locked = lock_payments(Payment.objects.filter(uuid__in=list(payments)))
    if len(locked) < len(set(payments)) or any(not _can_be_deposited(one, means) for one in locked):
        raise NotCorrectable(
            _("Un de ces règlements a été remis ou annulé entre-temps. La liste est à jour : recommencez.")
        )
    year = deposited_on.year
    last = Deposit.objects.filter(year=year).aggregate(last=Max("number"))["last"] or 0
    deposit = Deposit.objects.create(
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
        },
    )
    return deposit


def _can_be_deposited(payment: Payment, means: Means) -> bool:
    return payment.deposit_id is None and payment.cancelled_at is None and payment.means == means


# --- For staff: the door has checked the role -----------------------------------------------------


def undeposited(means: str) -> QuerySet[Payment]:
    """Cheques, or cash, that wait for a docket; the oldest first."""
    waiting = Payment.objects.filter(deposit=None, cancelled_at=None, means=means)
    return waiting.select_related("payer").prefetch_related("allocations__invoice").order_by("pk")


def deposits() -> QuerySet[Deposit]:
    """The dockets, newest first."""
    return Deposit.objects.order_by("-id")


def deposit(public_id: uuid.UUID) -> Deposit:
    """One docket. Raises Deposit.DoesNotExist."""
    return Deposit.objects.get(uuid=public_id)


def payments_in(docket: Deposit) -> QuerySet[Payment]:
    """What lies in a docket, in the order of booking; payments cancelled since are still in it."""
    inside = Payment.objects.filter(deposit=docket).select_related("payer")
    return inside.prefetch_related("allocations__invoice").order_by("pk")
