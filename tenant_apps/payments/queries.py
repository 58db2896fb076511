"""Readers of attempts and payments: those that take a resident, and those for staff."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Max, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoices_for_resident
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import (
    Allocation,
    Attempt,
    AttemptInvoice,
    Declaration,
    Finding,
    FindingKind,
    Payment,
    TestPayment,
)
from tenant_apps.payments.states import AttemptState
from tenant_apps.products.models import Product
from toolkit.scope import EVERYTHING, Scope


def live_attempt(invoice: Invoice) -> Attempt | None:
    """The live attempt that reserves `invoice`. The database allows only one (constraint one_live_attempt)."""
    return Attempt.objects.filter(parts__invoice=invoice, parts__live=True).first()


def another_is_live(attempt: Attempt) -> bool:
    """Whether another live attempt reserves one of its invoices. `attempt` may not become live again then."""
    mine = AttemptInvoice.objects.filter(attempt=attempt).values("invoice_id")
    live = AttemptInvoice.objects.filter(live=True, invoice_id__in=mine)
    return live.exclude(attempt=attempt).exists()


def payments_of_resident(account: Account) -> QuerySet[Allocation]:
    """The allocations to invoices that `account` may see, newest first, without cancelled payments."""
    return (
        Allocation.objects.filter(invoice__in=invoices_for_resident(account), payment__cancelled_at=None)
        .select_related("payment", "invoice")
        .order_by("-payment__paid_on", "-id")
    )


def payment_for_resident(account: Account, public_id: UUID) -> Payment:
    """A payment that pays at least one invoice that `account` may see; its `seen` are those allocations.

    Raises Payment.DoesNotExist if it does not exist, is cancelled, or `account` may not see it.
    """
    mine = payments_of_resident(account).select_related("invoice__product", "invoice__payer")
    seen = Prefetch("allocations", queryset=mine, to_attr="seen")
    payments = Payment.objects.filter(pk__in=mine.values("payment_id")).select_related("attempt")
    return payments.prefetch_related(seen).get(uuid=public_id)


def attempts_for_resident(invoice: Invoice) -> QuerySet[Attempt]:
    """The attempts to pay an invoice that the caller may see, without the paid ones, oldest first."""
    return Attempt.objects.filter(invoices=invoice).exclude(state=AttemptState.PAID).order_by("id")


def last_attempt(invoice: Invoice) -> Attempt | None:
    """The newest attempt on an invoice that the caller may see, for the page that the payer returns to."""
    return (
        Attempt.objects.filter(invoices=invoice).select_related("invoice", "product").order_by("-id").first()
    )


def payment_of_attempt(attempt: Attempt) -> Payment | None:
    """The payment of an attempt, even if it was cancelled since; None without one."""
    return Payment.objects.filter(attempt=attempt).prefetch_related("allocations").first()


def was_refused_for_the_address(attempt: Attempt) -> bool:
    """Whether the provider refused the payer's e-mail address, so that another address may work."""
    return attempt.state == AttemptState.FAILED and attempt.events.filter(raw__error="EmailRefused").exists()


# --- For staff: the view has checked the role; the scope says of which régies ----------------------

IN_REVIEW = (AttemptState.REVIEW, AttemptState.REPORTED)  # staff must decide


def attempts_of_invoice(invoice: Invoice) -> QuerySet[Attempt]:
    """Every attempt to pay `invoice`, newest first, with its events and its payment (docs/payfip.md §4)."""
    return (
        Attempt.objects.filter(invoices=invoice)
        .select_related("account", "payment")
        .prefetch_related("events", "parts__invoice")
        .order_by("-id")
    )


def money_about(invoice: Invoice) -> QuerySet[Payment]:
    """The payments that pay `invoice` and those received for it in excess, cancelled ones included."""
    about = Q(allocations__invoice=invoice) | Q(attempt__invoices=invoice)
    return Payment.objects.filter(about).prefetch_related("allocations__invoice").distinct().order_by("-id")


