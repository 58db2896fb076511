"""A workbook of Excel or LibreOffice: a row of titles, then one invoice per row."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenant_apps.invoices.importing.format import Confidence, Format, Sample
from tenant_apps.invoices.importing.records.kinds import Record, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading
from tenant_apps.invoices.importing.tables.reading import read_table
from tenant_apps.invoices.importing.tables.titles import known_in
from tenant_apps.invoices.importing.tables.view import ColumnsView, first_rows, mark_of, of_file
from toolkit.reading import spreadsheets
from toolkit.reading.errors import FileError
from toolkit.reading.spreadsheets import Workbook

_ABOVE = (
    30  # rows among which the titles are looked for: a name, an address and a period may stand above them
)


def recognise(head: bytes, name: str) -> Confidence | None:
    """By its first bytes."""
    return Confidence.CERTAIN if spreadsheets.is_workbook(head) else None


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """Read the first visible sheet, row by row. `line` is the number of the row in the sheet. Raises FileError."""
    reading = of_file(reading, file)
    with spreadsheets.opened(file) as book:
        titles = _titles(book, reading)
        for sentence in _not_read(book):
            yield RowProblem(None, "", "", sentence, is_error=False)
        rows = _filled(book, titles)
        yield from read_table(titles, rows, reading, too_wide=_too_wide, blank_is_sure=book.blank_is_sure)


def columns(file: BinaryIO, reading: Reading) -> ColumnsView:
    """The titles, known or not, and the first rows. Raises FileError."""
    mark = mark_of(file)
    with spreadsheets.opened(file) as book:
        above: list[tuple[int, list[str]]] = []
        try:
            titles = _titles(book, reading, above)
            rows = first_rows(_filled(book, titles))
        except FileError:
            rows = [*above, *first_rows(book.rows)]
            if not rows:
                raise
            # Nobody knows these titles: they are the first of the widest rows.
            at = max(range(len(rows)), key=lambda n: (sum(map(bool, map(str.strip, rows[n][1]))), -n))
            titles = [" ".join(cell.split()) for cell in rows[at][1]]
            rows = [(line, row + [""] * (len(titles) - len(row))) for line, row in rows[at + 1 :]]
        read = partial(read_table, too_wide=_too_wide, blank_is_sure=book.blank_is_sure)
        return ColumnsView(tuple(titles), rows, read, mark=mark)


def _filled(book: Workbook, titles: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are left. A row of a spreadsheet ends where its last value is: the others are empty."""
    return ((line, row + [""] * (len(titles) - len(row))) for line, row in book.rows)


def _titles(book: Workbook, reading: Reading, seen: list[tuple[int, list[str]]] | None = None) -> list[str]:
    """The row that names the most fields; the rows after it are left to read. Raises FileError.

    `seen` gets the rows that were passed.
    """
    above: list[list[str]] = []
    for line, row in book.rows:
        above.append([" ".join(cell.split()) for cell in row])
        if seen is not None:
            seen.append((line, row))
        if len(known_in(above[-1], reading.rules.columns)) >= 2:
            return above[-1]
        if len(above) == _ABOVE:
            break
    shown = " | ".join(cell for cell in (above[0] if above else []) if cell)
    sentence = _(
        "Aucune des %(n)d premières lignes de la feuille « %(sheet)s » ne donne les titres des colonnes. "
        "Première ligne lue : « %(line)s »."
    )
    raise FileError(sentence % {"n": _ABOVE, "sheet": book.sheet, "line": shown[:120]})


def _not_read(book: Workbook) -> Iterator[str]:
    """Sentences about the other sheets."""
    if book.others:
        yield ngettext(
            "Seule la feuille « %(sheet)s » est lue ; la feuille %(names)s ne l'est pas.",
            "Seule la feuille « %(sheet)s » est lue ; les feuilles %(names)s ne le sont pas.",
            len(book.others),
        ) % {"sheet": book.sheet[:40], "names": _shown(book.others)}
    if book.hidden:
        yield ngettext(
            "La feuille masquée %(names)s n'est pas lue.",
            "Les feuilles masquées %(names)s ne sont pas lues.",
            len(book.hidden),
        ) % {"names": _shown(book.hidden)}


def _shown(names: Sequence[str]) -> str:
    return ", ".join(f"« {name[:40]} »" for name in names[:12])


def _too_wide(surplus: list[str]) -> str:
    if not any(cell.strip() for cell in surplus):
        return ""
    return _(
        "La ligne a une valeur à droite du tableau, sous aucun titre : donnez-lui un titre ou effacez-la."
    )


def workbook(rows: Iterable[Sequence[str]], others: Mapping[str, bytes] | None = None) -> bytes:
    """The smallest workbook with these texts that every spreadsheet opens. `others`: parts instead of its own."""
    lines = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>' for text in row) + "</row>"
        for row in rows
    )
    parts = {name: (_XML + part % {"base": _BASE, "rows": lines}).encode() for name, part in _PARTS.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in {**parts, **(others or {})}.items():
            book.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_BASE = "http://schemas.openxmlformats.org"
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="%(base)s/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="'
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="'
    'application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="%(base)s/package/2006/relationships"><Relationship Id="r1" '
    'Type="%(base)s/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="%(base)s/spreadsheetml/2006/main" '
    'xmlns:r="%(base)s/officeDocument/2006/relationships"><sheets>'
    '<sheet name="Factures" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="%(base)s/package/2006/relationships">'
    '<Relationship Id="r1" Type="%(base)s/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": '<worksheet xmlns="%(base)s/spreadsheetml/2006/main">'
    "<sheetData>%(rows)s</sheetData></worksheet>",
}
# Invented people.
_SAMPLE = (
    (
        *("Numéro", "Date", "Échéance", "Montant", "Objet", "Exercice", "Code redevable", "Civilité", "Nom"),
        *("Prénom", "Adresse", "CP", "Ville", "E-mail"),
    ),
    (
        *(
            "2026-001-000001",
            "01/10/2026",
            "31/10/2026",
            "37,50",
            "Cantine de septembre",
            "2026",
            "F0001",
            "Mme",
        ),
        *("MARTIN", "Alice", "1 place de la Mairie", "31320", "PECHABOU", "alice.martin@example.org"),
    ),
    (
        *(
            "2026-001-000002",
            "01/10/2026",
            "31/10/2026",
            "12,00",
            "Garderie de septembre",
            "2026",
            "F0002",
            "M.",
        ),
        *("DURAND", "Paul", "3 rue des Écoles", "31320", "PECHABOU", "paul.durand@example.org"),
    ),
)

FORMAT = Format(
    name="spreadsheet",
    label=gettext_lazy("tableur"),
    help=(
        gettext_lazy(
            "Un <strong>classeur Excel ou LibreOffice</strong> (.xlsx, .ods, .xls) avec les mêmes colonnes : "
            "la première feuille visible est lue, les titres peuvent être précédés de quelques lignes."
        ),
    ),
    extensions=(".xlsx", ".ods", ".xls", ".xlsm"),
    media_types=(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.ms-excel",
    ),
    recognise=recognise,
    read=read,
    columns=columns,
    rough_rows=lambda file: max(file.seek(0, 2) // 50, 1),
    sample=Sample(workbook(_SAMPLE), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    most_bytes=20 * 1024 * 1024,
)
