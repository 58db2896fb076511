"""Tables of text: a line of titles, then rows, with a sign between the cells (CSV)."""

import codecs
import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading.encodings import EncodingChoice, sure_encoding
from toolkit.reading.errors import FileError, UnknownEncoding, UnsureEncoding
from toolkit.reading.fields import without_accents
from toolkit.reading.text import Lines

_SMALL_WORDS = {"d", "de", "du", "des", "en", "l", "la", "le", "les"}


class TableError(Exception):
    """A row cannot be taken apart. `line` is its first one, where the quote that is wrong was opened."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def key_of_title(title: str) -> str:
    """No accents, case, punctuation or small words: `Date d'échéance` and `date_echeance` → `dateecheance`."""
    words = re.split(r"[^a-z0-9]+", without_accents(title.replace("’", "'")).lower())
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
    try:
        for cells in csv.reader(lines, delimiter=delimiter, strict=strict):
            line, before = before + 1, lines.number
            if any(cells) and not "".join(cells).isspace():
                yield line, cells
    except csv.Error:
        raise TableError(before + 1) from None


def encoding_of_table(stream: BinaryIO) -> str:
    """The encoding, when it is sure; what somebody picks by mistake is called by its name. Raises FileError."""
    try:
        return _found(stream, "").encoding
    except UnsureEncoding as why:
        sentence = _(
            "%(why)s Enregistrez-le au format « CSV UTF-8 » depuis votre logiciel, puis déposez-le à nouveau."
        )
        raise UnsureEncoding(sentence % {"why": why}, why.choice) from None


def encoding_choice(stream: BinaryIO, confirmed: str = "") -> EncodingChoice:
    """As `encoding_of_table`, where a source's rules may say what a person `confirmed`. Raises FileError."""
    try:
        return _found(stream, confirmed)
    except UnsureEncoding as why:
        sentence = _(
            "%(why)s Choisissez la bonne lecture dans les règles de la provenance, ou enregistrez le fichier au "
            "format « CSV UTF-8 », puis déposez-le à nouveau."
        )
        raise UnsureEncoding(sentence % {"why": why}, why.choice) from None


def _found(stream: BinaryIO, confirmed: str) -> EncodingChoice:
    stream.seek(0)
    head = stream.read(512)
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
    if (mistaken := _mistaken(head)) is not None:
        raise FileError(mistaken)
    try:
        return sure_encoding(stream, confirmed)
    except UnknownEncoding as why:
        sentence = _(
            "%(why)s Enregistrez-le au format « CSV UTF-8 » depuis votre logiciel, puis déposez-le à nouveau."
        )
        raise FileError(sentence % {"why": why}) from None


def _mistaken(head: bytes) -> str | None:
    """A sentence for a page of the web, a picture or a letter."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return _(
            "Ce fichier est une page web, pas un CSV : votre logiciel a sans doute enregistré un écran de connexion "
            "ou d'erreur. Exportez de nouveau les factures au format CSV."
        )
    if start.startswith((b"\xff\xd8\xff", b"\x89png", b"gif8")):
        return _("Ce fichier est une image, pas un CSV. Demandez à votre logiciel un export au format CSV.")
    if start.startswith(b"{\\rtf"):
        return _(
            "Ce fichier est un texte mis en forme (RTF), pas un CSV. Demandez à votre logiciel un export au format "
            "CSV."
        )
    return None
