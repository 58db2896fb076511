"""The clerk's road: send, see what is wrong, publish, take back."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_tenants.utils import tenant_context

from tenant_apps.backoffice import uploads
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.models import Batch, Invoice
from tests.backoffice.conftest import HEADER, ROW, send, text


def csv_file(content: bytes = f"{HEADER}\n{ROW.format(n=1)}".encode()) -> SimpleUploadedFile:
    return SimpleUploadedFile("octobre.csv", content)


def test_send_check_publish(browsers: SimpleNamespace) -> None:
    answer = browsers.clerk.post("/gestion/imports/nouveau/", {"rows": csv_file()})
    batch = Batch.objects.get()
    assert answer["Location"] == f"/gestion/imports/{batch.uuid}/"
    waiting = browsers.clerk.get(answer["Location"])
    assert "Vous pouvez quitter cette page" in text(waiting)
    assert f'hx-get="/gestion/imports/{batch.uuid}/etat/"' in waiting.content.decode()
    assert '<noscript> <meta http-equiv="refresh"' in " ".join(waiting.content.decode().split())
    processing.process_waiting()
    fragment = browsers.clerk.get(f"{answer['Location']}etat/", headers={"HX-Request": "true"})
    assert fragment["HX-Refresh"] == "true"
    ready = browsers.clerk.get(answer["Location"])
    assert "Publier 1 facture" in text(ready)
    assert "il faudra les envoyer de nouveau" in text(ready)  # said before the button that gives it up
    assert "25,00" in text(ready)
    assert "2026-001-000001" in text(ready)
    browsers.clerk.post(f"{answer['Location']}publier/")
    processing.process_waiting()
    done = browsers.clerk.get(answer["Location"])
    assert "Publié le" in text(done)
    assert "Retirer cet import" in text(done)
    assert Invoice.objects.get().state == "published"


def test_the_sample_can_be_imported_as_it_is(browsers: SimpleNamespace) -> None:
    answer = browsers.clerk.get("/gestion/imports/exemple.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="exemple-factures.csv"'
    batch = send(answer.content)
    assert (batch.state, batch.new_count, batch.error_count, batch.warning_count) == ("ready", 2, 0, 0)


def test_progress_in_figures(browsers: SimpleNamespace, make_batch: Callable[..., Batch]) -> None:
    batch = make_batch()
    Batch.objects.update(state="checking", step="storing", done=1200, total=3000)
    answer = browsers.reader.get(f"/gestion/imports/{batch.uuid}/etat/")
    assert "1 200 sur 3 000" in text(answer)
    assert '<progress max="3000" value="1200"' in answer.content.decode()
    assert "style=" not in answer.content.decode()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, f"Choisissez le fichier {registry.in_words()} des factures."),
        ({"rows": SimpleUploadedFile("vide.csv", b"")}, "Le fichier des factures est vide"),
    ],
)
def test_a_missing_file_is_asked_for(browsers: SimpleNamespace, files: dict[str, Any], words: str) -> None:
    answer = browsers.clerk.post("/gestion/imports/nouveau/", files)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Batch.objects.exists()


def test_the_limit_is_told_before(browsers: SimpleNamespace, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 3 * 1024 * 1024
    assert "3,0 Mo au plus" in text(browsers.clerk.get("/gestion/imports/nouveau/"))


MULTIPART = "multipart/form-data; boundary=x"


class Flood(io.RawIOBase):
    """A body of `size` bytes that remembers the largest piece it was asked for."""

    def __init__(self, size: int, head: bytes = b"") -> None:
        self.left, self.largest, self.head = size + len(head), 0, head

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.largest = max(self.largest, self.left if size is None or size < 0 else size)
        size = self.left if size is None or size < 0 else min(size, self.left)
        self.left -= size
        head, self.head = self.head[:size], self.head[size:]
        return head + b"x" * (size - len(head))


def test_what_is_too_large_is_refused_and_never_held(browsers: SimpleNamespace, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    size = 200 * 1024 * 1024
    body = Flood(size)
    answer = browsers.clerk.generic(
        "POST",
        "/gestion/imports/nouveau/",
        **{"wsgi.input": body, "CONTENT_LENGTH": str(size), "CONTENT_TYPE": MULTIPART},
    )
    assert answer.status_code == 413
    assert "Votre envoi pèse 200 Mo ; la limite est de 1,0 Mo. Rien n'a été enregistré." in text(answer)
    assert body.left == 0  # so that the browser shows the answer
    assert body.largest <= 64 * 1024
    assert not Batch.objects.exists()


def test_a_stranger_s_flood_is_not_even_read(browsers: SimpleNamespace) -> None:
    body = Flood(200 * 1024 * 1024)
    for browser, status in ((browsers.nobody, 302), (browsers.alice, 404), (browsers.reader, 403)):
        answer = browser.generic(
            "POST",
            "/gestion/imports/nouveau/",
            **{"wsgi.input": body, "CONTENT_LENGTH": str(body.left), "CONTENT_TYPE": MULTIPART},
        )
        assert answer.status_code == status
    assert body.left == 200 * 1024 * 1024


@pytest.mark.parametrize("path", ["/", "/activation/", "/gestion/reglages/commune/"])
def test_no_other_page_takes_a_file(browsers: SimpleNamespace, people: SimpleNamespace, path: str) -> None:
    """The CSRF check reads every form: a stranger's file must not reach the disk."""
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\nContent-Type: a/b\r\n\r\n'
    body = Flood(50 * 1024 * 1024, head)
    checked = Client(headers={"host": "mairie.localhost"}, enforce_csrf_checks=True)
    checked.get("/")  # the cookie that anybody gets: without it the form is not even looked at
    answer = checked.generic(
        "POST",
        path,
        **{"wsgi.input": body, "CONTENT_LENGTH": str(body.left), "CONTENT_TYPE": MULTIPART},
    )
    assert answer.status_code == 403
    assert body.left > 49 * 1024 * 1024  # it stopped at the file


