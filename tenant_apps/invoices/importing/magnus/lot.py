"""The ZIP of Magnus: tables named WTAMC…, and the PDFs in PJ/. Nothing of it is ever written to a path."""

import csv
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.kinds import Pdf
from tenant_apps.invoices.importing.documents.names import base_name
from toolkit.reading.errors import FileError
from toolkit.reading.tables import encoding_of_table
from toolkit.reading.text import Lines

WIDTH = 125  # columns of the table of lines
MOST_TEXT = 300 * 1024 * 1024  # bytes of one table, unpacked
MOST_RECORDS = 250_000  # of the tables beside
_TABLE = re.compile(r"WTAMC[0-9]*(|AS|PJ|_?TSOL)\.txt", re.IGNORECASE)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError)


def looks_like_lot(head: bytes) -> bool:
    """Whether a file that begins with `head` is a ZIP with a table of Magnus."""
    return (
        head.startswith(b"PK\x03\x04")
        and re.search(rb"WTAMC[0-9]{0,6}(AS|PJ|_?TSOL)?\.txt", head) is not None
    )


class Attachments:
    """The PDFs of the ZIP, checked like any archive of PDFs. Its tables are not among them."""

    def __init__(self, file: BinaryIO) -> None:
        self._archive = Archive(file)

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name, or None."""
        return self._archive.find(name, is_file=is_file)

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when it is not a sound PDF."""
        return self._archive.read(key)

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each PDF."""
        for key, name in self._archive.names():
            if not _TABLE.fullmatch(base_name(name)):
                yield key, name


class Lot:
    """The tables of the ZIP. Raises FileError when the ZIP cannot be trusted, or has no table of lines."""

    def __init__(self, file: BinaryIO, *, encoding: str = "") -> None:
        self.attachments = Attachments(file)  # bombs, links, forbidden names, a directory too large
        self._zip = zipfile.ZipFile(file)
        self._encoding = encoding
        self._tables: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            if found := _TABLE.fullmatch(base_name(entry.filename)):
                kind = found[1].upper().strip("_")
                if kind in self._tables:
                    sentence = _(
                        "L'archive contient deux lots Magnus (« %(one)s » et « %(other)s ») : envoyez-les l'un après "
                        "l'autre."
                    )
                    words = {"one": self._tables[kind].filename[-80:], "other": entry.filename[-80:]}
                    raise FileError(sentence % words)
                self._tables[kind] = entry
        if "" not in self._tables:
            raise FileError(
                _("Ce lot Magnus n'a pas son fichier d'écritures (WTAMC001.txt) : produisez-le de nouveau.")
            )

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Each line of the table of lines, with its number. Raises FileError."""
        return self._rows("")

    def names_of_pdfs(self) -> dict[str, list[str]]:
        """Id of a record → the whole names of its PDFs, which the table of lines cuts."""
        found: dict[str, list[str]] = {}
        for cells in self._beside("PJ"):
            if len(cells) > 1 and cells[1].strip():
                found.setdefault(cells[0].strip(), []).append(cells[1].strip())
        return found

    def solidary(self) -> dict[str, str]:
        """Id of a record → the names of those who owe it too."""
        found: dict[str, str] = {}
        for cells in self._beside("TSOL"):
            if len(cells) < 5:
                continue
            name = " ".join(" ".join(cells[3:5]).split())[:80]
            if name:
                key = cells[1].strip()
                found[key] = f"{found[key]}, {name}"[:200] if key in found else name
        return found

    def _beside(self, kind: str) -> Iterator[list[str]]:
        if kind not in self._tables:
            return
        for count, (_line, cells) in enumerate(self._rows(kind)):
            if count == MOST_RECORDS:
                raise FileError(_("Ce lot Magnus est trop grand. Découpez-le en plusieurs envois."))
            yield cells

    def _rows(self, kind: str) -> Iterator[tuple[int, list[str]]]:
        name = base_name(self._tables[kind].filename)
        try:
            # Unpacked on disk first: between two lines, others read PDFs of the same ZIP.
            with tempfile.TemporaryFile(prefix="magnus-") as unpacked:
                self._unpack(kind, unpacked)
                lines = Lines(unpacked, self._encoding or encoding_of_table(unpacked))
                try:
                    for text in lines:
                        if text.strip():
                            yield lines.number, cells_of(text.rstrip("\r\n"))
                finally:
                    lines.release()
        except UnicodeDecodeError:
            sentence = _("« %(name)s » n'est pas dans l'encodage que dit sa provenance.")
            raise FileError(sentence % {"name": name}) from None
        except _BROKEN:
            sentence = _("« %(name)s » est abîmé dans le lot Magnus : produisez-le de nouveau.")
            raise FileError(sentence % {"name": name}) from None

    def _unpack(self, kind: str, to: IO[bytes]) -> None:
        entry = self._tables[kind]
        if entry.file_size > MOST_TEXT:
            raise FileError(_("Ce lot Magnus est trop grand. Découpez-le en plusieurs envois."))
        with self._zip.open(entry) as packed:
            shutil.copyfileobj(packed, to, 1024 * 1024)


def cells_of(line: str) -> list[str]:
    """The cells of a line. None spans two lines, and a quote inside a cell may not be doubled; empty: no table."""
    try:
        cells = next(csv.reader([line], delimiter=";", strict=True), [])
    except csv.Error:
        cells = []
    if len(cells) != WIDTH and line.startswith('"') and line.endswith('"'):
        apart = line[1:-1].split('";"')
        return [cell.replace('""', '"') for cell in apart] if len(apart) == WIDTH else cells
    return cells
