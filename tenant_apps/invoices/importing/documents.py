"""A ZIP of PDFs named by invoice number → checked bytes, one at a time. No name of the ZIP ever becomes a path."""

import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import pikepdf
from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.errors import FileError
from tenant_apps.invoices.importing.fields import key_of

MOST_FILES = 20_000
MOST_FILE_BYTES = 20 * 1024 * 1024
MOST_TOTAL_BYTES = 2 * 1024 * 1024 * 1024
MOST_RATIO = 200  # a PDF is compressed already; only a bomb shrinks two hundred times
MOST_PAGES = 200


class DocumentError(Exception):
    """One file of the ZIP is refused; `str()` is one French sentence."""


@dataclass(frozen=True)
class Pdf:
    """A checked PDF: its bytes exactly as given."""

    name: str
    content: bytes
    sha256: str
    pages: int


class Archive:
    """The ZIP of one import. Raises FileError when it as a whole cannot be trusted or read."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, EOFError, ValueError, OSError):
            raise FileError(_("Le fichier des PDF n'est pas une archive ZIP lisible.")) from None
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(entries) > MOST_FILES:
            raise FileError(_("L'archive contient plus de 20 000 fichiers. Découpez-la en plusieurs envois."))
        if sum(entry.file_size for entry in entries) > MOST_TOTAL_BYTES:
            raise FileError(
                _("L'archive dépasse 2 Go une fois décompressée. Découpez-la en plusieurs envois.")
            )
        self.entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            if _is_litter(entry.filename):
                continue
            _refuse_dangerous(entry)
            key = key_of(PurePosixPath(entry.filename).name)
            if key in self.entries:
                raise FileError(
                    _("L'archive contient deux fois le fichier « %(name)s ».")
                    % {"name": PurePosixPath(entry.filename).name}
                )
            self.entries[key] = entry

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when it is not a sound PDF."""
        entry = self.entries[key]
        name = PurePosixPath(entry.filename).name
        if entry.file_size > MOST_FILE_BYTES:
            raise DocumentError(_("« %(name)s » dépasse 20 Mo.") % {"name": name})
        try:
            with self._zip.open(entry) as stream:
                content = stream.read(MOST_FILE_BYTES + 1)
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
            raise DocumentError(_("« %(name)s » est abîmé dans l'archive.") % {"name": name}) from None
        if len(content) > MOST_FILE_BYTES:  # the directory of the ZIP lied
            raise DocumentError(_("« %(name)s » dépasse 20 Mo.") % {"name": name})
        return Pdf(name, content, hashlib.sha256(content).hexdigest(), _pages(name, content))

    def names(self) -> Iterator[tuple[str, str]]:
        """(key, name) of each file."""
        for key, entry in self.entries.items():
            yield key, PurePosixPath(entry.filename).name


def _is_litter(name: str) -> bool:
    """What operating systems leave in archives."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in {
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
    if entry.file_size > 1024 * 1024 and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise FileError(
            _("L'archive contient un fichier anormalement compressé : « %(name)s ».") % {"name": name[:80]}
        )


def _pages(name: str, content: bytes) -> int:
    """How many pages. Raises DocumentError when it is no sound PDF that anybody can open."""
    if not content.startswith(b"%PDF-"):
        raise DocumentError(_("« %(name)s » n'est pas un PDF.") % {"name": name})
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise DocumentError(_("« %(name)s » est protégé par un mot de passe.") % {"name": name}) from None
    except (pikepdf.PdfError, RuntimeError, ValueError):
        raise DocumentError(
            _("« %(name)s » est un PDF abîmé : produisez-le à nouveau.") % {"name": name}
        ) from None
    if not 1 <= pages <= MOST_PAGES:
        raise DocumentError(
            _("« %(name)s » a %(n)d pages ; une facture en a de 1 à 200.") % {"name": name, "n": pages}
        )
    return pages