def test_two_files_too_large_together(browsers: SimpleNamespace, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 60_000  # under the allowance for the form itself: the files are weighed too
    files = {
        "rows": SimpleUploadedFile("a.csv", b"x" * 40_000),
        "documents": SimpleUploadedFile("a.zip", b"x" * 40_000),
    }
    answer = browsers.clerk.post("/gestion/imports/nouveau/", files)
    assert answer.status_code == 422
    assert "la limite est de" in text(answer)
    assert not Batch.objects.exists()


def bad(rows: int = 1) -> Batch:
    lines = [ROW.format(n=n).replace("25,00", "=HYPERLINK()") for n in range(1, rows + 1)]
    return send("\r\n".join([HEADER, *lines]).encode())


def test_every_problem_is_shown_and_can_be_taken_away(browsers: SimpleNamespace) -> None:
    batch = bad()
    page = browsers.reader.get(f"/gestion/imports/{batch.uuid}/")
    assert "n'est pas un montant" in text(page)
    assert "/publier/" not in page.content.decode()
    file = browsers.reader.get(f"/gestion/imports/{batch.uuid}/problemes.csv")
    lines = b"".join(file.streaming_content).decode("utf-8-sig").split("\r\n")
    assert lines[0] == "Gravité;Ligne;Colonne;Valeur;Problème"
    assert lines[1].startswith("erreur;2;Montant;'=HYPERLINK();")  # no spreadsheet runs it


def test_problems_by_pages(browsers: SimpleNamespace, django_assert_max_num_queries: Any) -> None:
    batch = bad(250)
    with django_assert_max_num_queries(18):
        page = browsers.reader.get(f"/gestion/imports/{batch.uuid}/?ligne=3")
    assert "Page 3 sur 5" in text(page)
    assert page.content.decode().count('class="paper refused-row"') == 50


def test_the_same_file_twice_is_said(browsers: SimpleNamespace, make_batch: Callable[..., Batch]) -> None:
    make_batch(publish=True)
    again = make_batch()
    page = text(browsers.clerk.get(f"/gestion/imports/{again.uuid}/"))
    assert "Ce même fichier a déjà été envoyé" in page
    assert "il n'y a rien à publier" in page
    assert "Publier 0" not in page
    assert "à terminer" not in text(browsers.clerk.get("/gestion/"))


def test_taken_back_then_given_up(browsers: SimpleNamespace, make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(publish=True)
    page = browsers.clerk.post(f"/gestion/imports/{batch.uuid}/retirer/", follow=True)
    assert "les usagers ne voient plus ces factures" in text(page)
    page = browsers.clerk.post(f"/gestion/imports/{batch.uuid}/abandonner/", follow=True)
    assert "L'import est abandonné" in text(page)
    assert browsers.clerk.get(f"/gestion/imports/{batch.uuid}/").status_code == 404
    assert not Invoice.objects.exists()


def test_what_was_paid_is_not_taken_back(browsers: SimpleNamespace, make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(publish=True)
    Invoice.objects.filter(number="2026-001-000001").update(paid="25.00")
    page = browsers.clerk.get(f"/gestion/imports/{batch.uuid}/")
    assert "Retirer cet import" not in text(page)
    page = browsers.clerk.post(f"/gestion/imports/{batch.uuid}/retirer/", follow=True)
    assert "ne peut plus être retiré" in text(page)
    assert set(Invoice.objects.values_list("state", flat=True)) == {"published"}


def test_publishing_in_the_wrong_state_is_explained(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    Batch.objects.filter(pk=batch.pk).update(state="refused")
    page = browsers.clerk.post(f"/gestion/imports/{batch.uuid}/publier/", follow=True)
    assert "Cet import est « à corriger »." in text(page)
    assert not Invoice.objects.filter(state="published").exists()


def test_another_town_s_import_is_absent(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch], other_town: Any
) -> None:
    with tenant_context(other_town):
        theirs = send(f"{HEADER}\n{ROW.format(n=1)}".encode())
    for path in ("", "etat/", "problemes.csv"):
        assert browsers.manager.get(f"/gestion/imports/{theirs.uuid}/{path}").status_code == 404
    assert browsers.manager.post(f"/gestion/imports/{theirs.uuid}/publier/").status_code == 404


def test_a_length_that_is_no_number_is_no_length(client_for: Callable[..., Client]) -> None:
    assert uploads.announced_size(SimpleNamespace(META={"CONTENT_LENGTH": "beaucoup"})) == 0  # type: ignore[arg-type]
    assert uploads.announced_size(SimpleNamespace(META={})) == 0  # type: ignore[arg-type]
