"""Made-up invoices for the examples of messages. Nothing of them is in the database."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.notices.words import Payabilities
from tenant_apps.payments.payability.deciding import decide
from tenant_apps.payments.payability.facts import Facts, Situation
from tenant_apps.products import protocols
from tenant_apps.products.models import Mode, ProductKind
from toolkit import clock


def made_up(*dues: tuple[int, str]) -> tuple[list[Invoice], Payabilities]:
    """An invoice for each (days until it is due, amount in euros), with their payabilities."""
    invoices = [_invoice(pk, days, Decimal(amount)) for pk, (days, amount) in enumerate(dues, 1)]
    return invoices, {
        invoice.pk: decide(_facts(invoice), day=clock.today(), reader=None) for invoice in invoices
    }


def _invoice(pk: int, days: int, amount: Decimal) -> Invoice:
    number = _("EXEMPLE%(n)03d") % {"n": pk}
    return Invoice(
        pk=pk,
        number=number,
        reference=number,
        subject=_("Cantine scolaire (exemple)"),
        issued_on=clock.today() - timedelta(days=30),
        due_on=clock.today() + timedelta(days=days),
        amount=amount,
        state=InvoiceState.PUBLISHED,
    )


def _facts(invoice: Invoice) -> Facts:
    shared = ("id", "uuid", "number", "reference", "subject", "issued_on", "due_on", "amount", "paid")
    of_the_product = {
        "kind": ProductKind.REGIE,
        "protocol": protocols.first(),
        "mode": Mode.PRODUCTION,
        "days_after_issue": 0,
        "is_closed": False,
        "is_ended": False,
    }
    known: dict[str, Any] = {name: getattr(invoice, name) for name in shared}
    nothing = dict.fromkeys(Facts._fields)
    return Facts(**{**nothing, **known, **of_the_product, "situation": Situation.DUE, "online_hold": ""})
