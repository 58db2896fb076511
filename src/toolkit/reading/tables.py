"""Tables of text: a line of titles, then rows, with a sign between the cells (CSV)."""

import codecs
import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading.errors import FileError, UnknownEncoding
from toolkit.reading.fields import without_accents
from toolkit.reading.text import Lines, encoding_of

TableError = csv.Error  # a row that cannot be taken apart; `Lines.number` says where
_SMALL_WORDS = {"d", "de", "du", "des", "en", "l", "la", "le", "les"}


def key_of_title(title: str) -> str:
    """No accents, case, punctuation or small words: `Date d'échéance` and `date_echeance` → `dateecheance`."""
    words = re.split(r"[^a-z0-9]+", without_accents(title).lower())
    return "".join(word for word in words if word not in _SMALL_WORDS)


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of one line by itself; none when it cannot be taken apart."""
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []


def rows_of(lines: Lines, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Each row that has something in it, with the number of its first line. Raises TableError.

    `strict`: a quote that is never closed is an error; otherwise it takes the rows after it into its cell.
    """
    before = lines.number
    for cells in csv.reader(lines, delimiter=delimiter, strict=strict):
        line, before = before + 1, lines.number
        if any(cell.strip() for cell in cells):
            yield line, cells


def encoding_of_table(stream: BinaryIO) -> str:
    """As `encoding_of`; what somebody picks by mistake is called by its name. Raises FileError."""
    stream.seek(0)
    head = stream.read(64)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileError(
            _(
                "Ce fichier est un classeur (Excel, LibreOffice) ou une archive, pas un CSV. Ouvrez-le dans votre "
                "tableur, choisissez « Enregistrer sous » et le format « CSV UTF-8 », puis déposez le nouveau fichier."
            )
        )
    if head.startswith(b"%PDF-"):
        raise FileError(
            _("Ce fichier est un PDF, pas un CSV. Demandez à votre logiciel un export au format CSV.")
        )
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<?xml"):
        raise FileError(
            _("Ce fichier est au format XML, pas un CSV. Demandez à votre logiciel un export au format CSV.")
        )
    try:
        return encoding_of(stream)
    except UnknownEncoding:
        raise FileError(
            _(
                "Ce fichier n'est pas un texte lisible : son encodage est inconnu. Enregistrez-le au format "
                "« CSV UTF-8 » depuis votre logiciel, puis déposez-le à nouveau."
            )
        ) from None
