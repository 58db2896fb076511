"""A whole import on real PostgreSQL and S3: checked, staged, published, taken back; and the refusals."""

import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pikepdf
import pytest
import requests
from django.core.files.storage import storages

from shared_apps.accounts.models import Account
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.documents.links import document_link
from tenant_apps.invoices.errors import AlreadyPaid, WrongState
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.queries import invoices_for_resident
from tenant_apps.invoices.states import BatchState
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.services import queue_planned
from tenant_apps.residents.models import Payer, PayerEmail
from tenants.models import Town

HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom;E-mail"
ROW = "2015-001-001078;02/09/2015;31/08/2016;25,00 €;FACTURATION;F001;MARTIN;Alice;alice@example.net"
ROW2 = "2016-001-000096;19/10/2015;30/10/2015;1 032,50;FACTURATION;F001;MARTIN;Alice;alice@example.net"


def pdf(pages: int = 1) -> bytes:
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def archive(**files: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in files.items():
            z.writestr(name, content)
    out.seek(0)
    return out


@pytest.fixture
def run(town: Town) -> Callable[..., Batch]:
    """`run("csv text" or bytes, documents=…)`: an import, processed by the worker as far as it goes."""

    def go(*lines: str, raw: bytes | None = None, documents: io.BytesIO | None = None, **more: Any) -> Batch:
        content = raw if raw is not None else "\r\n".join(lines).encode()
        batch = services.create_batch(
            actor="system",
            rows_file=io.BytesIO(content),
            rows_name="factures.csv",
            documents_file=documents,
            documents_name="pdf.zip" if documents else "",
            **more,
        )
        processing.process_waiting()
        batch.refresh_from_db()
        return batch

    return go


def publish(batch: Batch) -> None:
    services.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    batch.refresh_from_db()


def sentences(batch: Batch) -> list[str]:
    return [problem.message for problem in batch.problems.all()]


def test_checked_then_published_then_seen(
    run: Callable[..., Batch], make_account: Callable[..., Account]
) -> None:
    alice = make_account("alice@example.net")
    content = pdf()
    batch = run(HEADER, ROW, ROW2, documents=archive(**{"2015-001-001078.pdf": content}))
    assert (batch.state, batch.new_count, batch.amount) == (BatchState.READY, 2, Decimal("1057.50"))
    assert not invoices_for_resident(alice).exists()
    assert not PayerEmail.objects.exists()  # nothing of a draft is saved before the publication
    publish(batch)
    assert batch.state == BatchState.PUBLISHED
    waiting = invoices_for_resident(alice, status="unpaid")
    assert sum(invoice.balance for invoice in waiting) == Decimal("1057.50")
    assert Payer.objects.get().full_name == "Alice MARTIN"
    found = Invoice.objects.get(number="2015-001-001078")
    answer = requests.get(document_link(found), timeout=10)
    assert answer.status_code == 200
    assert answer.content == content  # byte for byte
    assert answer.headers["Content-Type"] == "application/pdf"
    assert requests.get(document_link(found).partition("?")[0], timeout=10).status_code in (400, 403)


def test_one_message_an_address_for_all_its_new_invoices(
    run: Callable[..., Batch], make_account: Callable[..., Account], mailbox: Callable[[], list[Any]]
) -> None:
    make_account("alice@example.net")
    publish(run(HEADER, ROW, ROW2))
    assert queue_planned() == 1
    assert [mail.to for mail in mailbox()] == ["alice@example.net"]
    assert "2 nouvelles factures" in mailbox()[0].subject
    PlannedNotice.objects.update(queued_at=None)  # as if the worker had died before saving that it was queued
    queue_planned()
    assert len(mailbox()) == 1


def test_same_file_twice_changes_nothing(run: Callable[..., Batch]) -> None:
    publish(run(HEADER, ROW, ROW2))
    before = list(Invoice.objects.order_by("id").values())
    again = run(HEADER, ROW, ROW2)
    assert (again.state, again.new_count, again.unchanged_count) == (BatchState.READY, 0, 2)
    with pytest.raises(WrongState, match="déjà en ligne"):
        services.publish_batch(actor="system", batch=again)
    assert list(Invoice.objects.order_by("id").values()) == before


def test_a_file_sent_again_before_publication_is_told_what_to_do(run: Callable[..., Batch]) -> None:
    run(HEADER, ROW)
    again = run(HEADER, ROW)
    assert again.state == BatchState.REFUSED
    assert "publiez cet import, ou abandonnez-le" in sentences(again)[0]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_delimiters_and_encodings(run: Callable[..., Batch], delimiter: str, encoding: str) -> None:
    row = ROW.replace("25,00 €", "25.00").replace("Alice;", "Zoé;")
    batch = run(raw=f"{HEADER}\n{row}\n".replace(";", delimiter).encode(encoding))
    assert batch.state == BatchState.READY, sentences(batch)
    publish(batch)
    assert Payer.objects.get().first_name == "Zoé"


@pytest.mark.parametrize(
    ("lines", "line", "field", "words"),
    [
        ([HEADER, ROW.replace("02/09/2015", "31/02/2015")], 2, "Date", "n'est pas une date"),
        ([HEADER, ROW.replace("02/09/2015", "02/09/15")], 2, "Date", "deux chiffres"),
        ([HEADER, ROW.replace("31/08/2016", "31/08/2014")], 2, "Échéance", "avant la date"),
        ([HEADER, ROW.replace("25,00 €", "-25,00")], 2, "Montant", "supérieur à zéro"),
        ([HEADER, ROW.replace("25,00 €", "250000000")], 2, "Montant", "99 999,99"),
        ([HEADER, ROW.replace("25,00 €", "beaucoup")], 2, "Montant", "n'est pas un montant"),
        ([HEADER, ROW.replace("25,00 €", "25,005")], 2, "Montant", "deux décimales"),
        ([HEADER, ROW, ROW], 3, "Numéro", "déjà à la ligne 2"),
        ([HEADER, ROW.replace("alice@example.net", "alice(at)example")], 2, "E-mail", "adresse e-mail"),
        ([HEADER, ROW.replace("F001", "")], 2, "Code redevable", "vide"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_kept(
    run: Callable[..., Batch], lines: list[str], line: int, field: str, words: str
) -> None:
    batch = run(*lines)
    assert batch.state == BatchState.REFUSED
    problem = batch.problems.get(severity="error")
    assert (problem.line, problem.field) == (line, field)
    assert words in problem.message
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "vide"),
        ((HEADER + "\n").encode(), "aucune facture"),
        (f"{HEADER}\n{ROW}".replace(";", "|").encode(), "séparés par"),
        (f"{HEADER}\n{ROW}".replace("Montant;", "").encode(), "« Montant »"),
        (b"\x00\x01\x02\x03" * 100, "texte lisible"),
        (
            f"{HEADER}\n{ROW}".replace("Montant;", "").replace("Date;", "", 1).encode(),
            "les colonnes « Date », « ",
        ),
        (b"PK\x03\x04" + b"\0" * 60, "classeur (Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 60, "ne se lit pas"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "ne se lit pas"),
        (b"%PDF-1.7\n\xe2\xe3", "PDF des factures est abîmé"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><n:PES_Aller/>', "format XML"),
    ],
)
def test_a_bad_file_is_explained(run: Callable[..., Batch], raw: bytes, words: str) -> None:
    batch = run(raw=raw)
    assert batch.state == BatchState.REFUSED
    assert words in batch.problems.get().message


def test_a_missing_and_an_extra_pdf_are_warnings(run: Callable[..., Batch]) -> None:
    batch = run(HEADER, ROW, documents=archive(**{"autre.pdf": pdf()}))
    assert batch.state == BatchState.READY
    assert batch.problems.filter(field="Fichier PDF", severity="warning").count() == 2
    assert "Pas de PDF" in " ".join(sentences(batch))
    assert "autre.pdf" in " ".join(sentences(batch))


def test_a_pdf_is_never_shown_to_another_payer(run: Callable[..., Batch]) -> None:
    header, one = HEADER + ";Fichier PDF", ROW + ";C:\\export\\liste.pdf"
    documents = {"liste.pdf": pdf()}
    same = run(header, one, ROW2 + ";liste.pdf", documents=archive(**documents))
    assert (same.state, same.document_count) == (BatchState.READY, 1)  # one PDF for two invoices of one payer
    services.discard_batch(actor="system", batch=same)
    other = run(header, one, ROW2.replace("F001", "F002") + ";liste.pdf", documents=archive(**documents))
    assert other.state == BatchState.REFUSED
    assert "d'un autre redevable" in " ".join(sentences(other))


def test_one_pdf_is_not_guessed_for_two_years(run: Callable[..., Batch]) -> None:
    years = (f"{row};{year}" for row, year in ((ROW, 2015), (ROW.replace("02/09/2015", "02/01/2016"), 2016)))
    batch = run(HEADER + ";Exercice", *years, documents=archive(**{"2015-001-001078.pdf": pdf()}))
    assert batch.state == BatchState.REFUSED
    assert "convient aussi à la ligne 2" in " ".join(sentences(batch))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"2015-001-001078.pdf": b"MZ not a pdf"}, "n'est pas un PDF"),
        ({"2015-001-001078.pdf": b"%PDF-1.7 truncated"}, "abîmé"),
        ({"../2015-001-001078.pdf": pdf()}, "interdit"),
        ({"/etc/2015-001-001078.pdf": pdf()}, "interdit"),
        ({"a/2015-001-001078.pdf": pdf(), "b/2015-001-001078.pdf": pdf()}, "conviennent"),
    ],
)
def test_a_bad_archive_is_refused(run: Callable[..., Batch], files: dict[str, bytes], words: str) -> None:
    batch = run(HEADER, ROW, documents=archive(**files))
    assert batch.state == BatchState.REFUSED
    assert words in " ".join(sentences(batch))
    assert not Invoice.objects.exists()


