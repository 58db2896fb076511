"""Names of PDFs in archives, as every system writes them, and the invoice that each belongs to. No database."""

import io
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.kinds import DocumentError
from tenant_apps.invoices.importing.documents.names import Pattern, is_pattern
from tenant_apps.invoices.importing.formats.pdfs import page_saying
from tenant_apps.invoices.importing.records.rules import Rules
from tests.invoices.importing.hostile import RawName, zipped
from toolkit.reading.errors import FileError


def archive(*names: str | zipfile.ZipInfo, **rules: str) -> Archive:
    """Each PDF says its place: 0, 1…"""
    files = [(name, page_saying(str(place))) for place, name in enumerate(names)]
    return Archive(io.BytesIO(zipped(*files)), Rules(**rules))  # type: ignore[arg-type]


def found(archive: Archive, name: str, *, is_file: bool = False) -> int | None:
    """The place of the PDF that is found."""
    key = archive.find(name, is_file=is_file)
    if key is None:
        return None
    content = archive.read(key).content
    return int(content.split(b"Td (")[1].split(b")")[0])


def named(archive: Archive, name: str, *, is_file: bool = False) -> str:
    """Why a name finds no single PDF."""
    key = archive.find(name, is_file=is_file)
    assert key is not None
    with pytest.raises(DocumentError) as refusal:
        archive.read(key)
    return str(refusal.value)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_accents_of_a_mac_and_of_a_pc(form: str, asked: str) -> None:
    files = archive(unicodedata.normalize(form, "Facture Gaëlle.pdf"), "autre.pdf")
    assert found(files, unicodedata.normalize(asked, "Facture Gaëlle.pdf"), is_file=True) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "cp850", "cp1252"])
@pytest.mark.parametrize(
    "name", ["Reçu Gaëlle.pdf", "FACTURE HÉLÈNE.PDF", "Noël à l'école.pdf", "Garçon œuvre.pdf"]
)
def test_a_name_whose_encoding_is_not_said(encoding: str, name: str) -> None:
    try:
        raw = RawName(name.encode(encoding))
    except UnicodeEncodeError:  # œ is not in cp850
        raw = RawName(name.replace("œ", "oe").encode(encoding))
        name = name.replace("œ", "oe")
    files = archive(raw, "autre.pdf")
    assert found(files, name, is_file=True) == 0
    assert found(files, name.removesuffix(".pdf").removesuffix(".PDF")) == 0


@given(
    st.text(st.sampled_from("éèêëàâçîïôûùüÉÈÊÀÇÔÛ abcXYZ0123"), min_size=1, max_size=20),
    st.sampled_from(["utf-8", "cp850", "cp1252"]),
)
def test_what_is_written_is_found(name: str, encoding: str) -> None:
    stem = f"F{name.strip()}"
    if encoding != "utf-8":
        # Two letters of DOS may be one of UTF-8: nobody can tell, and UTF-8 is tried first.
        with suppress(UnicodeDecodeError):
            assume(stem.isascii() or not stem.encode(encoding).decode("utf-8"))
    assert found(archive(RawName(f"{stem}.pdf".encode(encoding))), f"{stem}.pdf", is_file=True) == 0


def test_what_systems_leave_is_left_out() -> None:
    litter = (
        "._1.pdf",
        "__MACOSX/._1.pdf",
        "x/.DS_Store",
        "x/Thumbs.db",
        "x/desktop.ini",
        "x/Icon\r",
        "x/__MACOSX/a",
    )
    files = archive(*litter, "x/1.pdf")
    assert [name for _key, name in files.names()] == ["1.pdf"]
    assert found(files, "1") == len(litter)


def test_folders_tell_two_regies_apart() -> None:
    files = archive("CANT/1.pdf", "EAU/1.pdf", "EAU/2.pdf")
    assert found(files, "CANT/1.pdf", is_file=True) == 0
    assert found(files, "eau\\1.pdf", is_file=True) == 1
    assert found(files, "C:\\export\\EAU\\1.pdf", is_file=True) == 1
    assert found(files, "2") == 2
    assert found(files, "CANT/2.pdf", is_file=True) is None  # not the water's bill
    for words in (named(files, "1"), named(files, "1.pdf", is_file=True)):
        assert "« CANT/1.pdf » et « EAU/1.pdf »" in words
    assert [name for _key, name in files.names()] == ["CANT/1.pdf", "EAU/1.pdf", "2.pdf"]


