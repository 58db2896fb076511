"""What may be paid online and why not, and the readers that take a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoices_for_resident
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Allocation, Attempt, Declaration, Payment
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.townhall.models import Mode, Product, ProductKind, Protocol
from tenants import closing
from tenants.current import current_town
from toolkit import clock

SMALLEST = Decimal("1.00")  # PayFiP's limits, in euros (payfip.md §2)
LARGEST = Decimal("99999.99")


@dataclass(frozen=True)
class OnlinePayment:
    """Can this invoice be paid online now? If not, `reason` is a sentence for the resident."""

    can: bool
    reason: str
    product: Product
    amount: Decimal  # what would be paid, in euros
    busy_until: datetime | None = None
    attempt: Attempt | None = None  # the live one

    @property
    def protocol(self) -> str:
        return str(self.product.protocol)


def live_attempt(invoice: Invoice) -> Attempt | None:
    """The attempt that holds `invoice`; the database allows one (constraint one_live_attempt)."""
    return Attempt.objects.filter(invoice=invoice, state__in=LIVE).first()


def online_payment(invoice: Invoice) -> OnlinePayment:
    """Whether `invoice` can be paid online now, and the stored reason when it cannot (payfip.md §1)."""
    product = invoice.product
    reason = _reason(invoice, product, clock.today())
    if reason:
        return OnlinePayment(False, reason, product, invoice.balance)
    attempt = live_attempt(invoice)
    if attempt is None:
        return OnlinePayment(True, "", product, invoice.balance)
    return OnlinePayment(False, busy_sentence(attempt), product, invoice.balance, attempt.free_at, attempt)


def busy_sentence(attempt: Attempt) -> str:
    """Why nobody else can pay now, and until when (M11)."""
    if attempt.state == "reported":
        return _("Un paiement de cette facture est annoncé : le Trésor public doit encore le confirmer.")
    if attempt.state == "review":
        return _("Un paiement de cette facture est en cours d'examen par le service de facturation.")
    until = timezone.localtime(attempt.free_at)
    return _("Un paiement de cette facture est en cours. Vous pourrez recommencer à partir de %(time)s.") % {
        "time": f"{until:%H:%M}"
    }


def last_day(invoice: Invoice) -> date | None:
    """The last day of online payment, or None when there is none."""
    days = invoice.product.payable_days_after_due
    limits = [invoice.online_until, invoice.due_on + timedelta(days=days) if days is not None else None]
    return min((limit for limit in limits if limit), default=None)


def _reason(invoice: Invoice, product: Product, today: date) -> str:
    limit = last_day(invoice)
    if invoice.state == InvoiceState.CANCELLED:
        return _("Cette facture a été annulée.")
    if invoice.is_paid:
        return _("Cette facture est réglée.")
    if product.protocol == Protocol.NONE:
        return _(
            "Cette facture ne se règle pas en ligne. Les autres moyens de paiement figurent sur la facture."
        )
    if product.mode != Mode.PRODUCTION:
        return _("Le paiement en ligne n'est pas encore ouvert pour ce service.")
    if invoice.paid and product.kind != ProductKind.REGIE:
        return _("Une partie de cette facture est réglée : le solde se règle auprès du Trésor public.")
    if invoice.balance < SMALLEST:
        return _("Le paiement en ligne commence à 1 €.")
    if invoice.balance > LARGEST:
        return _("Ce montant dépasse la limite du paiement en ligne.")
    if closing.is_last_call(current_town()):
        return _(
            "Ce portail ferme : le paiement en ligne est arrêté. Suivez ce que dit la facture elle-même."
        )
    if limit and today > limit:
        return _("La date limite du paiement en ligne est passée. Adressez-vous au service de facturation.")
    return ""


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
    return Attempt.objects.filter(invoice=invoice).exclude(state=AttemptState.PAID).order_by("id")


def last_attempt(invoice: Invoice) -> Attempt | None:
    """The newest attempt on an invoice that the caller may see, for the page the payer comes back to."""
    return (
        Attempt.objects.filter(invoice=invoice).select_related("invoice", "product").order_by("-id").first()
    )


# --- For staff: the door has checked the role -----------------------------------------------------

HELD = (AttemptState.REVIEW, AttemptState.REPORTED)  # a person of the town must look


def attempts_of_invoice(invoice: Invoice) -> QuerySet[Attempt]:
    """Every try to pay `invoice`, newest first, with its events and the money it brought (payfip.md §4.8)."""
    return (
        Attempt.objects.filter(invoice=invoice)
        .select_related("account", "payment")
        .prefetch_related("events")
        .order_by("-id")
    )


def money_about(invoice: Invoice) -> QuerySet[Payment]:
    """The money that pays `invoice`, and the money that came for it in excess; cancelled payments too."""
    about = Q(allocations__invoice=invoice) | Q(attempt__invoice=invoice)
    return Payment.objects.filter(about).prefetch_related("allocations__invoice").distinct().order_by("-id")


def attempt_for_staff(public_id: UUID) -> Attempt:
    """One attempt. Raises Attempt.DoesNotExist."""
    return Attempt.objects.select_related("invoice").get(uuid=public_id)


def held_attempts() -> QuerySet[Attempt]:
    """Attempts whose outcome a person of the town must confirm."""
    return Attempt.objects.filter(state__in=HELD)


def open_declarations() -> QuerySet[Declaration]:
    """« J'ai réglé », for invoices on which money is still awaited."""
    return Declaration.objects.filter(
        invoice__state=InvoiceState.PUBLISHED, invoice__paid__lt=F("invoice__amount")
    )


def only_held(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of `invoices` with an attempt to examine."""
    return invoices.filter(pk__in=held_attempts().values("invoice_id"))


def only_declared(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of `invoices` whose resident says « J'ai réglé » and whose money is still awaited."""
    return invoices.filter(pk__in=open_declarations().values("invoice_id"))
