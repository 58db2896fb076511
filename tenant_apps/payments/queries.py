"""What may be paid online and why not, what staff must look at, and the readers that take a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.audit.models import Entry
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
    Trial,
)
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.reasons import Reason, WhyNot, Words, because
from tenant_apps.payments.states import AttemptState
from tenant_apps.townhall import references
from tenant_apps.townhall.models import Mode, Product, ProductKind, Protocol
from tenants import closing
from tenants.current import current_town
from toolkit import clock


@dataclass(frozen=True)
class OnlinePayment:
    """Can this invoice be paid online now? If not, `why` says it, to a program and to a person."""

    can: bool
    product: Product
    amount: Decimal  # what would be paid, in euros
    why: Reason | None = None
    busy_until: datetime | None = None
    attempt: Attempt | None = None  # the live one

    @property
    def reason(self) -> str:
        """A sentence for the resident; empty when nothing stands in the way."""
        return self.why.sentence if self.why else ""

    @property
    def code(self) -> str:
        return self.why.code if self.why else ""

    @property
    def words(self) -> Words | None:
        return self.why.words if self.why else None

    @property
    def protocol(self) -> str:
        return str(self.product.protocol)


def live_attempt(invoice: Invoice) -> Attempt | None:
    """The attempt that holds `invoice`; the database allows one (constraint one_live_attempt)."""
    return Attempt.objects.filter(parts__invoice=invoice, parts__live=True).first()


def another_is_live(attempt: Attempt) -> bool:
    """Whether one of its invoices is held by another attempt: then this one may not live again."""
    mine = AttemptInvoice.objects.filter(attempt=attempt).values("invoice_id")
    held = AttemptInvoice.objects.filter(live=True, invoice_id__in=mine)
    return held.exclude(attempt=attempt).exists()


def online_payment(invoice: Invoice, *, alone: bool = True) -> OnlinePayment:
    """Whether `invoice` can be paid online now, and why not (payfip.md §1).

    With others (`alone` false) the provider's limits are those of the sum, which the caller looks at.
    """
    product = invoice.product
    why = _why_not(invoice, product, clock.today(), alone=alone)
    if why:
        return OnlinePayment(False, product, invoice.balance, why)
    attempt = live_attempt(invoice)
    if attempt is None:
        return OnlinePayment(True, product, invoice.balance)
    return OnlinePayment(False, product, invoice.balance, busy(attempt), attempt.free_at, attempt)


def busy(attempt: Attempt) -> Reason:
    """Why nobody else can pay now, and until when, to the minute (M11)."""
    if attempt.state == AttemptState.REPORTED:
        return because(WhyNot.ANNOUNCED)
    if attempt.state == AttemptState.REVIEW:
        return because(WhyNot.EXAMINED)
    time = free_from(attempt)
    if not time:
        sentence = _("Un paiement de cette facture est en cours, et le Trésor public ne répond pas encore.")
        return Reason(WhyNot.BUSY, sentence)
    return because(WhyNot.BUSY, time=time)


def free_from(attempt: Attempt) -> str:
    """« 14:32 », rounded up: at the minute that is shown, another attempt may begin.

    Empty once it is past: the Treasury is silent, and nothing is freed before it has said what became of it.
    """
    if attempt.free_at <= timezone.now():
        return ""
    return f"{timezone.localtime(attempt.free_at + timedelta(seconds=59)):%H:%M}"


def last_day(invoice: Invoice) -> date | None:
    """The last day of online payment, or None when there is none."""
    days = invoice.product.payable_days_after_due
    limits = [invoice.online_until, invoice.due_on + timedelta(days=days) if days is not None else None]
    return min((limit for limit in limits if limit), default=None)


def first_day(invoice: Invoice) -> date:
    """The first day of online payment: for a titre, the Treasury must have taken it in charge."""
    return invoice.issued_on + timedelta(days=invoice.product.payable_days_after_issue)


def _why_not(invoice: Invoice, product: Product, today: date, *, alone: bool) -> Reason | None:
    """The first reason in the order of `WhyNot`."""
    last, first = last_day(invoice), first_day(invoice)
    if invoice.state == InvoiceState.CANCELLED:
        return because(WhyNot.CANCELLED)
    if invoice.is_paid:
        return because(WhyNot.PAID)
    if invoice.online_hold:
        return because(WhyNot(invoice.online_hold))
    if product.protocol == Protocol.NONE:
        return because(WhyNot.OFFLINE)
    if product.closed_at is not None:
        return because(WhyNot.CLOSED)
    if product.mode != Mode.PRODUCTION:
        return because(WhyNot.NOT_OPEN)
    if invoice.paid and product.kind != ProductKind.REGIE:
        return because(WhyNot.PARTLY_PAID)
    if alone and (beyond := beyond_limits(product, invoice.balance)):
        return beyond
    if closing.is_last_call(current_town()):
        return because(WhyNot.PORTAL_CLOSES)
    if today < first:
        return because(WhyNot.TOO_EARLY, day=clock.in_words(first))
    if last and today > last:
        return because(WhyNot.TOO_LATE, day=clock.in_words(last))
    if references.problem(product.kind, invoice.reference):
        return because(WhyNot.BAD_REFERENCE)
    return None


def beyond_limits(product: Product, amount: Decimal) -> Reason | None:
    """Why the provider does not take `amount` euros in one payment; None when it does."""
    limits = provider(product.protocol).capabilities.limits
    if amount < limits.smallest:
        return because(WhyNot.TOO_SMALL)
    return because(WhyNot.TOO_LARGE) if amount > limits.largest else None


def payments_of_invoice(invoice: Invoice) -> QuerySet[Payment]:
    """The money that pays `invoice`, newest first, cancelled payments left out."""
    return Payment.objects.filter(allocations__invoice=invoice, cancelled_at=None)


def days_paid(invoices: Iterable[int]) -> dict[int, date]:
    """The day of the latest money that pays each of `invoices` (their ids), which the caller may see."""
    ids = list(invoices)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.invoice_id, max(p.paid_on) FROM payments_allocation a JOIN payments_payment p "
            "ON p.id = a.payment_id WHERE p.cancelled_at IS NULL AND a.invoice_id = ANY(%s) GROUP BY 1",
            [ids],
        )
        return dict(cursor.fetchall())


def payments_of_resident(account: Account) -> QuerySet[Allocation]:
    """The money that paid invoices `account` may see, newest first, with its invoice; cancelled money left out."""
    return (
        Allocation.objects.filter(invoice__in=invoices_for_resident(account), payment__cancelled_at=None)
        .select_related("payment", "invoice")
        .order_by("-payment__paid_on", "-id")
    )


def payment_for_resident(account: Account, public_id: UUID) -> Payment:
    """Money received that pays at least one invoice `account` may see, with those allocations as `seen`.

    Raises Payment.DoesNotExist for an absent, a cancelled and a forbidden one alike.
    """
    mine = payments_of_resident(account).select_related("invoice__product", "invoice__payer")
    seen = Prefetch("allocations", queryset=mine, to_attr="seen")
    payments = Payment.objects.filter(pk__in=mine.values("payment_id")).select_related("attempt")
    return payments.prefetch_related(seen).get(uuid=public_id)


def attempts_for_resident(invoice: Invoice) -> QuerySet[Attempt]:
    """The tries to pay an invoice that the caller may see, but for those that ended in money, oldest first."""
    return Attempt.objects.filter(invoices=invoice).exclude(state=AttemptState.PAID).order_by("id")


def last_attempt(invoice: Invoice) -> Attempt | None:
    """The newest attempt on an invoice that the caller may see, for the page the payer comes back to."""
    return (
        Attempt.objects.filter(invoices=invoice).select_related("invoice", "product").order_by("-id").first()
    )


def payment_of_attempt(attempt: Attempt) -> Payment | None:
    """The money that an attempt brought, cancelled since or not."""
    return Payment.objects.filter(attempt=attempt).prefetch_related("allocations").first()


def was_refused_for_the_address(attempt: Attempt) -> bool:
    """The Treasury did not take the payer's e-mail address (A1, A2): another one would do."""
    return attempt.state == AttemptState.FAILED and attempt.events.filter(raw__code__startswith="A").exists()


