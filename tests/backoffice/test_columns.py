"""« Les colonnes du fichier »: her own titles are said once, shown as they will be read, and known the next time."""

import io
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from tenant_apps.backoffice.forms.base import ImportForm
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.importing.formats.spreadsheet import workbook
from tenant_apps.invoices.importing.tables.titles import keys_of
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.residents.models import Payer, Source
from tenant_apps.residents.sources import default_source, save_rules, source_named
from tests.backoffice.conftest import HEADER, ROW, send, text
from toolkit.files.storage import StorageSilent

OWN = "NUM;EMISE;LIMITE;SOMME;MOTIF;USAGER;CONTACT"
FIELDS = ("number", "issued_on", "due_on", "amount", "subject", "payer", "email")
# A list without codes, without subjects, with the balance beside the total; as a program for school canteens has it.
LIST = "Date;N°;Famille;Total;Solde;Lot"
FAMILIES = (
    "03/11/2026;20261;DUPONT et ÉTIENNE;324.90 €;24.90 €;Périscolaire",
    "03/11/2026;20262;MARTIN Zoé;12.00 €;12.00 €;Périscolaire",
    "03/11/2026;20263;LEFÈVRE Aïcha;55.10 €;55.10 €;Périscolaire",
)


def content_of(titles: str, *rows: str) -> bytes:
    return "\r\n".join((titles, *rows)).encode()


def own_file(n: int = 1) -> bytes:
    return content_of(OWN, *(ROW.format(n=i).replace(";MARTIN;Alice", "") for i in range(1, n + 1)))


def path_of(batch: Batch) -> str:
    return f"/gestion/imports/{batch.uuid}/colonnes/"


def chosen(*fields: str, **more: str) -> dict[str, str]:
    """What a form sends whose columns give these fields."""
    return {
        "who": "code",
        "negatives": "refuse",
        **{f"column_{place}": name for place, name in enumerate(fields)},
        **more,
    }


def done(batch: Batch) -> Batch:
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def problems(batch: Batch) -> str:
    return "\n".join(one.message for one in batch.problems.all())


def test_her_own_titles_are_said_once(browsers: SimpleNamespace) -> None:
    batch = send(own_file(2))
    assert batch.state == "refused"
    page = browsers.clerk.get(path_of(batch))
    shown = text(page)
    for words in ("NUM", "2026-001-000001", "alice1@example.net", "Rien ne peut être lu encore"):
        assert words in shown
    seen = browsers.clerk.post(path_of(batch), chosen(*FIELDS, apercu="1"))
    assert seen.status_code == 200
    for words in ("25,00 €", "01/10/2026", "F001", "Ce fichier est lu comme des factures"):
        assert words in text(seen)
    assert not default_source().rules  # nothing is saved before she says so
    answer = browsers.clerk.post(path_of(batch), chosen(*FIELDS))
    assert answer["Location"] == f"/gestion/imports/{batch.uuid}/"
    assert done(batch).state == "ready", problems(batch)
    assert default_source().rules == {
        "columns": {
            **{"num": "number", "emise": "issued_on", "limite": "due_on", "somme": "amount"},
            **{"motif": "subject", "usager": "payer", "contact": "email"},
        }
    }
    services.publish_batch(actor="system", batch=batch)
    assert done(batch).state == "published"
    again = send(own_file(3))
    assert (again.state, again.new_count, again.unchanged_count) == ("ready", 1, 2)
    assert AuditEntry.objects.filter(verb="source.rules_changed").count() == 1
    assert AuditEntry.objects.get(verb="batch.checked_again").object == f"batch:{batch.uuid}"


