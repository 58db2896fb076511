"""Book money received at the counter: cash, cheque, transfer. It uses the same tables as online payments."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.locking import lock_invoices
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.books import ledger
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Allocation, Means, Payment
from tenants.databases.postgresql.again import atomic_again
from toolkit import clock
from toolkit.money import format_euros

CASH_LIMIT = Decimal("300.00")  # euros; article 1680 of the code général des impôts
JOURNAL = "journal"
OFFLINE = (Means.CASH, Means.CHEQUE, Means.TRANSFER)


@dataclass(frozen=True)
class CounterRow:
    """One row of a payment at the counter: an amount in euros for one invoice."""

    invoice: Invoice
    amount: Decimal


@dataclass(frozen=True)
class PaymentDetails:
    """What is written on a cheque; of a transfer, only its reference in `number` and the payer in `drawer`."""

    bank: str = ""
    number: str = ""
    drawer: str = ""


@atomic_again
def book_payment(
    *,
    actor: audit.Actor,
    lines: Sequence[CounterRow],
    means: Means,
    paid_on: date,
    received: Decimal | None = None,
    details: PaymentDetails | None = None,
    key: uuid.UUID | None = None,
    provider: str = "offline",
) -> tuple[Payment, bool]:
    """Book one payment for invoices of one product, of one or several payers. Returns (payment, is it new).

    `received` (euros) may be more than the sum of the lines. What is left over, or is more than the balance of an
    invoice, stays unallocated and is shown. `key` comes from the form: with the same key, a second click changes
    nothing. With `provider` JOURNAL, the accountant's journal reports money that did not come through us.
    Raises NotPayable for means that only a provider reports, no line, a future day, an amount that is not positive
    or less than the lines, invoices of two products, or cash above CASH_LIMIT.
    """
    total = sum((line.amount for line in lines), Decimal("0.00"))
    amount = total if received is None else received
    if (
        means not in (OFFLINE if provider == "offline" else Means)
        or not lines
        or amount <= 0
        or amount < total
    ):
        raise NotPayable(_("Indiquez un montant et un moyen de paiement : espèces, chèque ou virement."))
    if paid_on > clock.today():
        raise NotPayable(_("Cette date est à venir : vérifiez-la."))
    if any(line.amount <= 0 for line in lines) or len({line.invoice.pk for line in lines}) < len(lines):
        raise NotPayable(_("Chaque facture figure une fois, avec un montant supérieur à zéro."))
    if means == Means.CASH and provider == "offline" and amount > CASH_LIMIT:
        raise NotPayable(cash_limit_sentence())
    product = ledger.only_product(line.invoice for line in lines)
    locked = {invoice.pk: invoice for invoice in lock_invoices(line.invoice.pk for line in lines)}
    payment, created = Payment.objects.get_or_create(
        provider=provider,
        provider_reference=str(key or uuid.uuid4()),
        defaults={
            "product": product,
            "means": means,
            "amount": amount,
            "paid_on": paid_on,
            "payer_id": locked[lines[0].invoice.pk].payer_id,
            "bank": details.bank if details else "",
            "number": details.number if details else "",
            "drawer": details.drawer if details else "",
            "recorded_by": actor if isinstance(actor, str) else actor.audit_name,
        },
    )
    if not created:
        return payment, False
    shares = []
    for line in lines:
        invoice = locked[line.invoice.pk]
        part = min(line.amount, invoice.balance)
        if part > 0:
            shares.append(Allocation.objects.create(payment=payment, invoice=invoice, amount=part))
    ledger.write_receipt(payment, shares)
    parts = {str(share.invoice.uuid): str(share.amount) for share in shares}
    audit.record(
        "payment.booked",
        actor=actor,
        obj=f"payment:{payment.uuid}",
        new={"amount": str(amount), "means": str(means), "paid_on": paid_on.isoformat(), "invoices": parts},
    )
    return payment, True


def cash_limit_sentence() -> str:
    """The sentence that refuses cash above CASH_LIMIT."""
    sentence = _(
        "Au-delà de %(limit)s, un règlement en espèces ne peut pas être accepté (article 1680 du code général des "
        "impôts) : proposez un chèque, un virement ou le paiement en ligne."
    )
    return sentence % {"limit": format_euros(CASH_LIMIT)}


def book_counter_payment(
    *,
    actor: audit.Actor,
    invoice: Invoice,
    means: Means,
    amount: Decimal,
    paid_on: date,
    key: uuid.UUID | None = None,
) -> Payment:
    """`book_payment` of `amount` euros for a single invoice."""
    line = CounterRow(invoice, amount)
    return book_payment(actor=actor, lines=[line], means=means, paid_on=paid_on, key=key)[0]
