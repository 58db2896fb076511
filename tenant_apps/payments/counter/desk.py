"""What staff read at the counter. The view has checked the role; the scope says of which régies."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.corrections.payments import payers_of
from tenant_apps.payments.counter.search import WORDS, matching, payments_matching
from tenant_apps.payments.models import Allocation, Means, Payment
from tenant_apps.residents.models import Payer
from toolkit.scope import Scope

Which = Literal["", "to_deposit", "cancelled"]
MOST_LINES = 50  # invoices in one payment of the counter


def payments_for_staff(
    scope: Scope, *, words: str = "", means: str = "", which: Which = ""
) -> QuerySet[Payment]:
    """The payments of `scope`, newest first. Each of `words` must match its payer, drawer, number or invoice."""
    every = Payment.objects.select_related("payer", "deposit").prefetch_related("allocations__invoice")
    found = scope.of(every)
    if means:
        found = found.filter(means=means)
    if which == "to_deposit":
        found = found.filter(deposit=None, cancelled_at=None, means__in=[Means.CHEQUE, Means.CASH])
    elif which == "cancelled":
        found = found.filter(cancelled_at__isnull=False)
    each = Q()
    for word in words.split()[:WORDS]:
        of_invoice = Allocation.objects.filter(invoice__number__icontains=word).values("payment_id")
        each &= (
            Q(payer__last_name__icontains=word)
            | Q(payer__first_name__icontains=word)
            | Q(drawer__icontains=word)
            | Q(number__icontains=word)
            | Q(authorization__iexact=word)
            | Q(pk__in=of_invoice)
            | payments_matching(word)
        )
    return found.filter(each | payments_matching(words) if " " in words.strip() else each).order_by("-id")


def payment_for_staff(scope: Scope, public_id: UUID) -> Payment:
    """One payment with its payer, deposit, attempt, allocations and refunds. Raises Payment.DoesNotExist."""
    return (
        scope.of(Payment.objects.all())
        .select_related("payer", "deposit", "attempt__invoice__product", "attempt__account")
        .prefetch_related("allocations__invoice__payer", "allocations__invoice__product", "refunds")
        .get(uuid=public_id)
    )


def money_left_over(scope: Scope) -> QuerySet[Payment]:
    """Payments with money that pays no invoice and was not given back, newest first."""
    left = scope.of(Payment.objects.filter(unallocated__gt=0, cancelled_at=None))
    return left.select_related("payer").order_by("-id")


def left_over_figures(scope: Scope) -> tuple[int, Decimal]:
    """(number of payments with money left over, its sum in euros). A partial index covers them."""
    found = money_left_over(scope).order_by().aggregate(number=Count("id"), total=Sum("unallocated"))
    return found["number"], found["total"] or Decimal("0.00")


@dataclass(frozen=True)
class Person:
    """A payer and their invoices among those found. `told` distinguishes two payers of the same name."""

    payer: Payer
    invoices: list[Invoice]

    @property
    def told(self) -> str:
        """The address and the code of the payer: « 12 rue des Lilas, 47000 Agen · code 00123 »."""
        street = ", ".join(filter(None, [*self.payer.address.split("\n"), self.place]))
        code = _("code %(code)s") % {"code": self.payer.reference}
        return " · ".join(filter(None, [street, code]))

    @property
    def place(self) -> str:
        """« 47000 Agen »."""
        return " ".join(filter(None, [self.payer.postcode, self.payer.city]))


def by_person(invoices: Sequence[Invoice]) -> list[Person]:
    """`invoices` (with their payer) grouped by payer, in the order of the names."""
    people: dict[int, Person] = {}
    for invoice in invoices:
        people.setdefault(invoice.payer_id, Person(invoice.payer, [])).invoices.append(invoice)
    return sorted(people.values(), key=lambda one: (one.payer.last_name, one.payer.first_name, one.payer.pk))


def open_invoices(scope: Scope, *, words: str, without: Collection[Invoice] = ()) -> QuerySet[Invoice]:
    """Unpaid published invoices that match `words`, except `without`, the next one due first."""
    awaiting = Invoice.objects.filter(state=InvoiceState.PUBLISHED, paid__lt=F("amount"))
    found = matching(scope.of(awaiting).select_related("payer", "product"), words)
    return found.exclude(pk__in=[invoice.pk for invoice in without]).order_by("due_on", "id")


def chosen_invoices(scope: Scope, public_ids: Collection[UUID]) -> list[Invoice]:
    """The unpaid published invoices among `public_ids`, at most MOST_LINES, in the order they were chosen."""
    wanted = list(dict.fromkeys(public_ids))[:MOST_LINES]
    rows = Invoice.objects.filter(uuid__in=wanted, state=InvoiceState.PUBLISHED, paid__lt=F("amount"))
    found = {invoice.uuid: invoice for invoice in scope.of(rows).select_related("payer", "product")}
    return [found[one] for one in wanted if one in found]


def other_invoices(payment: Payment) -> QuerySet[Invoice]:
    """Unpaid invoices of the same payers and product, which the money left of `payment` may pay."""
    return Invoice.objects.filter(
        payer__in=payers_of(payment),
        product=payment.product_id,
        state=InvoiceState.PUBLISHED,
        paid__lt=F("amount"),
    ).order_by("due_on", "id")


def same_cheque(scope: Scope, *, bank: str, number: str) -> Payment | None:
    """A payment of `scope` booked already with that bank and cheque number, and not cancelled; None without one."""
    same = Payment.objects.filter(means=Means.CHEQUE, number=number, bank__iexact=bank, cancelled_at=None)
    return scope.of(same).order_by("-id").first() if number else None


def credits_of(invoice: Invoice) -> QuerySet[Credit]:
    """The credits (avoirs) of an invoice that the caller may see, the oldest first."""
    return Credit.objects.filter(invoice=invoice).order_by("id")


def booked_under(scope: Scope, key: UUID) -> Payment | None:
    """What the counter booked under the key of its form: the same page, sent again."""
    return scope.of(Payment.objects.filter(provider="offline", provider_reference=str(key))).first()