def test_what_is_missing_is_asked_where_it_can_be_given(browsers: SimpleNamespace) -> None:
    batch = send(content_of("NUM;SOMME;USAGER", "1;25,00;F1"))
    path = path_of(batch)
    refused = browsers.clerk.post(path, chosen("number", "", "payer"))
    assert refused.status_code == 422
    for words in (
        "« Montant »",
        "Aucune colonne ne donne la date",
        "ou dites combien de jours",
        "écrivez-le ici",
    ):
        assert words in text(refused)
    twice = browsers.clerk.post(path, chosen("number", "number", "payer"))
    assert "« Numéro » est déjà donné par la colonne « NUM »" in text(twice)
    assert not default_source().rules
    more = {"issued_on": "2026-10-01", "due_days": "30", "subject": "Cantine", "number_prefix": "CAN"}
    wrong = browsers.clerk.post(path, chosen("number", "amount", "payer", **{**more, "due_days": "-1"}))
    assert "Indiquez un nombre de jours" in text(wrong)
    assert browsers.clerk.post(path, chosen("number", "amount", "payer", **more)).status_code == 302
    assert done(batch).state == "ready", problems(batch)
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.subject, f"{invoice.issued_on} {invoice.due_on}") == (
        *("CAN1", "Cantine"),
        "2026-10-01 2026-10-31",
    )
    next_month = send(content_of("NUM;SOMME;USAGER", "2;26,00;F1"))
    assert next_month.state == "refused"  # a date is of one file
    assert "La date de toutes les factures" in text(browsers.clerk.get(path_of(next_month)))


def test_a_list_without_codes_is_read_by_name_when_somebody_says_so(browsers: SimpleNamespace) -> None:
    batch = send(content_of(LIST, *FAMILIES))
    assert batch.state == "refused"
    path = path_of(batch)
    assert "La colonne « Famille » contient des noms, pas des codes" in text(browsers.clerk.get(path))
    fields = ("issued_on", "number", "payer", "", "amount", "subject")
    by_code = browsers.clerk.post(path, chosen(*fields, due_days="30", apercu="1"))
    assert "contient un nom (« DUPONT et ÉTIENNE »)" in text(by_code)
    sent = chosen(*fields, due_days="30") | {"who": "name"}
    seen = text(browsers.clerk.post(path, {**sent, "apercu": "1"}))
    assert "24,90 €" in seen
    assert "DUPONT et ÉTIENNE" in seen
    assert browsers.clerk.post(path, sent).status_code == 302
    assert done(batch).state == "ready", problems(batch)
    assert (batch.new_count, f"{batch.amount}") == (3, "92.00")
    services.publish_batch(actor="system", batch=batch)
    assert done(batch).state == "published"
    assert {one.last_name for one in Payer.objects.all()} == {
        "DUPONT et ÉTIENNE",
        "MARTIN Zoé",
        "LEFÈVRE Aïcha",
    }
    assert {one.reference for one in Payer.objects.all()} >= {"DUPONT ET ÉTIENNE"}


def test_a_workbook_has_the_same_page(browsers: SimpleNamespace) -> None:
    rows = [row.split(";") for row in (OWN, ROW.format(n=1).replace(";MARTIN;Alice", ""))]
    above = [["Commune de Pechabou"], [], *rows]
    batch = services.create_batch(
        actor="system", rows_file=io.BytesIO(workbook(above)), rows_name="octobre.xlsx"
    )
    assert done(batch).state == "refused"
    assert "NUM" in text(browsers.clerk.get(path_of(batch)))
    assert browsers.clerk.post(path_of(batch), chosen(*FIELDS)).status_code == 302
    assert done(batch).state == "ready", problems(batch)


