"""The invented invoices: the same every time, sound, and saying what they are."""

import io
import zipfile
from decimal import Decimal

import pikepdf

from sandbox.samples import batch
from tenant_apps.invoices.importing.formats.csv import FORMAT
from tenant_apps.invoices.importing.records.kinds import InvoiceRow

TOWN = "Mairie de Démonstration"


def test_the_same_bytes_every_time() -> None:
    once, again = io.BytesIO(), io.BytesIO()
    for out in (once, again):
        batch.write_csv(batch.batch(20), out)
        batch.write_zip(batch.batch(20), out, TOWN)
    assert once.getvalue() == again.getvalue()


def test_each_row_has_its_pdf_with_its_number_and_amount() -> None:
    rows, documents = io.BytesIO(), io.BytesIO()
    batch.write_csv(batch.batch(60), rows)
    batch.write_zip(batch.batch(60), documents, TOWN)
    read = [row for row in FORMAT.rows(rows) if isinstance(row, InvoiceRow)]
    assert len(read) == 60
    with zipfile.ZipFile(documents) as archive:
        for row in read:
            content = archive.read(f"{row.number}.pdf")
            with pikepdf.open(io.BytesIO(content), attempt_recovery=False) as document:
                assert not document.check_pdf_syntax()
                text = document.pages[0].Contents.read_bytes().decode("cp1252")
            amount = f"{row.amount:.2f}".replace(".", ",") + "\u00a0€"
            assert all(
                word in text for word in (row.number, amount, TOWN, row.subject, "Document de démonstration")
            )


def test_signs_that_would_break_a_pdf_are_kept() -> None:
    sample = next(batch.batch(1))
    odd = batch.Sample(
        number="1", issued_on=sample.issued_on, due_on=sample.due_on, amount=Decimal("1234.50"),
        subject="Salle (grande) \\ été", payer="F1", name=("Mme", "D'ŒUVRE", "Zoé"),
    )  # fmt: skip
    with pikepdf.open(io.BytesIO(batch.invoice_pdf(odd, TOWN)), attempt_recovery=False) as document:
        shown = [
            part.operands[0]
            for part in pikepdf.parse_content_stream(document.pages[0])
            if str(part.operator) == "Tj"
        ]
    texts = [bytes(text).decode("cp1252") for text in shown]
    assert odd.subject in texts
    assert "Mme Zoé D'ŒUVRE" in texts
    assert "1\u00a0234,50\u00a0€" in texts
