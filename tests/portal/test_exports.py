"""What a resident takes away: CSV, archives, receipts; and what nobody else can take."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from pikepdf import Pdf

from shared_apps.accounts.models import Account
from tenant_apps.invoices.documents import archives
from tenant_apps.invoices.models import Document
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means, Payment
from tenants.models import Town
from tests.portal.conftest import text
from toolkit.files.storage import town_key


@pytest.fixture
def document(town: Town) -> Callable[[str], Document]:
    """`document("a")`: a file in S3 whose bytes are its name, and its row."""

    def make(name: str, *, stored: bool = True) -> Document:
        key = town_key(town.uuid, "invoices", "2026", f"{name}.pdf")
        if stored:
            storages["documents"].save(key, ContentFile(name.encode() * 1000))
        return Document.objects.create(key=key, sha256="0" * 64, size=1, pages=1)

    return make


def unzipped(answer: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_the_pdfs_of_a_year(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, document: Any
) -> None:
    payer = make_payer(alice)
    shared = document("shared")
    make_invoice(payer, number="1", subject="Cantine", document=document("a"))
    make_invoice(
        payer, number="1", fiscal_year=2025, subject="Cantine", document=document("b")
    )  # the same name
    make_invoice(payer, number="2/3", subject="..\\École\n", document=shared)
    make_invoice(payer, number="4", document=shared)  # one file for two invoices: once
    make_invoice(payer, number="5", issued_on=date(2025, 1, 1), document=document("other-year"))
    make_invoice(make_payer(), number="6", document=document("stranger"))
    answer = client_for(alice).get("/factures/2026/factures.zip")
    assert answer.streaming
    assert answer["Content-Disposition"] == 'attachment; filename="factures-2026.zip"'
    files = unzipped(answer)
    assert files == {
        "2026-10-01 Facture 1 Cantine.pdf": b"a" * 1000,
        "2026-10-01 Facture 1 Cantine (2).pdf": b"b" * 1000,
        "2026-10-01 Facture 2-3 ..-École-.pdf": b"shared" * 1000,
    }


def test_a_long_year_comes_in_parts(
    alice: Account,
    client_for: Any,
    make_payer: Any,
    make_invoice: Any,
    document: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "FILES", 2)
    monkeypatch.setattr("tenant_apps.portal.lists.listing.FILES", 2)
    payer = make_payer(alice)
    for n in range(3):
        make_invoice(payer, document=document(f"part{n}"))
    client = client_for(alice)
    page = client.get("/factures/").content.decode()
    for part, number in ((1, 2), (2, 1)):
        assert f"/factures/2026/{part}/factures.zip" in page
        assert len(unzipped(client.get(f"/factures/2026/{part}/factures.zip"))) == number
    assert client.get("/factures/2026/3/factures.zip").status_code == 404
    assert client.get("/factures/2026/0/factures.zip").status_code == 404
    for year in ("1999", "0", "99999", "9" * 40):
        assert client.get(f"/factures/{year}/factures.zip").status_code == 404


def test_a_file_that_storage_lost_is_named(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, document: Any
) -> None:
    payer = make_payer(alice)
    make_invoice(payer, number="1", document=document("here"))
    make_invoice(payer, number="2", document=document("lost", stored=False))
    files = unzipped(client_for(alice).get("/factures/2026/factures.zip"))
    assert len(files) == 2
    assert "2026-10-01 Facture 2 FACTURATION.pdf" in files["Fichiers manquants.txt"].decode()


def test_the_list_for_a_spreadsheet(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    payer = make_payer(alice, last_name='=HYPERLINK("http://evil.example")', first_name="")
    make_invoice(payer, amount="1210.80", subject="@SUM(1;2)", number="2026-1")
    make_invoice(payer, paid=Decimal("37.50"))
    make_invoice(make_payer())
    client = client_for(alice)
    answer = client.get("/factures/mes-factures.csv")
    content = b"".join(answer.streaming_content)
    assert content.startswith("\ufeff".encode())
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 3
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert "1210,80" in rows[2]
    assert "'@SUM(1;2)" in rows[2]
    paid = b"".join(client.get("/factures/mes-factures.csv?etat=reglees").streaming_content)
    assert paid.count(b"\r\n") == 2


def test_a_receipt(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    invoice = make_invoice(make_payer(alice, last_name="ŁĄCKI–MÜLLER", first_name="Zoë"), amount="1210.80")
    payment = pay(invoice, "10.00")
    client = client_for(alice)
    path = f"/reglements/{payment.uuid}/justificatif.pdf"
    for page in ("/reglements/", f"/factures/{invoice.uuid}/"):
        assert path in client.get(page).content.decode()
    answer = client.get(path)
    content = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "application/pdf"
    with Pdf.open(io.BytesIO(content)) as pdf:
        assert str(pdf.docinfo["/Title"]) == "Justificatif de paiement – Mairie de Démonstration"
        words = written(pdf)
    for part in (
        "Justificatif de paiement",
        "10,00 €",  # the PDF keeps it on one line, and writes a plain space
        invoice.number,
        "12 mars 2026",
        "MÜLLER",
        "Espèces",
    ):
        assert part in words, words
    assert "quittance" not in words.lower()


def pay(invoice: Any, amount: str) -> Payment:
    return book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal(amount), paid_on=date(2026, 3, 12)
    )


def written(pdf: Pdf) -> str:
    """The text of the first page: the strings of its content, in Windows-1252."""
    import pikepdf

    texts = (op for op in pikepdf.parse_content_stream(pdf.pages[0]) if str(op.operator) == "Tj")
    return "\n".join(bytes(op.operands[0]).decode("cp1252") for op in texts)


def test_nobody_else_has_the_receipt(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, make_account: Callable[..., Account]
) -> None:
    payment = pay(make_invoice(make_payer(alice)), "10.00")
    path = f"/reglements/{payment.uuid}/justificatif.pdf"
    assert client_for(make_account("charlie@example.net")).get(path).status_code == 404
    assert client_for().get(path).status_code == 302
    Payment.objects.update(cancelled_at="2026-03-13T10:00Z")  # taken back: it proves nothing any more
    assert client_for(alice).get(path).status_code == 404
    assert "10,00 €" not in text(client_for(alice).get("/reglements/"))
