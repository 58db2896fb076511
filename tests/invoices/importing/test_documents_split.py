"""One large PDF: each invoice gets its pages and nothing of the others; a page that says nothing is nobody's."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.samples import batch
from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.kinds import DocumentError
from tenant_apps.invoices.importing.documents.opening import documents_in
from tenant_apps.invoices.importing.documents.split.one_pdf import OnePdf
from tenant_apps.invoices.importing.documents.split.plan import How, in_words, planned
from tenant_apps.invoices.importing.documents.split.words import page_of
from tenant_apps.invoices.importing.formats.pdfs import page_saying
from tenant_apps.invoices.importing.records.rules import Rules
from tests.invoices.importing import hostile
from tests.invoices.importing.files import MOST_MEMORY, zipped
from toolkit.reading.errors import FileError
from toolkit.reading.pdf_text import texts_of

BACK = "Comment payer : en ligne, par cheque, au guichet."


def printed(*pages: str, bookmarks: Sequence[tuple[int, str]] = ()) -> io.BytesIO:
    """A PDF of these pages; a bookmark is the page that it leads to, from 0, and its title."""
    made = FPDF()
    made.set_font("helvetica", size=12)
    titles = dict(bookmarks)
    for place, text in enumerate(pages):
        made.add_page()
        if place in titles:
            made.start_section(titles[place])
        made.multi_cell(0, 8, text)
    return io.BytesIO(bytes(made.output()))


def bill(number: str, more: str = "") -> str:
    return f"Commune de Pechabou\nFacture n° {number}\nMontant : 37,50\n{more}"


def pages(split: OnePdf, number: str) -> list[int] | None:
    """The pages that an invoice gets, from 1."""
    key = split.find(number)
    return (
        None
        if key is None
        else [place + 1 for part in split.plan.parts if part.key == key for place in part.pages]
    )


def text(content: bytes) -> str:
    file = io.BytesIO(content)
    with pikepdf.open(file) as opened:
        count = len(opened.pages)
    return "\n".join(texts_of(file, range(count)))


def test_by_the_number_on_each_page() -> None:
    split = OnePdf(printed(bill("2026-3"), bill("2026-1"), bill("2026-2")))
    assert (split.plan.how, split.plan.must_be_confirmed, split.plan.problems()) == (How.NUMBER, False, [])
    assert [name for _key, name in split.names()] == ["2026-3.pdf", "2026-1.pdf", "2026-2.pdf"]
    found = split.read(split.find("2026/1") or "")
    assert (found.name, found.pages) == ("2026-1.pdf", 1)
    assert "2026-1" in text(found.content)
    assert "2026-2" not in text(found.content)
    assert split.find("2026-4") is None
    with pytest.raises(KeyError):
        split.read("2026-4")


def test_the_same_bytes_each_time() -> None:
    file = printed(*(bill(f"2026-{n}") for n in range(250)))
    one, other = OnePdf(file), OnePdf(file)
    keys = [key for key, _name in one.names()]
    contents = {key: other.read(key).sha256 for key in reversed(keys)}
    assert {key: one.read(key).sha256 for key in keys} == contents
    assert len(set(contents.values())) == 250


@pytest.mark.parametrize(
    "label",
    [
        "Numéro de facture : {}",
        "N° de facture\n{}",
        "FACTURE N° {}",
        "Facture : {}",
        "Avis des sommes à payer n° {}",
        "Titre n° {}",
        "Référence facture {}",
    ],
)
def test_how_billing_writes_the_number(label: str) -> None:
    more = "\nN° SIRET : 21380000000017\nLe 03/11/2026, tél. 05 61 00 00 00"
    split = OnePdf(printed(*(label.format(f"CAN2026030{n}") + more for n in range(3))))
    assert [part.number for part in split.plan.parts] == ["CAN20260300", "CAN20260301", "CAN20260302"]


def test_the_prefix_of_the_source() -> None:
    plain = OnePdf(printed(bill("20260301"), bill("20260302")), Rules(prefix="CAN"))
    assert (pages(plain, "CAN20260301"), pages(plain, "20260302")) == ([1], [2])
    lettered = OnePdf(printed(bill("CAN20260301"), bill("CAN20260302")))
    assert (pages(lettered, "20260301"), pages(lettered, "CAN20260302")) == ([1], [2])
    mixed = OnePdf(printed(bill("CAN20260301"), bill("EAU20260302")))
    assert pages(mixed, "20260301") is None  # of the canteen or of the water?


def test_by_the_name_that_the_file_would_have() -> None:
    split = OnePdf(printed(bill("1"), bill("2")), Rules(document_pattern="Facture_{numero}.pdf"))
    assert split.find("C:\\PJ\\Facture_2.pdf", is_file=True) == "2"
    assert split.find("2.pdf", is_file=True) == "2"


# --- invoices of several pages -------------------------------------------------------------------------


def test_pages_that_say_that_they_follow() -> None:
    split = OnePdf(
        printed(
            bill("1", "Page 1 / 2"), "Détail\nPage 2 / 2", bill("2"), bill("3"), bill("3", "suite"), bill("4")
        )
    )
    assert (split.plan.how, split.plan.problems()) == (How.NUMBER, [])
    assert [pages(split, number) for number in "1234"] == [[1, 2], [3], [4, 5], [6]]


def test_a_back_that_is_the_same_for_everybody() -> None:
    split = OnePdf(printed(bill("1"), BACK, bill("2"), bill("3"), BACK))
    assert [pages(split, number) for number in "123"] == [[1, 2], [3], [4, 5]]


def test_by_bookmark() -> None:
    file = printed(
        *(bill("7"), "Garderie : 12 heures", bill("8"), bill("9"), "Repas : 4"),
        bookmarks=[(0, "DURAND Paul"), (2, "MARTIN Alice"), (3, "PETIT Lou")],
    )
    split = OnePdf(file)
    assert (split.plan.how, split.plan.problems()) == (How.BOOKMARK, [])
    assert [pages(split, number) for number in "789"] == [[1, 2], [3], [4, 5]]


def test_by_the_number_in_the_bookmark() -> None:
    split = OnePdf(printed("Madame", "Monsieur", "Détail", bookmarks=[(0, "Facture 71"), (1, "Facture 72")]))
    assert split.plan.how == How.BOOKMARK
    assert (pages(split, "71"), pages(split, "72")) == ([1], [2, 3])


@pytest.mark.parametrize("label", ["Client n° {}", "N° : {}", "Référence : {}", "Famille {}"])
def test_a_number_that_is_not_said_to_be_the_invoice_s_says_nothing(label: str) -> None:
    """Codes of families and numbers of invoices may be the same figures."""
    file = printed(*(label.format(n) for n in (1, 2, 3)), bookmarks=[(n, str(n + 1)) for n in range(3)])
    with pytest.raises(FileError, match="aucun numéro de facture n'est lisible"):
        OnePdf(file)


def test_bookmarks_that_contradict_the_numbers_say_nothing() -> None:
    split = OnePdf(printed(bill("1"), bill("2"), bill("3"), bookmarks=[(0, "Page"), (2, "Autre")]))
    assert split.plan.how == How.NUMBER
    assert [pages(split, number) for number in "123"] == [[1], [2], [3]]


def test_by_page_count() -> None:
    every = [one for n in range(4) for one in (bill(f"10{n}"), f"Repas de l'enfant {n}")]
    split = OnePdf(printed(*every))
    assert (split.plan.how, split.plan.problems()) == (How.COUNT, [])
    assert [pages(split, f"10{n}") for n in range(4)] == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_in_the_order_of_the_rows_only_when_a_person_confirms() -> None:
    file = printed("Madame A", "détail a", "Madame B", "détail b")
    with pytest.raises(FileError, match="aucun numéro de facture n'est lisible"):
        OnePdf(file)
    split = OnePdf(file, numbers=["21", "22"])
    assert (split.plan.how, split.plan.must_be_confirmed) == (How.ORDER, True)
    assert (pages(split, "21"), pages(split, "22")) == ([1, 2], [3, 4])
    with pytest.raises(FileError):
        OnePdf(file, numbers=["21", "22", "23"])


# --- in doubt, nobody ----------------------------------------------------------------------------------


def refused(split: OnePdf, number: str) -> str:
    with pytest.raises(DocumentError) as refusal:
        split.read(split.find(number) or "")
    return str(refusal.value)


def test_a_page_without_number_is_nobody_s() -> None:
    split = OnePdf(printed(bill("1"), "Garderie de Zoé : 99,00", bill("2"), bill("3")))
    assert "La page 2 suit la facture 1 sans porter de numéro" in refused(split, "1")
    assert split.plan.lost == (1,)
    assert any("Pages sans numéro de facture : 2." in sentence for sentence in split.plan.problems())
    assert split.read("2").pages == 1


def test_a_page_with_two_numbers() -> None:
    split = OnePdf(printed(bill("1"), bill("2", "Facture n° 3"), bill("4")))
    assert "La page 2 porte plusieurs numéros de facture : 2, 3." in refused(split, "2")
    assert "La page 2" in refused(split, "3")
    assert pages(split, "4") == [3]


def test_a_number_in_two_places() -> None:
    split = OnePdf(printed(bill("1"), bill("2"), bill("1")))
    assert "Le numéro 1 est à plusieurs endroits du PDF (pages 1, 3)." in refused(split, "1")
    assert split.read("2").pages == 1


def test_a_first_page_without_number_is_left_out() -> None:
    split = OnePdf(printed("Bordereau des factures d'octobre", bill("1"), bill("2")))
    assert split.plan.lost == (0,)
    assert (pages(split, "1"), pages(split, "2")) == ([2], [3])


def test_more_pages_than_an_invoice_has() -> None:
    split = OnePdf(printed(*[bill("1")] * 201, bill("2")))
    assert "201 pages" in refused(split, "1")


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["1", "2", "3", "4", "", "1 et 2", "verso"]), min_size=1, max_size=12))
def test_no_page_is_ever_given_to_another_number(kinds: list[str]) -> None:
    """Whatever the order: a page with a number is of that number, or of nobody."""
    texts = {"": "détail", "1 et 2": bill("1") + bill("2"), "verso": BACK}
    plan = planned([page_of(texts.get(kind, bill(kind))) for kind in kinds], {})
    if plan is None:
        return
    given_to = [(place, part.number) for part in plan.parts if not part.doubt for place in part.pages]
    assert len({place for place, _number in given_to}) == len(given_to)
    for place, number in given_to:
        if kinds[place] in "1234" and kinds[place]:
            assert kinds[place] == number
        assert kinds[place] != "1 et 2"


def test_pages_in_words() -> None:
    assert in_words([0, 1, 2, 5, 8, 9]) == "1 à 3, 6, 9 à 10"


# --- what a file of one invoice carries ----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:This document has 2 form widget")
def test_nothing_of_the_others_is_in_the_file() -> None:
    """Shared pictures, forms, attachments, scripts and links between pages stay behind."""
    document = pikepdf.open(printed(bill("1"), bill("2")))
    secrets = [document.make_stream(f"secret {n}".encode() * 50) for n in (0, 1)]
    for n, secret in enumerate(secrets):
        secret.Type, secret.Subtype, secret.Width, secret.Height = (
            pikepdf.Name.XObject,
            pikepdf.Name.Image,
            1,
            1,
        )
        secret.ColorSpace, secret.BitsPerComponent = pikepdf.Name.DeviceGray, 8
        page = document.pages[n]
        page.contents_add(f"q /Im{n} Do Q".encode())
    shared = document.make_indirect(pikepdf.Dictionary(document.pages[0].Resources))
    shared.XObject = pikepdf.Dictionary(Im0=secrets[0], Im1=secrets[1])
    field = document.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="iban", V="FR76 SECRET", Kids=[]))
    for page in document.pages:
        page.Resources = shared
        widget = document.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, Rect=[0, 0, 9, 9], Parent=field
            )
        )
        field.Kids.append(widget)
        link = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Link,
            Rect=[0, 0, 9, 9],
            A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://www.payfip.gouv.fr", Next=hostile.script()),
        )
        page.Annots = pikepdf.Array([widget, link])
        page.AA = pikepdf.Dictionary(O=hostile.script())
        page.PieceInfo = pikepdf.Dictionary(Other=document.pages[1].obj)
    document.Root.OpenAction = hostile.script()
    document.attachments["liste.csv"] = b"SECRET"
    out = io.BytesIO()
    document.save(out, compress_streams=False)
    found = OnePdf(out).read("1").content
    with pikepdf.open(io.BytesIO(found)) as opened:
        everything = b"".join(
            bytes(one.unparse(resolved=True)) + (one.read_bytes() if isinstance(one, pikepdf.Stream) else b"")
            for one in opened.objects
        )
        assert len(opened.pages) == 1
    assert b"secret 0" in everything
    assert b"secret 1" not in everything
    assert b"payfip" in everything
    for word in (b"SECRET", b"alert", b"JavaScript", b"iban"):
        assert word not in everything


def test_the_file_itself() -> None:
    assert isinstance(documents_in(printed(bill("1"), bill("2"))), OnePdf)
    assert isinstance(documents_in(zipped(("1.pdf", page_saying("1")))), Archive)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (hostile.pdf(lambda _: None, encryption=pikepdf.Encryption(user="x", owner="x")), "mot de passe"),
        (hostile.PDFS["a portfolio"][0](), "porte-documents"),
        (hostile.PDFS["XFA"][0](), "XFA"),
        (hostile.PDFS["no page"][0](), "PDF des factures"),
        (hostile.PDFS["a bomb in its table"][0](), "abîmé"),
        (b"%PDF-1.7\n%%EOF", "abîmé"),
    ],
)
def test_a_large_pdf_that_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        OnePdf(io.BytesIO(content))


# --- size ------------------------------------------------------------------------------------------------

_CHILD = (
    MOST_MEMORY
    + """
import resource, sys
import django
django.setup()
from tenant_apps.invoices.importing.documents.split.one_pdf import OnePdf
with open(sys.argv[1], "rb") as file:
    split = OnePdf(file)
    pages = sum(split.read(key).pages for key, _name in split.names())
print(pages, max(most_memory(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
"""
)


def test_5000_pages_in_300_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "factures.pdf"
    with pikepdf.new() as large:
        for one in batch.batch(5000):
            with pikepdf.open(io.BytesIO(batch.invoice_pdf(one, "Mairie de Démonstration"))) as small:
                large.pages.extend(small.pages)
        large.save(path)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    found, megabytes = map(int, done.stdout.split())
    assert found == 5000
    assert megabytes < 300