def test_the_words_with_accents_say_which_encoding_it_is(browsers: SimpleNamespace) -> None:
    titles = "Facture;Date;Echeance;Montant;Objet;Code redevable;Nom"
    content = content_of(titles, "1;01/10/2026;31/12/2026;25,00;Cantine;F1;DÔME").decode().encode("cp850")
    batch = send(content)
    assert batch.state == "refused"  # DÔME, or DâME?
    page = text(browsers.clerk.get(path_of(batch)))
    for words in (
        "Ces mots du fichier sont-ils bien écrits ?",
        "DÔME (ligne 2) : DOS",
        "DâME (ligne 2) : Windows",
    ):
        assert words in page
    fields = ("number", "issued_on", "due_on", "amount", "subject", "payer", "last_name")
    seen = browsers.clerk.post(path_of(batch), chosen(*fields, encoding="cp1252", apercu="1"))
    assert "F1 – DâME" in text(seen)
    assert browsers.clerk.post(path_of(batch), chosen(*fields, encoding="klingon")).status_code == 422
    assert browsers.clerk.post(path_of(batch), chosen(*fields, encoding="cp850")).status_code == 302
    assert default_source().rules["encoding"] == "cp850"
    assert done(batch).state == "ready", problems(batch)
    assert "bien écrits" not in text(browsers.clerk.get(path_of(batch)))  # it was said
    sure = send(content_of(HEADER, ROW.format(n=2)))  # UTF-8 says itself what it is
    assert sure.state == "ready", problems(sure)


def test_people_and_pdfs_without_invoices(browsers: SimpleNamespace) -> None:
    batch = send(content_of("CODE;COURRIEL;PORTABLE", "F1;alice@example.org;0600000000"))
    assert batch.state == "refused"
    seen = browsers.clerk.post(path_of(batch), chosen("payer", "email", "", apercu="1"))
    assert "lu comme une liste de redevables, sans facture" in text(seen)
    assert "alice@example.org" in text(seen)
    pdfs = send(content_of("NUM;IMAGE", "2026-1;a.pdf"))
    seen = browsers.clerk.post(path_of(pdfs), chosen("number", "document", apercu="1"))
    assert "lu comme une liste de PDF" in text(seen)


@pytest.mark.parametrize("state", ["uploaded", "checking", "publishing", "published", "failed"])
def test_only_a_refused_or_a_ready_import_has_it(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch], state: str
) -> None:
    batch = make_batch()
    Batch.objects.filter(pk=batch.pk).update(state=state)
    for answer in (browsers.clerk.get(path_of(batch)), browsers.clerk.post(path_of(batch), chosen(*FIELDS))):
        assert answer["Location"] == f"/gestion/imports/{batch.uuid}/"
    assert not default_source().rules


def test_who_may_say_it(browsers: SimpleNamespace, make_batch: Callable[..., Batch]) -> None:
    path = path_of(make_batch())
    sent = chosen(
        "number", "issued_on", "due_on", "amount", "subject", "payer", "last_name", "first_name", "email"
    )
    for person, status in (("nobody", 302), ("alice", 404), ("reader", 403)):
        assert getattr(browsers, person).get(path).status_code == status
        assert getattr(browsers, person).post(path, sent).status_code == status
    assert not default_source().rules
    assert browsers.clerk.post(path, sent).status_code == 302
    assert default_source().rules