def test_the_folder_of_the_billing_computer_says_nothing() -> None:
    assert found(archive("Factures/1.pdf", "Factures/2.pdf"), "C:\\compta\\1.pdf", is_file=True) == 0


def test_one_at_the_top_and_one_in_a_folder() -> None:
    files = archive("1.pdf", "a/1.pdf")
    assert found(files, "1.pdf", is_file=True) == 0
    assert found(files, "a/1.pdf", is_file=True) == 1
    assert "conviennent" in named(files, "1")


def test_two_names_that_differ_by_a_sign() -> None:
    files = archive("Z-1.pdf", "Z_1.pdf")
    assert "« Z-1.pdf » et « Z_1.pdf »" in named(files, "Z/1")
    assert found(files, "Z_1.pdf", is_file=True) == 1  # the column says which


def test_pdf_twice_in_the_name() -> None:
    assert found(archive("Z241.pdf.pdf"), "Z241") == 0
    assert found(archive("Z241.PDF.pdf"), "Z241.pdf", is_file=True) == 0


def test_zeros_that_a_spreadsheet_lost() -> None:
    assert found(archive("001964.pdf"), "1964") == 0
    assert found(archive("1964.pdf"), "001964") == 0
    assert found(archive("001964.pdf", "1964.pdf"), "1964") == 1
    assert "« 001964.pdf » et « 01964.pdf »" in named(archive("001964.pdf", "01964.pdf"), "1964")
    assert found(archive("19640.pdf"), "1964") is None


def test_a_zip_in_the_zip_is_named() -> None:
    with pytest.raises(FileError, match=r"une autre archive, « octobre\.zip »"):
        archive("1.pdf", "octobre.zip")


# --- the pattern and the prefix of a source -------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "number"),
    [
        ("Facture_{numero}.pdf", "Facture_20260301.pdf", "20260301"),
        ("Facture_{numero}.pdf", "octobre/FACTURE_20260301.PDF", "20260301"),
        ("Facture_{numero}", "Facture_20260301.pdf", "20260301"),
        ("{numero}_*.pdf", "2026-12_MARTIN Paul.pdf", "2026/12"),
        ("*_{numero}_*.pdf", "REG_2026-12_MARTIN.pdf", "2026-12"),
        ("Reçu n° {numero}.pdf", unicodedata.normalize("NFD", "Reçu n° 12.pdf"), "12"),
    ],
)
def test_the_pattern_of_a_source(pattern: str, name: str, number: str) -> None:
    assert found(archive("autre.pdf", name, document_pattern=pattern), number) == 1


def test_a_name_that_is_not_of_the_pattern_keeps_its_own() -> None:
    files = archive("Facture_1.pdf", "2.pdf", document_pattern="Facture_{numero}.pdf")
    assert (found(files, "1"), found(files, "2"), found(files, "Facture_1")) == (0, 1, 0)


def test_two_files_for_one_number_of_the_pattern() -> None:
    files = archive("1_MARTIN.pdf", "1_DURAND.pdf", document_pattern="{numero}_*.pdf")
    assert "conviennent" in named(files, "1")


def test_the_prefix_of_a_source() -> None:
    rules = {"prefix": "CAN", "document_pattern": "Facture_{numero}.pdf"}
    files = archive("Facture_20260301.pdf", "Facture_CAN20260302.pdf", **rules)
    assert (found(files, "CAN20260301"), found(files, "CAN20260302")) == (0, 1)
    assert found(archive("20260301.pdf"), "CAN20260301") is None  # no rule says that CAN may be missing


@pytest.mark.parametrize("pattern", ["Facture.pdf", "{numero}{numero}.pdf", "{numero}/x.pdf", ""])
def test_no_pattern(pattern: str) -> None:
    assert not is_pattern(pattern)
    assert Pattern(pattern).numbers_in("Facture.pdf") == set()


def test_stars_that_would_take_for_ever() -> None:
    assert not is_pattern("*a*a*a*a*{numero}.pdf")
    assert Pattern("*a" * 12 + "*{numero}.pdf").numbers_in("a" * 200 + "!") == set()


def test_several_threads_read_at_once() -> None:
    files = archive(*(f"{place}.pdf" for place in range(200)))
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda place: files.read(str(place)).content, list(range(200)) * 3))
    assert contents == [page_saying(str(place)) for place in range(200)] * 3
