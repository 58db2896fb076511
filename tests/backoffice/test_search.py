"""Whatever reference a screen, a paper or a message has shown, typed into a search box, finds the invoice."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared_apps.accounts.models import Account
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.counter.search import invoices_for_staff
from tenant_apps.payments.models import Means, Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.payments.online import paying
from tenant_apps.products.models import Product
from tests.backoffice.conftest import text
from tests.payments.conftest import Simulator, simulator
from toolkit import clock
from toolkit.scope import EVERYTHING

__all__ = ["simulator"]


@pytest.fixture
def invoice(town: Any, make_payer: Any, make_invoice: Callable[..., Invoice]) -> Invoice:
    payer = make_payer()
    make_invoice(payer, number="2014-RS-00-8001516", reference="2014RS008001516")
    return make_invoice(payer, number="2015-RS-00-8001517", reference="REF77008001517")


@pytest.mark.parametrize(
    "typed",
    [
        "2015-RS-00-8001517", "2015RS008001517", "2015 RS 00 8001517", "2015RS 008001517", "8001517",
        "REF77008001517", "ref77008001517", "REF 7700 8001517", "REF-77-00-8001517", "REF7700/8001517",
    ],
)  # fmt: skip
def test_an_invoice_by_its_number_and_by_its_reference(
    browsers: SimpleNamespace, invoice: Invoice, typed: str
) -> None:
    for path in ("/gestion/factures/", "/gestion/recherche/", "/gestion/encaissements/nouveau/"):
        page = text(browsers.cashier.get(path, {"q": typed}))
        assert invoice.number in page, path
        assert "2014-RS-00-8001516" not in page, path


def test_a_payment_and_its_invoice_by_the_receipt(browsers: SimpleNamespace, invoice: Invoice) -> None:
    payment = book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=invoice.amount, paid_on=clock.today()
    )
    shown = receipt_reference(payment)
    assert shown in text(browsers.clerk.get(f"/gestion/encaissements/{payment.uuid}/"))
    for typed in (shown, shown.lower(), f"{shown[:4]} {shown[4:]}", str(payment.uuid), str(payment.uuid)[:8]):
        assert invoice.number in text(browsers.clerk.get("/gestion/factures/", {"q": typed})), typed
        page = text(browsers.clerk.get("/gestion/encaissements/", {"q": typed}))
        assert invoice.number in page, typed
    for typed in ("2015RS008001517", "2015-RS-00-8001517", "REF7700 8001517"):
        assert invoice.number in text(browsers.clerk.get("/gestion/encaissements/", {"q": typed})), typed
    assert "Aucun" in text(browsers.clerk.get("/gestion/encaissements/", {"q": "2014RS008001516"}))


def test_what_the_message_of_a_payment_says_is_found(
    town: Any, make_account: Callable[..., Account], make_payer: Any, make_invoice: Any, simulator: Simulator
) -> None:
    """Several at once have one reference at the Treasury, which is nobody's invoice's: it finds them all."""
    Product.objects.update(takes_several=True)
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    invoices = [make_invoice(payer, amount="10"), make_invoice(payer, amount="20")]
    make_invoice(payer, amount="30")
    attempt = paying.start_payment_of(actor=alice, invoices=invoices).attempt
    simulator.act(attempt.operation, "pay")
    paying.ask(attempt=attempt, source="poller")
    queue_planned()
    told = OutgoingMail.objects.get(kind="receipt").text
    references = re.findall(r"(?:[Rr]éférence[^:\n]*: |référence )([A-Z0-9]+)", told)
    assert {attempt.reference, receipt_reference(Payment.objects.get())} < set(references)
    for reference in references:
        found = set(invoices_for_staff(EVERYTHING, today=clock.today(), words=reference))
        wanted = {invoice for invoice in invoices if invoice.reference == reference} or set(invoices)
        assert found == wanted, reference
