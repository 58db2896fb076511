"""What a billing format is: one object per file of `formats/`, with all its rules and words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.documents.kinds import Documents
from tenant_apps.invoices.importing.documents.opening import documents_in
from tenant_apps.invoices.importing.records.kinds import Record
from tenant_apps.invoices.importing.records.rules import USUAL, Reading
from tenant_apps.invoices.importing.tables.view import ColumnsView
from toolkit.reading.errors import FileError

HEAD = 64 * 1024  # bytes that `recognise` gets
_MEGABYTE = 1024 * 1024
Words = str | Promise


class Confidence(IntEnum):
    """How sure a format is that it can read a file. The surest one reads it."""

    LAST_RESORT = (
        1  # for a file that no other format takes: the format then says in words what is wrong with it
    )
    POSSIBLE = 2
    CERTAIN = 3


@dataclass(frozen=True)
class Companion:
    """The file that may come with the rows: the PDFs.

    `open(file)` or `open(file, rules)`, with the rules of the source, raises FileError when the file is not sound.
    """

    label: Words
    help: Words
    extensions: tuple[str, ...]
    media_types: tuple[str, ...]
    open: Callable[..., Documents]


PDF_ARCHIVE = Companion(
    label=gettext_lazy("Les PDF des factures, dans une archive ZIP ou en un seul PDF (facultatif)"),
    help=gettext_lazy(
        "Les PDF : une archive ZIP dont chaque fichier porte le numéro de sa facture, par exemple 2026-001-000001.pdf"
        ", ou un seul PDF dont chaque page porte le numéro de sa facture."
    ),
    extensions=(".zip", ".pdf"),
    media_types=("application/zip", "application/pdf"),
    open=documents_in,
)


@dataclass(frozen=True)
class Sample:
    """A small file with invented people, for a clerk to download and start from."""

    content: bytes
    media_type: str


def lines_of(file: BinaryIO) -> int:
    """The number of lines, for a format that has one invoice per line."""
    file.seek(0)
    return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_MEGABYTE), b""))


@dataclass(frozen=True)
class Format:
    """One way in which billing software writes invoices.

    `recognise(head, name)` gets the first HEAD bytes and the file's name. `read(file, reading)` yields the records of
    `records.kinds` in the order of the file, from its first byte. It raises FileError when the whole file cannot be
    read, and its memory must not grow with the file. `inside(file)`: the PDFs that the file itself contains.
    `rough_rows(file)` is for the progress bar. `help` is the text of the page of imports, one paragraph per sentence;
    a sentence may contain <strong>. `columns(file, reading)`: the titles and first rows of a table, for the page
    where a clerk says what each column gives; it raises FileError when there is no table at all.
    """

    name: str  # kept in each import: never change it
    label: Words
    help: tuple[Words, ...]
    extensions: tuple[str, ...]  # the first one is used for the file in S3
    media_types: tuple[str, ...]
    recognise: Callable[[bytes, str], Confidence | None]
    read: Callable[[BinaryIO, Reading], Iterator[Record]]
    rough_rows: Callable[[BinaryIO], int] = lines_of
    documents: Companion | None = PDF_ARCHIVE  # None: no file may come with it
    inside: Callable[[BinaryIO], Documents | None] | None = None
    sample: Sample | None = None
    columns: Callable[[BinaryIO, Reading], ColumnsView] | None = None
    most_bytes: int = 50 * _MEGABYTE

    def rows(self, file: BinaryIO, reading: Reading = USUAL) -> Iterator[Record]:
        """What `read` yields, unless the file is too large. Raises FileError."""
        if file.seek(0, 2) > self.most_bytes:
            sentence = _("Le fichier des factures dépasse %(limit)d Mo. Découpez-le en plusieurs envois.")
            raise FileError(sentence % {"limit": self.most_bytes // _MEGABYTE})
        file.seek(0)
        yield from self.read(file, reading)
