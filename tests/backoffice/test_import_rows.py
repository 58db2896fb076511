"""Rows of an import on its page: corrected, kept aside, agreed to, published another day, replaced by another file."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Amendment, Batch, Invoice, RefusedRow
from tests.backoffice.conftest import text
from tests.invoices.importing.batches import archive, online, pdf, run
from tests.invoices.importing.bills import HEADER, bill
from toolkit import clock

EVA = bill("G3", "K3", "PETIT", "Eva", email="eva@example.org", amount="douze")


def act(browser: Any, batch: Batch, path: str, **posted: Any) -> str:
    """What the page says after the act, and after the worker."""
    browser.post(f"/gestion/imports/{batch.uuid}/{path}/", posted)
    processing.process_waiting()
    batch.refresh_from_db()
    return page(browser, batch)


def page(browser: Any, batch: Batch) -> str:
    return text(browser.get(f"/gestion/imports/{batch.uuid}/"))


def test_a_row_is_corrected_on_the_page(browsers: SimpleNamespace) -> None:
    batch = run(HEADER, bill("G1", "K1"), EVA)
    shown = page(browsers.clerk, batch)
    for words in ("1 ligne à corriger", "Ligne 3 · G3 · Eva PETIT", "n'est pas un montant", "Corriger ici"):
        assert words in shown
    raw = browsers.clerk.get(f"/gestion/imports/{batch.uuid}/").content.decode()
    assert 'name="l3-amount"' in raw
    assert 'value="douze"' in raw
    assert 'aria-invalid="true"' in raw
    shown = act(
        browsers.clerk, batch, "lignes", **{"l3-amount": "12,00", "l3-number": "G3", "l9-amount": "1"}
    )
    assert "Publier 2 factures" in shown
    assert RefusedRow.objects.get().corrected == {"amount": "12,00"}
    assert act(browsers.clerk, batch, "publier")
    assert Invoice.objects.filter(state="published").count() == 2


def test_a_correction_that_is_wrong_stays_beside_the_text_of_the_file(browsers: SimpleNamespace) -> None:
    batch = run(HEADER, bill("G1", "K1"), EVA)
    for _again in range(2):
        shown = act(browsers.clerk, batch, "lignes", **{"l3-amount": "treize", "l3-number": "G3"})
        assert "Dans le fichier : douze" in shown
        assert RefusedRow.objects.get().corrected == {"amount": "treize"}
    act(browsers.clerk, batch, "lignes", **{"l3-amount": "douze"})
    assert RefusedRow.objects.get().corrected == {}


def test_a_reader_sees_and_does_not_correct(browsers: SimpleNamespace) -> None:
    batch = run(HEADER, bill("G1", "K1"), EVA)
    assert "n'est pas un montant" in page(browsers.reader, batch)
    assert 'name="l3-amount"' not in browsers.reader.get(f"/gestion/imports/{batch.uuid}/").content.decode()
    assert (
        browsers.reader.post(f"/gestion/imports/{batch.uuid}/lignes/", {"l3-amount": "1"}).status_code == 403
    )


def test_the_others_are_published_and_the_row_waits(browsers: SimpleNamespace) -> None:
    batch = run(HEADER, bill("G1", "K1"), EVA)
    assert "Préparer les 1, garder celle-ci" in page(browsers.clerk, batch)
    shown = act(browsers.clerk, batch, "garder", garder="oui")
    assert "1 ligne est gardée de côté" in shown
    assert "Publier 1 facture" in shown
    shown = act(browsers.clerk, batch, "publier")
    assert "1 ligne a été gardée de côté : la corriger" in shown
    shown = act(browsers.clerk, batch, "lignes", **{"l3-amount": "12,00"})
    assert "Publier 1 facture" in shown
    assert "déjà en ligne, inchangée" in shown
    shown = act(browsers.clerk, batch, "publier")
    assert "gardée de côté" not in shown
    assert Invoice.objects.filter(state="published").count() == 2


def test_errors_are_grouped_by_kind(browsers: SimpleNamespace) -> None:
    wrong = [bill(f"G{n}", f"K{n}", f"NOM{n}", email=f"n{n}@a.fr", amount=f"x{n}") for n in range(1, 6)]
    batch = run(HEADER, *wrong, bill("G9", "K9", "NEUF", email="pas une adresse"))
    shown = page(browsers.clerk, batch)
    assert "6 lignes à corriger" in shown
    assert "5 Montant « Montant » n'est pas un montant" in shown
    assert "1 E-mail" in shown


def test_an_invoice_that_moves_waits_for_an_answer(browsers: SimpleNamespace) -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G1", "K2", "GARNIER", "Luc", email="luc@example.org", amount="40,00"))
    shown = page(browsers.clerk, batch)
    for words in ("Les factures en ligne qui vont changer", "37,50", "40,00", "Inès LEROUX (K1)", "(K2)"):
        assert words in shown.replace("\u00a0", " ")
    assert "Modifier 1 facture en ligne" not in shown
    pk = Amendment.objects.get().pk
    shown = act(browsers.clerk, batch, f"factures/{pk}", reponse="yes")
    assert "Modifier 1 facture en ligne" in shown
    act(browsers.clerk, batch, "publier")
    assert Invoice.objects.get().payer.last_name == "GARNIER"
    other = run(HEADER, bill("G2", "K1"))
    answer = browsers.clerk.post(f"/gestion/imports/{other.uuid}/factures/{pk}/", {"reponse": "yes"})
    assert answer.status_code == 404


def test_published_another_day(browsers: SimpleNamespace) -> None:
    batch = run(HEADER, bill("G1", "K1"))
    assert "Publier un autre jour" in page(browsers.clerk, batch)
    day = clock.today() + timedelta(days=2)
    assert "sera publié de lui-même" in act(browsers.clerk, batch, "jour", jour=day.isoformat())
    assert "sera publié de lui-même" not in act(browsers.clerk, batch, "jour", jour="")
    assert "Choisissez un jour dans le calendrier" in act(browsers.clerk, batch, "jour", jour="demain")
    assert "jour à venir" in act(browsers.clerk, batch, "jour", jour="2020-01-01")


def test_a_corrected_file_keeps_the_pdfs(browsers: SimpleNamespace) -> None:
    refused = run(HEADER, bill("G1", "K1"), EVA, documents=archive(G1=pdf("1"), G3=pdf("3")))
    path = f"/gestion/imports/nouveau/?remplace={refused.uuid}"
    form = text(browsers.clerk.get(path))
    assert "Ce fichier prendra la place de « factures.csv »" in form
    assert "Ses PDF (pdf.zip) sont gardés" in form
    content = "\n".join([HEADER, bill("G1", "K1"), EVA.replace("douze", "12,00")]).encode()
    answer = browsers.clerk.post(path, {"rows": SimpleUploadedFile("b.csv", content)})
    processing.process_waiting()
    assert "Publier 2 factures" in text(browsers.clerk.get(answer["Location"]))
    assert browsers.clerk.get(f"/gestion/imports/{refused.uuid}/").status_code == 404


def test_the_unpaid_part_is_offered_when_some_are_paid(browsers: SimpleNamespace) -> None:
    batch = online(HEADER, bill("G1", "K1"), bill("G2", "K1"))
    invoice = Invoice.objects.get(number="G1")
    Invoice.objects.filter(pk=invoice.pk).update(paid="5.00")
    assert "Retirer ce que personne n'a réglé" in page(browsers.clerk, batch)
    act(browsers.clerk, batch, "retirer", partie="non-reglees")
    assert dict(Invoice.objects.values_list("number", "state")) == {"G1": "published", "G2": "draft"}
