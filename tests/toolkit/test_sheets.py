"""The one writer of spreadsheets, and that it is the only one."""

import ast
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from toolkit.sheets import Sheet, cell, csv_answer

ROOT = Path(__file__).resolve().parents[2]
READERS = {"reader", "DictReader", "Error", "field_size_limit"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (Decimal("-1234.5"), "-1234,50"),
        (date(2026, 10, 1), "01/10/2026"),
        (datetime(2026, 10, 1, 22, 30, tzinfo=UTC), "02/10/2026 00:30"),  # as it was in Paris
        (True, "oui"),
        (12, "12"),
        ("=1+1", "'=1+1"),
        ("-5", "'-5"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("a;b", "a;b"),
    ],
)
def test_a_cell(value: object, written: str) -> None:
    assert cell(value) == written


def test_a_sheet_goes_into_a_file_that_stays_open() -> None:
    file = io.BytesIO()
    sheet = Sheet(file)
    sheet.line(["Objet", "Montant"])
    sheet.line(['Repas "bio" ; été', Decimal("3.5")])
    sheet.end()
    assert file.getvalue() == '\ufeffObjet;Montant\r\n"Repas ""bio"" ; été";3,50\r\n'.encode()


def test_an_answer_is_named_and_complete() -> None:
    answer = csv_answer("liste.csv", ["N"], ([str(n)] for n in range(3)))
    assert answer["Content-Disposition"] == 'attachment; filename="liste.csv"'
    assert b"".join(answer.streaming_content).decode("utf-8-sig") == "N\r\n0\r\n1\r\n2\r\n"


def writers(source: str) -> Iterator[str]:
    """What a module takes of `csv` to write with."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "csv":
            yield from (alias.name for alias in node.names if alias.name not in READERS)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "csv"
            and node.attr not in READERS
        ):
            yield node.attr
        elif isinstance(node, ast.Import):
            yield from (f"csv as {a.asname}" for a in node.names if a.name == "csv" and a.asname)


def test_nobody_else_writes_one() -> None:
    assert set(writers("import csv\ncsv.writer(x)")) == {"writer"}  # the scan finds what it looks for
    assert set(writers("from csv import DictWriter")) == {"DictWriter"}
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("src", "tenants", "shared_apps", "tenant_apps")
        for path in (ROOT / folder).rglob("*.py")
        if any(writers(path.read_text("utf-8")))
    }
    # The second one runs alone, imports nothing of ours, and what it writes is for us to read (decision 70).
    allowed = {"src/toolkit/sheets.py", "src/toolkit/reading/spreadsheet_process.py"}
    assert found == allowed, "write tables with toolkit.sheets"
