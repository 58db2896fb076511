"""Tables that harm on purpose or by accident: rows or a sentence, quickly, in little memory, and nothing is run."""

import contextlib
import gzip
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tenant_apps.invoices.importing.format import HEAD
from tenant_apps.invoices.importing.formats.csv import FORMAT
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, RowProblem
from tenant_apps.invoices.importing.registry import recognised
from tests.invoices.importing.files import HEADER, MEGABYTE, ROW, changed, lines, memory, read
from toolkit import sheets
from toolkit.reading.errors import FileError

MOST_MEMORY = 100 * MEGABYTE  # of Python, whatever the file


def refusal(content: bytes) -> str:
    """The sentence that refuses the whole file, read by the format that takes it, within memory and time."""
    file = io.BytesIO(content)
    began = time.monotonic()
    with memory() as peak, pytest.raises(FileError) as refused:
        list(recognised(content[:HEAD], "factures.csv").rows(file))
    assert peak() < MOST_MEMORY
    assert time.monotonic() - began < 300  # a quadratic reader takes hours
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 40, "une image, pas un CSV"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "une image, pas un CSV"),
        (b"GIF89a" + bytes(200), "une image, pas un CSV"),
        (b"<!DOCTYPE html>\n<html><body>Session expir\xc3\xa9e</body></html>", "une page web, pas un CSV"),
        (b"\xef\xbb\xbf\n <HTML><table><tr><td>Num\xc3\xa9ro</td></tr></table>", "une page web, pas un CSV"),
        (rb"{\rtf1\ansi\deff0 {\fonttbl}Num\'e9ro;Date}", "RTF"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "un PDF, pas un CSV"),
        (b"PK\x03\x04" + bytes(100), "un classeur"),
        (gzip.compress(lines(ROW).encode()), "encodage est inconnu"),
        (b"\x7fELF\x02\x01\x01" + bytes(400), "encodage est inconnu"),
        (b"\x00" * 5000, "encodage est inconnu"),
        (lines(ROW).encode().replace(b"F001", b"F0\x0001"), "encodage est inconnu"),
        (lines(ROW).encode().replace(b"F001", b"F0\x0801"), "encodage est inconnu"),
        (lines(ROW).encode("utf-32"), "encodage est inconnu"),
        (lines(ROW).encode("utf-16")[:-1] + b"\xd8", "encodage est inconnu"),
        (b"Num\xc3\xa9ro;Date;\xc3", "encodage"),
        (b";" * 60_000, "titres des colonnes"),
        (b'"' * 60_000, "titres des colonnes"),
        (b'"\n' * 30_000, "titres des colonnes"),
        (b"\r" * 100_000, "vide"),
        (lines(ROW).encode() + b"\n" * 4_000_000, "trop de lignes"),
        (b"a" * 3 * MEGABYTE, "trop longue"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(content: bytes, words: str) -> None:
    assert words in refusal(content)


def cell_of_ten_megabytes() -> bytes:
    return lines(ROW, changed(number="2", subject="x" * 10 * MEGABYTE)).encode()


def cell_of_many_lines() -> bytes:
    return lines(ROW, changed(number="2", subject='"' + "ligne\n" * 500_000 + '"')).encode()


def quotes_for_ever() -> bytes:
    return (HEADER + "\n").encode() + ('"' * 99_000 + "x\n").encode() * 40


def a_quote_and_many_rows() -> bytes:
    return lines(
        ROW, changed(number="2", subject='"ouvert'), *(changed(number=f"A{n}") for n in range(50_000))
    ).encode()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (cell_of_ten_megabytes, "à la ligne 3 : elle est trop longue"),
        (cell_of_many_lines, "à la ligne 3 : un guillemet"),
        (quotes_for_ever, "guillemet"),
        (a_quote_and_many_rows, "à la ligne 3 : un guillemet"),
    ],
)
def test_cells_without_end(made: Callable[[], bytes], words: str) -> None:
    assert words in refusal(made())


def test_two_hundred_columns() -> None:
    titles = HEADER + "".join(f";Colonne {n}" for n in range(200))
    rows, errors, notices = read(f"{titles}\n{ROW}{';x' * 200}\n")
    assert (len(rows), errors) == (1, [])
    assert all(len(notice.message) < 1000 for notice in notices)
    _, errors, _ = read(f"{HEADER}\n{ROW}{';x' * 5000}\n")
    assert "plus de valeurs que de titres" in errors[0].message


def test_two_hundred_columns_of_one_title() -> None:
    titles = f"{HEADER}{';Montant' * 200}"
    rows, errors, notices = read(
        f"{titles}\n{ROW}{';25,00' * 200}\n{changed(number='2')}{';25,00' * 199};9\n"
    )
    assert [row.line for row in rows] == [2]
    assert [(error.line, error.value) for error in errors] == [(3, "9")]
    assert notices


