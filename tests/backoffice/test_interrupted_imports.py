"""The page of an import that was interrupted: why, and what to do."""

from types import SimpleNamespace

from django.core.files.storage import storages

from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.states import BatchState
from tests.backoffice.conftest import text
from tests.invoices.test_interrupted import sent


def test_the_page_says_why_and_what_to_do(browsers: SimpleNamespace) -> None:
    batch = sent(1)
    storages["documents"].delete(batch.rows_key)
    processing.process_waiting()
    page = f"/gestion/imports/{batch.uuid}/"
    shown = text(browsers.clerk.get(page))
    assert "Interrompu" in shown
    assert "Le fichier n'est plus dans l'espace de stockage" in shown
    assert "Réessayer" in shown
    assert "Réessayer" not in text(browsers.reader.get(page))
    assert "Interrompu" in text(browsers.clerk.get("/gestion/imports/"))
    assert browsers.clerk.post(f"{page}reessayer/")["Location"] == page
    batch.refresh_from_db()
    assert batch.state == BatchState.UPLOADED
    browsers.clerk.post(f"{page}abandonner/")
    batch.refresh_from_db()
    assert batch.state == BatchState.DISCARDED
