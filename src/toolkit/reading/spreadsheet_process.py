"""The process that `toolkit.reading.spreadsheets` starts: a workbook in, a CSV out. It imports nothing of ours.

The CSV has the name of the sheet, the sheets that are not read, the hidden ones, and then a line per row that has
something in it: its number in the sheet, and its cells as a person would type them.
"""

import csv
import datetime
import os
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

MOST_MEMORY = 512 * 1024 * 1024  # of address space, Python's own included
MOST_PROCESSOR_SECONDS = 45
MOST_WRITTEN = 256 * 1024 * 1024  # bytes of CSV
READ, EMPTY, PROTECTED, UNREADABLE = 0, 3, 4, 5
_DIGITS = 15  # of a number in a spreadsheet; more are gone
# How a cell says that its formula failed → how it would say the same as a text. Calamine reads such a cell as an empty
# one, and an empty cell of a file means « empty ».
_FAILED = {
    b' t="e"': b' t="str"',
    b" t='e'": b" t='str'",
    b'office:string-value="" calcext:value-type="error"': b'calcext:value-type="error"',
}


def typed(value: Any) -> str:
    """A cell as a person would type it: `37.5`, `30/10/2026`, `VRAI`.

    A spreadsheet calculates in binary: 0.1 + 0.2 is shown as 0.3, so it is 0.3 here. Of a whole number of more than
    fifteen digits the last ones are gone: it is written 1.23E+16, which no code may be.
    """
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, int | float):
        if abs(value) >= 10**_DIGITS:
            return f"{value:.2E}"
        return str(int(value)) if value == int(value) else f"{value:.{_DIGITS}g}"
    if isinstance(value, datetime.datetime):
        return (
            value.strftime("%d/%m/%Y")
            if value.time() == datetime.time()
            else value.strftime("%d/%m/%Y %H:%M")
        )
    if isinstance(value, datetime.date):
        return value.strftime("%d/%m/%Y")
    return str(value)


def show_failed_formulas(source: str) -> None:
    """Write the workbook anew, if it has a formula that failed, so that `#N/A` is read as the text that one sees."""
    with zipfile.ZipFile(source) as book:
        parts = [
            one
            for one in book.infolist()
            if one.filename.startswith("xl/worksheets/") or one.filename == "content.xml"
        ]
        if not any(old != new for part in parts for old, new in _pieces(book, part)):
            return
        with zipfile.ZipFile(f"{source}.new", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
            for one in book.infolist():
                with out.open(one.filename, "w", force_zip64=True) as to:
                    for _old, new in _pieces(book, one, change=one in parts):
                        to.write(new)
    os.replace(f"{source}.new", source)


def _pieces(
    book: zipfile.ZipFile, part: zipfile.ZipInfo, *, change: bool = True
) -> Iterator[tuple[bytes, bytes]]:
    """The part, piece by piece, as it is and as it should be. No piece ends within a word of `_FAILED`."""
    with book.open(part) as stream:
        kept = b""
        while chunk := stream.read(256 * 1024):
            piece = kept + chunk
            cut = piece.rfind(b">") + 1 or len(piece)
            piece, kept = piece[:cut], piece[cut:]
            yield piece, _changed(piece) if change else piece
        yield kept, _changed(kept) if change else kept


def _changed(piece: bytes) -> bytes:
    for old, new in _FAILED.items():
        piece = piece.replace(old, new)
    return piece


def main(source: str, target: str) -> int:
    """The exit code says what became of it."""
    import python_calamine as calamine

    try:
        if zipfile.is_zipfile(source):
            show_failed_formulas(source)
        with calamine.load_workbook(source) as book:
            sheets = [one for one in book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
            visible = [one.name for one in sheets if one.visible == calamine.SheetVisibleEnum.Visible]
            hidden = [one.name for one in sheets if one.name not in visible]
            for name in visible:
                sheet = book.get_sheet_by_name(name)
                if sheet.height:
                    _write(target, name, [one for one in visible if one != name], hidden, sheet)
                    return READ
            return EMPTY
    except calamine.PasswordError:
        return PROTECTED
    except (calamine.CalamineError, zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError):
        return UNREADABLE


def _write(target: str, name: str, others: list[str], hidden: list[str], sheet: Any) -> None:
    first = sheet.start[0] + 1 if sheet.start else 1
    with open(target, "w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerows([[name], others, hidden])
        lines.writerows(_rows(first, sheet.iter_rows()))


def _rows(first: int, rows: Iterable[list[Any]]) -> Iterable[list[str]]:
    for number, row in enumerate(rows, start=first):
        cells = [typed(value) for value in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield [str(number), *cells]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN, MOST_WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main(*sys.argv[1:]))
