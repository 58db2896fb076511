"""« Remises »: a docket of cheques or of cash."""

import csv
import io
from types import SimpleNamespace

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import (
    CounterRow,
    PaymentDetails,
    book_counter_payment,
    book_payment,
)
from tenant_apps.payments.models import Deposit, Means, Payment
from tests.backoffice.conftest import text
from tests.backoffice.money.forms import pdf_text
from toolkit import clock


def test_a_docket_is_closed_printed_and_kept(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    for invoice, drawer in zip(invoices, ("=1+1", "M. DEUX", "M. TROIS"), strict=True):
        details = PaymentDetails(bank="Crédit", number=f"{invoice.pk}", drawer=drawer)
        line = CounterRow(invoice, invoice.amount)
        book_payment(actor="system", lines=[line], means=Means.CHEQUE, paid_on=clock.today(), details=details)
    assert browsers.clerk.get("/gestion/remises/nouvelle/").status_code == 403
    page = browsers.cashier.get("/gestion/remises/nouvelle/?moyen=cheques")
    assert "60,00 €" in text(page)
    ticked = [one.uuid for one in Payment.objects.order_by("id")[:2]]
    sent = {"payment": ticked, "deposited_on": clock.today().isoformat()}
    answer = browsers.cashier.post("/gestion/remises/nouvelle/?moyen=cheques", sent)
    docket = Deposit.objects.get()
    assert answer["Location"] == f"/gestion/remises/{docket.uuid}/"
    assert (docket.total, docket.count) == (30, 2)
    again = browsers.cashier.post("/gestion/remises/nouvelle/?moyen=cheques", sent)
    assert again.status_code == 422
    assert "remis ou annulé entre-temps" in text(again)
    assert Deposit.objects.count() == 1
    first = browsers.reader.get(f"/gestion/remises/{docket.uuid}/bordereau.pdf").content
    assert "Bordereau de remise de chèques" in pdf_text(first)
    assert "30,00 €" in pdf_text(first)
    cancel_payment(actor="system", payment=Payment.objects.get(uuid=ticked[0]), reason="impayé")
    assert browsers.reader.get(f"/gestion/remises/{docket.uuid}/bordereau.pdf").content == first
    sheet = b"".join(browsers.reader.get(f"/gestion/remises/{docket.uuid}/bordereau.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sheet), delimiter=";"))
    assert [row["Montant"] for row in rows] == ["10,00", "20,00"]
    assert rows[0]["Tireur"] == "'=1+1"  # no spreadsheet runs it
    assert [row["Annulé depuis"] for row in rows] == ["impayé", ""]


def test_a_docket_is_made_of_one_regie(
    browsers: SimpleNamespace, invoices: list[Invoice], of_water: Invoice
) -> None:
    for invoice in (invoices[0], of_water):
        cheque = {"actor": "system", "invoice": invoice, "means": Means.CHEQUE, "paid_on": clock.today()}
        book_counter_payment(amount=invoice.amount, **cheque)
    listed = text(browsers.manager.get("/gestion/remises/"))
    assert "10,00 € de chèques" in listed
    assert "15,00 € de chèques" in listed
    page = browsers.manager.get("/gestion/remises/nouvelle/?moyen=cheques&regie=eau").content.decode()
    water, canteen = (Payment.objects.get(product__code=code) for code in ("eau", invoices[0].product.code))
    assert str(water.uuid) in page
    assert str(canteen.uuid) not in page
    sent = {"payment": [str(water.uuid)], "deposited_on": clock.today().isoformat()}
    answer = browsers.manager.post("/gestion/remises/nouvelle/?moyen=cheques&regie=eau", sent)
    docket = Deposit.objects.get()
    assert answer["Location"].endswith(f"/{docket.uuid}/")
    assert docket.product.code == "eau"
    paper = pdf_text(browsers.manager.get(f"/gestion/remises/{docket.uuid}/bordereau.pdf").content)
    assert "Régie eau" in paper
