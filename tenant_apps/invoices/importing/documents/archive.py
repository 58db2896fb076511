"""A ZIP of PDFs named by invoice number → checked bytes, one PDF at a time. No name in the ZIP is used as a path."""

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol, TypeVar

import pikepdf
from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.records.fields import key_of
from toolkit.reading.errors import FileError

T = TypeVar("T")
MOST_FILES = 20_000
MOST_FILE_BYTES = 20 * 1024 * 1024
MOST_TOTAL_BYTES = 2 * 1024 * 1024 * 1024
MOST_RATIO = 200  # PDFs are already compressed: only a zip bomb shrinks two hundred times
MOST_PAGES = 200
MOST_DIRECTORY_BYTES = 8 * 1024 * 1024  # enough for 20,000 names
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # not LZMA: its header could reserve 4 GB of memory

# Opening a PDF decompresses its tables, which may be bombs too. The limit is for the whole process: set once, here.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=64 * 1024 * 1024, parser_max_container_size=500_000, doc_max_warnings=100
)


class DocumentError(Exception):
    """One file of the ZIP is refused. `str()` is one French sentence."""


@dataclass(frozen=True)
class Pdf:
    """A checked PDF: its bytes exactly as sent."""

    name: str
    content: bytes
    sha256: str
    pages: int


class Documents(Protocol):
    """The PDFs of one import, wherever they are: a ZIP, one large PDF, the file of the rows itself."""

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name (of a file, or of an invoice's number), or None."""

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when it is not a sound PDF."""

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each PDF."""


class _DirectoryTooLarge(Exception):
    """The ZIP's list of files alone would fill the memory."""


class _Careful:
    """Limits what zipfile reads of the list of files, which it reads whole, before anything can be counted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if size > MOST_DIRECTORY_BYTES:
            raise _DirectoryTooLarge
        return self._stream.read(size if size >= 0 else MOST_DIRECTORY_BYTES)


def base_name(name: str) -> str:
    """The last part of a path, of Windows or of Unix."""
    return re.split(r"[/\\\\]", name)[-1]


class Archive:
    """The ZIP of one import. Raises FileError when the ZIP as a whole cannot be trusted or read."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(_Careful(stream))
        except _DirectoryTooLarge:
            raise FileError(_too_many()) from None
        except (zipfile.BadZipFile, struct.error, EOFError, ValueError, OSError, NotImplementedError):
            sentence = _(
                "Le fichier des PDF n'est pas une archive ZIP lisible : refaites l'archive, puis envoyez de nouveau "
                "les deux fichiers."
            )
            raise FileError(sentence) from None
        self._zip.fp = stream  # the list is read; each PDF has its own limit
        self._pages: dict[
            str, int
        ] = {}  # sha256 of a sound PDF → its number of pages: each PDF is read twice, and checked once
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(entries) > MOST_FILES:
            raise FileError(_too_many())
        if sum(entry.file_size for entry in entries) > MOST_TOTAL_BYTES:
            raise FileError(
                _("L'archive dépasse 2 Go une fois décompressée. Découpez-la en plusieurs envois.")
            )
        self.entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            if _is_litter(entry.filename):
                continue
            _refuse_dangerous(entry)
            name = base_name(entry.filename)
            key = key_of(name)
            if key in self.entries:
                raise FileError(
                    _("L'archive contient deux fois le fichier « %(name)s ».") % {"name": name[:80]}
                )
            self.entries[key] = entry

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name, or None.

        `is_file`: the name of a file, which may contain a folder of the billing computer; otherwise a number, which
        may contain a slash.
        """
        key = key_of(base_name(name) if is_file else name)
        return key if key in self.entries else None

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when it is not a sound PDF."""
        entry = self.entries[key]
        name = base_name(entry.filename)[:80]
        if entry.file_size > MOST_FILE_BYTES:
            raise DocumentError(_("« %(name)s » dépasse 20 Mo.") % {"name": name})
        try:
            with self._zip.open(entry) as stream:
                content = stream.read(
                    entry.file_size + 1
                )  # one byte more than listed, to notice a wrong size
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError):
            raise DocumentError(_("« %(name)s » est abîmé dans l'archive.") % {"name": name}) from None
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._pages:
            self._pages[sha256] = _pages(name, content)
        return Pdf(name, content, sha256, self._pages[sha256])

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each file."""
        for key, entry in self.entries.items():
            yield key, base_name(entry.filename)


def _too_many() -> str:
    return _("L'archive contient plus de 20 000 fichiers. Découpez-la en plusieurs envois.")


def _is_litter(name: str) -> bool:
    """Whether it is a file that an operating system adds to archives."""
    return name.startswith("__MACOSX/") or base_name(name) in {
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    }


def _refuse_dangerous(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or "\x00" in name:
        raise FileError(
            _("L'archive contient un nom de fichier interdit : « %(name)s ».") % {"name": name[:80]}
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise FileError(
            _("L'archive contient un lien au lieu d'un fichier : « %(name)s ».") % {"name": name[:80]}
        )
    if entry.flag_bits & 0x1:
        raise FileError(_("L'archive est protégée par un mot de passe : refaites-la sans mot de passe."))
    if entry.compress_type not in _METHODS:
        raise FileError(_("L'archive est compressée d'une manière inhabituelle : refaites un ZIP ordinaire."))
    if entry.file_size > 1024 * 1024 and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise FileError(
            _("L'archive contient un fichier anormalement compressé : « %(name)s ».") % {"name": name[:80]}
        )


def look_into(name: str, content: bytes, look: Callable[[pikepdf.Pdf], T]) -> T:
    """`look(pdf)` for these bytes. Raises DocumentError when they are not a sound PDF that everybody can open."""
    if not content.startswith(b"%PDF-"):
        raise DocumentError(_("« %(name)s » n'est pas un PDF.") % {"name": name})
    if b"%%EOF" not in content[-2048:]:  # pikepdf would repair the file and silently drop what is missing
        raise DocumentError(
            _("« %(name)s » est abîmé : la fin manque. Produisez-le à nouveau.") % {"name": name}
        )
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            return look(pdf)
    except pikepdf.PasswordError:
        raise DocumentError(_("« %(name)s » est protégé par un mot de passe.") % {"name": name}) from None
    except Exception:  # whatever error the parser raises, the file is not sound
        raise DocumentError(
            _("« %(name)s » est un PDF abîmé : produisez-le à nouveau.") % {"name": name}
        ) from None


def _pages(name: str, content: bytes) -> int:
    """The number of pages. Raises DocumentError when it is not a sound PDF that everybody can open."""
    pages = look_into(name, content, lambda pdf: len(pdf.pages))
    if not 1 <= pages <= MOST_PAGES:
        raise DocumentError(
            _("« %(name)s » a %(n)d pages ; une facture en a de 1 à 200.") % {"name": name, "n": pages}
        )
    return pages
