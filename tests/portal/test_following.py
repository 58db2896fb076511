"""One invoice at a time, one after the other: what the page after a payment offers next."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means
from tenant_apps.products.models import Mode, Protocol
from tenant_apps.products.services import set_up_product


def test_the_following_invoice(
    town: Any, make_account: Any, client_for: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    paid, later = make_invoice(payer), make_invoice(payer, subject="PISCINE", due_on=date(2027, 3, 31))
    closed = set_up_product(
        actor="system", code="EAU", label="Eau", numcli="001966", protocol=Protocol.PAYFIP, mode=Mode.TEST
    )
    make_invoice(payer, product=closed)  # due first, and not payable online
    next_one = make_invoice(payer, subject="CANTINE", due_on=date(2027, 1, 31))
    make_invoice(make_payer(), subject="AUTRE")  # somebody else's
    browser = client_for(alice)
    path = f"/factures/{paid.uuid}/retour/"
    assert "Régler la facture suivante" not in browser.get(path).content.decode()  # this one is not paid yet

    def pay(invoice: Invoice) -> None:
        book_counter_payment(
            actor="system",
            invoice=invoice,
            means=Means.CASH,
            amount=Decimal("37.50"),
            paid_on=invoice.issued_on,
        )

    pay(paid)
    page = browser.get(path)
    assert page.context["following"] == next_one
    assert "Régler la facture suivante : CANTINE" in page.content.decode()
    pay(next_one)
    assert browser.get(path).context["following"] == later
    pay(later)
    assert browser.get(path).context["following"] is None