def attempt_for_staff(scope: Scope, public_id: UUID) -> Attempt:
    """One attempt. Raises Attempt.DoesNotExist."""
    return scope.of(Attempt.objects.select_related("invoice")).get(uuid=public_id)


def attempts_in_review(scope: Scope) -> QuerySet[Attempt]:
    """The attempts that staff must confirm or refuse."""
    return scope.of(Attempt.objects.filter(state__in=IN_REVIEW))


def in_review_for_staff(scope: Scope) -> QuerySet[Attempt]:
    """`attempts_in_review` with the rows that the list of staff shows, the oldest first."""
    found = attempts_in_review(scope).select_related("invoice__payer", "product")
    return found.annotate(others=Count("parts") - 1).order_by("id")


def _findings(scope: Scope) -> QuerySet[Finding]:
    """The findings about a product, or about an invoice or an attempt of it; one about none is of the whole town."""
    if scope.is_whole:
        return Finding.objects.all()
    of = Coalesce("product", "invoice__product", "attempt__product")
    return scope.of(Finding.objects.alias(of=of), "of")


def open_findings(scope: Scope) -> QuerySet[Finding]:
    """The findings that nobody has closed, newest first, without claims that the provider confirmed since."""
    return (
        _findings(scope)
        .filter(closed_at=None)
        .exclude(kind=FindingKind.CLAIM, attempt__state=AttemptState.PAID)
        .select_related("attempt", "invoice", "product")
        .order_by("-last_at", "-id")
    )


def finding_for_staff(scope: Scope, public_id: UUID) -> Finding:
    """One finding, closed or not. Raises Finding.DoesNotExist."""
    return _findings(scope).get(uuid=public_id)


def last_audit(scope: Scope) -> AuditEntry | None:
    """The entry of the trail of the last nightly audit: its time and its number of differences.

    It is about the whole town: None for who works for some régies.
    """
    if not scope.is_whole:
        return None
    return AuditEntry.objects.filter(verb="money.audited").order_by("-id").first()


class ProductFigures(NamedTuple):
    """What hangs on a product: invoices online, those with something left to pay, the day of the latest payment."""

    invoices: int = 0
    unpaid: int = 0
    last_paid_on: date | None = None


def figures_by_product() -> dict[int, ProductFigures]:
    """By the product's id, in two statements; a product without an invoice is absent."""
    published = Invoice.objects.filter(state=InvoiceState.PUBLISHED).order_by().values("product")
    counted = published.annotate(n=Count("id"), unpaid=Count("id", filter=Q(paid__lt=F("amount"))))
    received = Payment.objects.filter(cancelled_at=None).order_by().values("product")
    latest = dict(received.annotate(day=Max("paid_on")).values_list("product", "day"))
    return {
        row["product"]: ProductFigures(row["n"], row["unpaid"], latest.get(row["product"])) for row in counted
    }


def test_payments_of(product: Product) -> QuerySet[TestPayment]:
    """The test payments of `product` with its present number, newest first."""
    return TestPayment.objects.filter(product=product, merchant=product.numcli).order_by("-id")


def open_declarations(scope: Scope) -> QuerySet[Declaration]:
    """The declarations « J'ai réglé » that staff have not answered, for invoices that are still unpaid."""
    waiting = Declaration.objects.filter(
        refused_at=None, invoice__state=InvoiceState.PUBLISHED, invoice__paid__lt=F("invoice__amount")
    )
    return scope.of(waiting, "invoice__product")


def only_in_review(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of `invoices` with an attempt that staff must decide."""
    return invoices.filter(attempt_parts__live=True, attempt_parts__attempt__state__in=IN_REVIEW)


def only_declared(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of `invoices` that a resident declared paid and that are still unpaid."""
    return invoices.filter(pk__in=open_declarations(EVERYTHING).values("invoice_id"))
