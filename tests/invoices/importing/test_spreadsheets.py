"""Workbooks: the same rows as a CSV, and hostile files that cost neither memory nor time."""

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.importing.formats import csv, spreadsheet
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, RowProblem
from tenant_apps.invoices.importing.registry import recognised
from tenant_apps.invoices.models import Invoice
from tests.invoices.importing.files import memory
from toolkit.reading import spreadsheets
from toolkit.reading.errors import FileError
from toolkit.reading.spreadsheet_process import typed

TITLES = ("Numéro", "Date", "Échéance", "Montant", "Objet", "Code redevable", "Nom", "E-mail")
ROW = ("2026-1", "01/10/2026", "31/12/2026", "37,50", "Cantine", "F0001", "MARTIN", "a@example.org")
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows: tuple[str, ...], **parts: bytes) -> bytes:
    """A workbook of these rows; `parts` replace parts of it by name."""
    return spreadsheet.workbook(rows, {name.replace("__", "/"): part for name, part in parts.items()})


def with_sheet(xml: bytes) -> bytes:
    """The sample with another sheet."""
    return spreadsheet.workbook((), {SHEET: xml})


def read(content: bytes) -> list[InvoiceRow | RowProblem]:
    return list(spreadsheet.FORMAT.rows(io.BytesIO(content)))


def errors(content: bytes) -> list[str]:
    return [str(one) for one in read(content) if isinstance(one, RowProblem) and one.is_error]


text = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
bills = st.lists(
    st.tuples(
        st.integers(1, 10**6).map(lambda n: f"2026-{n}"),
        st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(lambda day: f"{day:%d/%m/%Y}"),
        st.just("31/12/2199"),
        st.decimals(0, 99_999, places=2).map(lambda euros: str(euros).replace(".", ",")),
        text,
        st.integers(1, 999).map(lambda n: f"F{n}"),
        text,
        st.sampled_from(["", "a@example.org", "pas une adresse"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=25)
@given(bills)
def test_a_workbook_is_read_as_the_same_csv(rows: list[tuple[str, ...]]) -> None:
    lines = [";".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in (TITLES, *rows)]
    same = list(csv.FORMAT.rows(io.BytesIO(("\ufeff" + "\r\n".join(lines)).encode())))
    assert read(workbook(TITLES, *rows)) == same


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (37.5, "37.5"),
        (12.3 * 3, "36.9"),
        (14.0, "14"),
        (-5, "-5"),
        (True, "VRAI"),
        (123456789012345.0, "123456789012345"),
        (1e15, "1.00E+15"),
        (12345678901234567, "1.23E+16"),
    ],
)
def test_a_number_is_what_one_sees(value: object, words: str) -> None:
    assert typed(value) == words


def test_what_stands_above_and_titles_that_come_again() -> None:
    found = read(workbook(("Commune de Pechabou",), (), TITLES, ROW, TITLES, ("2026-2", *ROW[1:])))
    assert [(one.line, one.number) for one in found if isinstance(one, InvoiceRow)] == [
        (4, "2026-1"),
        (6, "2026-2"),
    ]


def test_a_value_under_no_title_is_refused_with_its_line() -> None:
    assert errors(workbook(TITLES, (*ROW, "vu"))) == [
        "Ligne 2 : La ligne a une valeur à droite du tableau, sous aucun titre : donnez-lui un titre ou effacez-la."
    ]


def test_a_formula_that_failed_is_no_empty_cell() -> None:
    """Read as empty, it would take the family's address away."""
    content = workbook(TITLES, ROW)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read(SHEET)
    failed = b'<c t="e"><v>#REF!</v></c>'
    cell = b'<c t="inlineStr"><is><t>a@example.org</t></is></c>'
    assert cell in sheet
    told = errors(workbook(TITLES, ROW, **{SHEET.replace("/", "__"): sheet.replace(cell, failed)}))
    assert len(told) == 1
    assert "« #REF! »" in told[0]


def cells(*found: bytes) -> bytes:
    return (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
        % (b"".join(found))
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "far away": lambda: with_sheet(
        cells(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    ),
    "400 MB of nothing": lambda: with_sheet(cells(*[b" " * (1024 * 1024)] * 400)),
    "400 MB of cells": lambda: with_sheet(cells(*[b"<row>" + b"<c><v>1</v></c>" * 60_000 + b"</row>"] * 400)),
    "entities": lambda: with_sheet(
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
        + b"]>"
        + cells(b'<row><c t="inlineStr"><is><t>&m;</t></is></c></row>')
    ),
    "outside": lambda: with_sheet(
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + cells(b'<row><c t="inlineStr"><is><t>&a;</t></is></c></row>')
    ),
    "cut": lambda: workbook(TITLES, ROW)[:-200],
    "no sheet": lambda: with_sheet(b""),
    "a document": lambda: zipped_document(),
    "old and cut": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40,
}


def zipped_document() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    return out.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_in_words(name: str) -> None:
    content = HOSTILE[name]()
    assert recognised(content[:65536], "x.xlsx") is spreadsheet.FORMAT
    start = time.monotonic()
    with memory() as peak, pytest.raises(FileError, match=r"classeur|feuille"):
        read(content)
    assert peak() < 20 * 1024 * 1024
    assert time.monotonic() - start < spreadsheets.SECONDS + 5


def test_one_that_is_too_slow_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "SECONDS", 0.001)
    with pytest.raises(FileError, match="trop grand"):
        read(workbook(TITLES, ROW))


def test_from_the_upload_to_an_invoice(town: object) -> None:
    batch = services.create_batch(
        actor="system", rows_file=io.BytesIO(workbook(TITLES, ROW)), rows_name="Octobre.xlsx"
    )
    processing.process_waiting()
    batch.refresh_from_db()
    assert (batch.state, batch.format, batch.new_count) == ("ready", "spreadsheet", 1)
    services.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    assert Invoice.objects.get().amount == Decimal("37.50")