def test_a_zip_bomb_is_refused(run: Callable[..., Batch]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        z.writestr("2015-001-001078.pdf", b"%PDF-" + b"0" * 50_000_000)
    out.seek(0)
    batch = run(HEADER, ROW, documents=out)
    assert "anormalement compressé" in sentences(batch)[0]


def test_not_a_zip(run: Callable[..., Batch]) -> None:
    batch = run(HEADER, ROW, documents=io.BytesIO(b"hello"))
    assert "ZIP lisible" in sentences(batch)[0]


def test_taken_back_and_published_again(
    run: Callable[..., Batch], make_account: Callable[..., Account]
) -> None:
    alice = make_account("alice@example.net")
    batch = run(HEADER, ROW)
    publish(batch)
    services.take_back_batch(actor="system", batch=batch)
    assert not invoices_for_resident(alice).exists()
    batch.refresh_from_db()
    publish(batch)
    assert invoices_for_resident(alice).count() == 1


def test_not_taken_back_once_paid(run: Callable[..., Batch]) -> None:
    batch = run(HEADER, ROW)
    publish(batch)
    Invoice.objects.update(paid=Decimal("1.00"))
    with pytest.raises(AlreadyPaid):
        services.take_back_batch(actor="system", batch=batch)
    assert Invoice.objects.get().state == "published"


def test_given_up_leaves_no_draft_and_no_file(
    run: Callable[..., Batch], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    batch = run(HEADER, ROW, documents=archive(**{"2015-001-001078.pdf": pdf()}))
    keys = [*batch.documents.values_list("key", flat=True), batch.rows_key, batch.documents_key]
    assert all(storages["documents"].exists(key) for key in keys)
    with django_capture_on_commit_callbacks(execute=True):
        services.discard_batch(actor="system", batch=batch)
    assert not Invoice.objects.exists()
    assert not any(storages["documents"].exists(key) for key in keys)


def test_a_payment_reference_serves_one_invoice(run: Callable[..., Batch]) -> None:
    header = HEADER + ";Référence TIPI"
    publish(run(header, f"{ROW};REF000001"))
    batch = run(header, f"{ROW2};REF000001")
    assert batch.state == BatchState.REFUSED
    assert "sert déjà à la facture n° 2015-001-001078" in " ".join(sentences(batch))


def test_footer_and_blank_lines_are_left_out(run: Callable[..., Batch]) -> None:
    batch = run(HEADER, "", ROW, ";;;;;;;;", "TOTAL;;;25,00 €;;;;;")
    assert (batch.state, batch.new_count) == (BatchState.READY, 1), sentences(batch)


def test_a_worker_that_starts_again_ends_the_same(run: Callable[..., Batch]) -> None:
    batch = run(HEADER, ROW, ROW2, documents=archive(**{"2015-001-001078.pdf": pdf()}))
    keys = set(batch.documents.values_list("key", flat=True))
    Batch.objects.update(state=BatchState.CHECKING)  # the state after a crash that follows the staging
    processing.process_waiting()
    batch.refresh_from_db()
    assert (batch.state, Invoice.objects.count()) == (BatchState.READY, 2)
    assert set(batch.documents.values_list("key", flat=True)) == keys


def test_a_command_reads_again_what_the_worker_finished_before_its_first_look(town: Town) -> None:
    content = "\r\n".join([HEADER, ROW]).encode()
    batch = services.create_batch(actor="system", rows_file=io.BytesIO(content), rows_name="factures.csv")
    processing.process_waiting()
    assert batch.state == BatchState.UPLOADED  # what the command holds in memory
    assert processing.INTAKE.until_done(batch, seconds=1).state == BatchState.READY