def test_a_file_that_is_gone_or_unreadable_is_told(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch()
    Batch.objects.filter(pk=batch.pk).update(rows_key="nowhere")
    assert "n'est plus dans l'espace de stockage" in text(browsers.clerk.get(path_of(batch)))
    empty = send(b"\n\n")
    assert "Le fichier des factures est vide" in text(browsers.clerk.get(path_of(empty)))

    def silent(_key: str) -> Any:
        raise StorageSilent

    monkeypatch.setattr("tenant_apps.backoffice.file_columns.opened", silent)
    assert "réessayez dans quelques minutes" in text(browsers.clerk.get(path_of(empty)))


def test_another_clerk_was_faster(browsers: SimpleNamespace, make_batch: Callable[..., Batch]) -> None:
    batch = make_batch()
    sent = chosen(
        "number", "issued_on", "due_on", "amount", "subject", "payer", "last_name", "first_name", "email"
    )
    assert browsers.clerk.post(path_of(batch), sent).status_code == 302
    assert browsers.clerk.post(path_of(batch), sent).status_code == 302  # waits already: nothing changes
    assert AuditEntry.objects.filter(verb="batch.checked_again").count() == 1
    assert done(batch).state == "ready"
    assert batch.new_count == 2


def test_statements_do_not_grow_with_the_columns(browsers: SimpleNamespace) -> None:
    few = send(content_of("NUM;SOMME", "1;2"))
    many = send(content_of(";".join(f"T{n}" for n in range(60)), *(";".join("x" * 60) for _ in range(300))))
    browsers.clerk.get(path_of(few))
    counts = []
    for batch in (few, many):
        with CaptureQueriesContext(connection) as statements:
            assert browsers.clerk.get(path_of(batch)).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 20


def test_each_select_has_its_label(browsers: SimpleNamespace) -> None:
    page = browsers.clerk.get(path_of(send(own_file()))).content.decode()
    selects = set(re.findall(r'<select[^>]* id="([^"]+)"', page))
    assert selects == set(re.findall(r'<label for="([^"]+)"', page)) & selects
    assert {f"id_column_{place}" for place in range(7)} <= selects


NEW = "/gestion/imports/nouveau/"


def sent_file(titles: str = OWN) -> dict[str, Any]:
    content = content_of(titles, ROW.format(n=9).replace(";MARTIN;Alice", ""))
    return {"rows": SimpleUploadedFile("novembre.csv", content), "source": ""}


def knows(name: str, titles: str = OWN) -> Source:
    """A source that has named these titles."""
    columns = dict(zip(keys_of(titles.split(";")), FIELDS, strict=True))
    return save_rules(
        actor="system", source=source_named(actor="system", name=name), changes={"columns": columns}
    )


def test_a_file_is_of_the_source_that_named_its_titles(browsers: SimpleNamespace) -> None:
    knows("Cantine")
    assert "Choisissez d'où vient ce fichier." in text(browsers.clerk.post(NEW, {"source": ""}))
    answer = browsers.clerk.post(NEW, sent_file())
    batch = Batch.objects.get()
    assert answer["Location"] == f"/gestion/imports/{batch.uuid}/"
    assert batch.source.name == "Cantine"
    assert "Provenance : Cantine" in text(browsers.clerk.get(answer["Location"]))
    form = ImportForm({"source": ""}, {"rows": sent_file()["rows"]})
    assert form.is_valid(), form.errors
    assert form.told == "Fichier reconnu à ses titres : Cantine."
    chosen_by_her = {**sent_file(), "source": str(default_source().uuid)}
    browsers.clerk.post(NEW, chosen_by_her)
    assert Batch.objects.latest("id").source == default_source()  # what she says counts


def test_a_file_is_never_given_to_one_of_two_sources(browsers: SimpleNamespace) -> None:
    knows("Cantine")
    knows("Crèche")
    answer = browsers.clerk.post(NEW, sent_file())
    assert answer.status_code == 422
    assert "Ces titres sont ceux de plusieurs provenances (Cantine, Crèche)" in text(answer)
    assert not Batch.objects.exists()


def test_usual_titles_say_nothing_of_where_a_file_comes_from(browsers: SimpleNamespace) -> None:
    """Only one source has them here, because somebody checked its columns; another one's files have them too."""
    usual = "Numéro;Date;Échéance;Montant;Objet;Code redevable;E-mail"
    knows("Eau", usual)
    for titles in (usual, "NUM;EMISE;LIMITE;SOMME;MOTIF;USAGER;AUTRE"):
        answer = browsers.clerk.post(NEW, sent_file(titles))
        assert (answer.status_code, "Choisissez d'où vient ce fichier." in text(answer)) == (422, True)
    assert not Batch.objects.exists()


def test_the_link_is_for_who_may_use_it(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch()
    link = "backoffice/partials/columns_link.html"
    assert path_of(batch) in render_to_string(link, {"batch": batch, "can_act": True})
    assert not render_to_string(link, {"batch": batch, "can_act": False}).strip()
    batch.state = "published"
    assert not render_to_string(link, {"batch": batch, "can_act": True}).strip()