@pytest.mark.parametrize(
    "amount",
    [
        "1e308",
        "1E+308",
        "inf",
        "-inf",
        "nan",
        "0x10",
        "1_000",
        pytest.param("9" * 400, id="400 digits"),
        pytest.param("1" + "0" * 99_000, id="99000 digits"),
        "٣٧",
        "1,2,3",
        "--5",
        "()",
    ],
)
def test_amounts_that_are_none(amount: str) -> None:
    rows, errors, _ = read(lines(ROW, changed(number="2", amount=amount)))
    assert [row.line for row in rows] == [2]
    assert [(error.line, error.field) for error in errors] == [(3, "Montant")]
    assert len(errors[0].value) <= 80


@pytest.mark.parametrize(
    "day",
    [
        "31/02/2026",
        "29/02/2027",
        "00/00/0000",
        "99999",
        "99999999999",
        "30000.5",
        "-1",
        "1/1/1",
        "2026-13-01",
    ],
)
def test_days_that_are_none(day: str) -> None:
    rows, errors, _ = read(lines(ROW, changed(number="2", date=day)))
    assert [row.line for row in rows] == [2]
    assert errors
    assert {(error.line, error.field) for error in errors} <= {(3, "Date"), (3, "Échéance")}


@pytest.mark.parametrize(
    "formula",
    ["=CMD|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://example.org")', "=WEBSERVICE(A1)"],
)
def test_a_formula_is_a_text_and_stays_one(formula: str) -> None:
    subject = '"' + formula.replace('"', '""') + '"'
    rows, errors, _ = read(lines(changed(subject=subject)))
    assert (rows[0].subject, errors) == (formula, [])
    assert sheets.cell(rows[0].subject).startswith("'")  # wherever we write a sheet


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "{{ 7*7 }}",
        "%(label)s %s {0}",
        "'; DROP TABLE payer; --",
        "\u202egnp.exe",
        pytest.param("a" * 160, id="long"),
    ],
)
def test_texts_that_try_something_are_only_texts(text: str) -> None:
    rows, errors, notices = read(lines(changed(subject=f'"{text}"', amount="25,00")))
    assert not errors
    assert rows[0].subject == text.replace("\u202e", "")
    _, errors, _ = read(lines(changed(amount=f'"{text}"')))
    assert errors[0].value == text[:80]
    assert notices


def test_many_addresses_in_one_cell() -> None:
    began = time.monotonic()
    cell = ",".join(f"a{n}@example.org" for n in range(4000))
    rows, errors, _ = read(lines(changed(email=f'"{cell}"')))
    assert (len(rows[0].emails), errors) == (4000, [])
    _, errors, _ = read(lines(changed(email="a" * 90_000 + "@")))
    assert len(errors[0].message) < 1000
    assert time.monotonic() - began < 120


@pytest.mark.parametrize(
    "sign", ["&", "&#", "&#x110000;", "&#0;", "&bidon;", pytest.param("&" * 90_000, id="many"), "&#99999;"]
)
def test_entities_that_are_none(sign: str) -> None:
    rows, errors, _ = read(lines(changed(subject=f'"{sign}"')))
    assert len(rows) + len(errors) == 1


def kept() -> int:
    """Bytes of memory that the process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_three_hundred_thousand_rows_are_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "factures.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write(HEADER + "\n")
        for number in range(300_000):
            out.write(f"A{number};02/10/2026;31/10/2026;25,00;EAU;F{number};a{number}@example.net;;\n")
    before, count, most = kept(), 0, 0

    def read_all() -> None:
        nonlocal count, most
        with path.open("rb") as file:
            for item in FORMAT.rows(file):
                count += isinstance(item, InvoiceRow)
                if count % 20_000 == 0:
                    most = max(most, kept())

    with pytest.raises(FileError, match="plus de 200 000 lignes"):
        read_all()
    assert count == 200_000
    assert most - before < MOST_MEMORY


def test_rows_that_are_all_wrong_are_all_told_in_little_memory() -> None:
    content = lines(*(changed(number=str(n), amount="cher", date="hier") for n in range(5_000))).encode()
    with memory() as peak:
        count = sum(
            isinstance(item, RowProblem) and item.is_error for item in FORMAT.rows(io.BytesIO(content))
        )
    assert count == 10_000
    assert peak() < 10 * MEGABYTE


def test_accents_in_every_word_do_not_fill_the_memory() -> None:
    words = "\r\n".join(f"A{n};02/10/2026;31/10/2026;25,00;Été {n}é;F1;;;" for n in range(30_000))
    content = f"{HEADER}\r\n{words}\r\n".encode("cp1252")
    with memory() as peak:
        rows = sum(isinstance(item, InvoiceRow) for item in FORMAT.rows(io.BytesIO(content)))
    assert rows == 30_000
    assert peak() < MOST_MEMORY


@pytest.mark.parametrize("filling", [b"a", b"\xe9", b"a\xe9", b"\xc3\xa9", b'"', b";", b"\r"])
def test_no_file_takes_longer_than_its_length(filling: bytes) -> None:
    """Twenty megabytes of one sign: refused in seconds."""
    began = time.process_time()
    content = lines(ROW).encode("cp1252") + filling * (20 * MEGABYTE // len(filling))
    with contextlib.suppress(FileError):
        for _item in FORMAT.rows(io.BytesIO(content)):
            pass
    assert time.process_time() - began < 120