# --- For staff: the door has checked the role -----------------------------------------------------

HELD = (AttemptState.REVIEW, AttemptState.REPORTED)  # a person of the town must look


def attempts_of_invoice(invoice: Invoice) -> QuerySet[Attempt]:
    """Every try to pay `invoice`, newest first, with its events and the money it brought (payfip.md §4.8)."""
    return (
        Attempt.objects.filter(invoices=invoice)
        .select_related("account", "payment")
        .prefetch_related("events", "parts__invoice")
        .order_by("-id")
    )


def money_about(invoice: Invoice) -> QuerySet[Payment]:
    """The money that pays `invoice`, and the money that came for it in excess; cancelled payments too."""
    about = Q(allocations__invoice=invoice) | Q(attempt__invoices=invoice)
    return Payment.objects.filter(about).prefetch_related("allocations__invoice").distinct().order_by("-id")


def attempt_for_staff(public_id: UUID) -> Attempt:
    """One attempt. Raises Attempt.DoesNotExist."""
    return Attempt.objects.select_related("invoice").get(uuid=public_id)


def held_attempts() -> QuerySet[Attempt]:
    """Attempts whose outcome a person of the town must confirm."""
    return Attempt.objects.filter(state__in=HELD)


def held_for_staff() -> QuerySet[Attempt]:
    """`held_attempts` with what the list of things to examine shows, the oldest first."""
    found = held_attempts().select_related("invoice__payer", "product")
    return found.annotate(others=Count("parts") - 1).order_by("id")


def open_findings() -> QuerySet[Finding]:
    """Evidence that nobody has closed, the newest first; a claim that the Treasury confirmed since is none."""
    return (
        Finding.objects.filter(closed_at=None)
        .exclude(kind=FindingKind.CLAIM, attempt__state=AttemptState.PAID)
        .select_related("attempt", "invoice", "product")
        .order_by("-last_at", "-id")
    )


def finding_for_staff(public_id: UUID) -> Finding:
    """One of them, closed or not. Raises Finding.DoesNotExist."""
    return Finding.objects.get(uuid=public_id)


def last_audit() -> Entry | None:
    """The fact of the last nightly audit: when, and how many differences."""
    return Entry.objects.filter(verb="money.audited").order_by("-id").first()


def trials_of(product: Product) -> QuerySet[Trial]:
    """The payments made to open `product`, newest first."""
    return Trial.objects.filter(product=product, numcli=product.numcli).order_by("-id")


def open_declarations() -> QuerySet[Declaration]:
    """« J'ai réglé », not answered yet, for invoices on which money is still awaited."""
    return Declaration.objects.filter(
        refused_at=None, invoice__state=InvoiceState.PUBLISHED, invoice__paid__lt=F("invoice__amount")
    )


def only_held(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of `invoices` with an attempt to examine."""
    return invoices.filter(attempt_parts__live=True, attempt_parts__attempt__state__in=HELD)


def only_declared(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of `invoices` whose resident says « J'ai réglé » and whose money is still awaited."""
    return invoices.filter(pk__in=open_declarations().values("invoice_id"))
