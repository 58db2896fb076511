"""A format that is one file goes the clerk's whole road: no page, form or route knows it by name."""

from types import SimpleNamespace

from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile

from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.models import Batch, Invoice
from tests.backoffice.conftest import text
from tests.invoices.importing.batches import archive, pdf
from tests.invoices.importing.trial import OCTOBER, added


def test_from_upload_to_published(browsers: SimpleNamespace) -> None:
    with added():
        _whole_road(browsers)


def _whole_road(browsers: SimpleNamespace) -> None:
    page = browsers.clerk.get("/gestion/imports/nouveau/")
    assert f"Le fichier des factures ({registry.in_words()})" in text(page)
    assert "Un fichier JSON : une facture par ligne." in text(page)
    assert ".csv,.txt,text/csv,.jsonl,application/jsonl," in page.content.decode()
    example = browsers.clerk.get("/gestion/imports/exemple.json-lines")
    assert example["Content-Disposition"] == 'attachment; filename="exemple-factures.jsonl"'
    content = pdf("une facture")
    files = {
        "rows": SimpleUploadedFile("octobre.jsonl", OCTOBER.read_bytes()),
        "documents": SimpleUploadedFile("pdf.zip", archive(**{"J-1": content}).read()),
    }
    road = browsers.clerk.post("/gestion/imports/nouveau/", files)["Location"]
    batch = Batch.objects.get()
    assert (batch.format, batch.rows_key.rpartition("/")[2]) == ("json-lines", "rows.jsonl")
    processing.process_waiting()
    ready = text(browsers.clerk.get(road))
    assert "Format : JSON" in ready
    assert "Publier 2 factures" in ready
    browsers.clerk.post(f"{road}publier/")
    processing.process_waiting()
    assert "Publié le" in text(browsers.clerk.get(road))
    first, second = Invoice.objects.order_by("number")
    assert (first.number, first.state, str(first.amount), first.payer.last_name) == (
        *("J-1", "published", "37.50", "LEROUX"),
    )
    assert (second.number, second.document) == ("J-2", None)
    with storages["documents"].open(first.document.key) as kept:
        assert kept.read() == content
