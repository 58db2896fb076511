"""Money received at the counter: cash, cheque, transfer. It takes the same tables as what the Treasury reports."""

import uuid
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Allocation, Means, Payment

OFFLINE = (Means.CASH, Means.CHEQUE, Means.TRANSFER)


@transaction.atomic
def book_counter_payment(
    *,
    actor: audit.Actor,
    invoice: Invoice,
    means: Means,
    amount: Decimal,
    paid_on: date,
    key: uuid.UUID | None = None,
) -> Payment:
    """Book `amount` euros for `invoice`. `key`, given by the form, makes a second click change nothing.

    What goes beyond the balance stays unallocated and is shown. Raises NotPayable for means that only the
    Treasury reports, or an amount that is not above zero.
    """
    if means not in OFFLINE or amount <= 0:
        raise NotPayable(_("Indiquez un montant et un moyen de paiement : espèces, chèque ou virement."))
    locked = Invoice.objects.select_for_update().get(pk=invoice.pk)
    payment, created = Payment.objects.get_or_create(
        provider="offline",
        provider_reference=str(key or uuid.uuid4()),
        defaults={
            "means": means,
            "amount": amount,
            "paid_on": paid_on,
            "recorded_by": actor if isinstance(actor, str) else actor.audit_name,
        },
    )
    if not created:
        return payment
    part = min(amount, locked.balance)
    if part > 0:
        Allocation.objects.create(payment=payment, invoice=locked, amount=part)
    audit.record(
        "payment.booked",
        actor=actor,
        obj=f"payment:{payment.uuid}",
        new={"invoice": str(locked.uuid), "amount": str(amount), "means": str(means)},
    )
    return payment
