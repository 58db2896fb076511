"""What an import asks about people, on its page: old → new, one answer each, nothing published before."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch, PayerUpdate
from tenant_apps.residents.models import Payer, Source
from tenant_apps.residents.sources import source_named
from tests.backoffice.conftest import text
from tests.invoices.importing.batches import online, run
from tests.invoices.importing.bills import HEADER, bill


def page(browser: Any, batch: Batch) -> str:
    return text(browser.get(f"/gestion/imports/{batch.uuid}/"))


def answer(browser: Any, update: PayerUpdate, said: str) -> Any:
    return browser.post(
        f"/gestion/imports/{update.batch.uuid}/redevables/{update.pk}/", {"reponse": said}, follow=True
    )


def test_another_name_is_asked_and_confirmed(browsers: SimpleNamespace) -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G2", "K1", "GARNIER"))
    shown = page(browsers.clerk, batch)
    assert "Une question sur un redevable attend votre réponse" in shown
    assert "celui de Inès LEROUX ; le fichier le donne à Inès GARNIER" in shown
    assert "Publier 1 facture" not in shown
    refused = browsers.clerk.post(f"/gestion/imports/{batch.uuid}/publier/", follow=True)
    assert "la publication vient après" in text(refused)
    assert "C'est une autre personne" not in shown
    update = services.open_questions(batch).get()
    assert browsers.reader.post(f"/gestion/imports/{batch.uuid}/redevables/{update.pk}/").status_code == 403
    assert "Abandonnez cet import" in text(answer(browsers.clerk, update, "other"))
    done = text(answer(browsers.clerk, update, "same"))
    assert "Répondu le" in done
    assert "Publier 1 facture" in done


def test_a_question_of_another_import_is_absent(browsers: SimpleNamespace) -> None:
    online(HEADER, bill("G1", "K1"))
    batch, other = run(HEADER, bill("G2", "K1", "GARNIER")), run(HEADER, bill("G3", "K9", "PETIT"))
    pk = services.open_questions(batch).get().pk
    path = f"/gestion/imports/{other.uuid}/redevables/{pk}/"
    assert browsers.clerk.post(path, {"reponse": "same"}).status_code == 404


def test_codes_that_lost_their_zeros_are_recognised_together(browsers: SimpleNamespace) -> None:
    online(HEADER, *(bill(f"G{n}", f"00{n}", f"NOM{n}") for n in range(1, 4)))
    batch = run(HEADER, *(bill(f"H{n}", str(n), f"NOM{n}") for n in range(1, 4)))
    assert "Ce sont les mêmes personnes, pour les 3" in page(browsers.clerk, batch)
    done = browsers.clerk.post(f"/gestion/imports/{batch.uuid}/redevables/reconnus/", follow=True)
    assert "3 redevables sont reconnus." in text(done)
    services.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    assert "aussi écrit 1" in text(
        browsers.reader.get(f"/gestion/redevables/{Payer.objects.get(reference='001').uuid}/")
    )


def test_old_and_new_are_shown_before_the_publication_and_after(browsers: SimpleNamespace) -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G1", "K1", street="8 rue Neuve"))
    shown = page(browsers.reader, batch)
    assert "avant 4 rue du Four → après 8 rue Neuve" in shown
    assert "Appliquer 1 changement de redevable" in page(browsers.clerk, batch)
    browsers.clerk.post(f"/gestion/imports/{batch.uuid}/publier/")
    processing.process_waiting()
    assert "Ce qui a changé des redevables" in page(browsers.reader, batch)
    assert "Retirer cet import" not in page(browsers.clerk, batch)


def test_an_account_that_would_lose_its_access_is_named(browsers: SimpleNamespace) -> None:
    online(HEADER, bill("G1", "K1", email="alice@example.net"))
    batch = run(HEADER, bill("G2", "K1", email="autre@example.net"))
    shown = page(browsers.reader, batch)
    assert "1 compte ne verra plus les factures d'un redevable" in shown
    assert "alice@example.net (Inès LEROUX)" in shown
    assert "G1" in text(browsers.alice.get("/factures/"))
    services.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    assert "G1" not in text(browsers.alice.get("/factures/"))


def test_changes_by_pages(browsers: SimpleNamespace, django_assert_max_num_queries: Any) -> None:
    online(HEADER, *(bill(f"G{n}", f"K{n}", f"NOM{n}") for n in range(120)))
    batch = run(HEADER, *(bill(f"G{n}", f"K{n}", f"NOM{n}", city="Deyme") for n in range(120)))
    with django_assert_max_num_queries(34):
        last = browsers.reader.get(f"/gestion/imports/{batch.uuid}/?modif=3")
    assert "Page 3 sur 3" in text(last)
    assert 'rel="prev" href="?modif=2#changes"' in last.content.decode()
    assert 'rel="next"' not in last.content.decode()
    assert len(re.findall("<del>", last.content.decode())) == 20


def test_questions_by_pages(browsers: SimpleNamespace, django_assert_max_num_queries: Any) -> None:
    online(HEADER, *(bill(f"G{n}", f"K{n}", f"NOM{n}") for n in range(45)))
    batch = run(HEADER, *(bill(f"H{n}", f"K{n}", f"AUTRE{n}") for n in range(45)))
    with django_assert_max_num_queries(34):
        last = browsers.clerk.get(f"/gestion/imports/{batch.uuid}/?question=3")
    assert last.content.decode().count('class="paper question"') == 5
    assert "Ce fichier vient peut-être d'un autre logiciel" in text(last)


FILE = "\r\n".join((HEADER, bill("G1", "14"))).encode()


def send(browser: Any, **more: str) -> Any:
    return browser.post("/gestion/imports/nouveau/", {"rows": SimpleUploadedFile("eau.csv", FILE), **more})


def test_the_first_source_is_not_asked_for_and_another_may_be_named(browsers: SimpleNamespace) -> None:
    assert "D'où vient ce fichier" not in text(browsers.clerk.get("/gestion/imports/nouveau/"))
    send(browsers.clerk)
    assert Batch.objects.get().source.name == "Fichier de facturation"
    send(browsers.clerk, new_source="Eau")
    assert Batch.objects.first().source.name == "Eau"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Choisissez d'où vient ce fichier."),
        ({"source": "autre"}, "Donnez un nom à cette autre provenance."),
        ({"source": "00000000-0000-0000-0000-000000000000"}, "Choisissez d'où vient ce fichier."),
    ],
)
def test_with_several_sources_one_is_chosen(
    browsers: SimpleNamespace, more: dict[str, str], words: str
) -> None:
    source_named(actor="system", name="Eau")
    refused = send(browsers.clerk, **more)
    assert refused.status_code == 422
    assert words in text(refused)
    assert not Batch.objects.exists()
    water = Source.objects.get(name="Eau")
    send(browsers.clerk, source=str(water.uuid))
    send(browsers.clerk, source="autre", new_source="eau")  # the same, by another spelling
    assert {batch.source for batch in Batch.objects.all()} == {water}


def test_staff_see_the_source_once_there_are_several(browsers: SimpleNamespace) -> None:
    online(HEADER, bill("G1", "14"))
    pages = [
        "/gestion/redevables/",
        f"/gestion/redevables/{Payer.objects.get().uuid}/",
        "/gestion/recherche/?q=14",
    ]
    assert not any("Fichier de facturation" in text(browsers.reader.get(path)) for path in pages)
    online(HEADER, bill("G2", "14", "GARNIER"), source=source_named(actor="system", name="Eau"))
    assert all("Fichier de facturation" in text(browsers.reader.get(path)) for path in pages)
    assert "Eau" in text(browsers.reader.get("/gestion/redevables/"))


def test_the_command_says_what_is_asked(town: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    online(HEADER, bill("G1", "K1"))
    path = tmp_path / "f.csv"
    path.write_text("\r\n".join((HEADER, bill("G2", "K1", "GARNIER"))), "utf-8")
    with pytest.raises(CommandError, match="question"):
        call_command("import_invoices", town=town.slug, file=path, publish=True)
    assert "à confirmer – Ligne 2 : le code « K1 »" in capsys.readouterr().err
    with pytest.raises(CommandError, match="--source"):
        call_command("import_invoices", town=town.slug, file=path, source="Inconnue")
