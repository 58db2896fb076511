"""A ZIP of PDFs named by invoice number → checked bytes, one PDF at a time. No name in the ZIP is used as a path."""

import hashlib
import itertools
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.kinds import DocumentError, Documents, Pdf
from tenant_apps.invoices.importing.documents.names import (
    Pattern,
    base_name,
    folders_of,
    is_litter,
    loosely,
    readings_of,
)
from tenant_apps.invoices.importing.documents.sound import look_into, pages_of
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.rules import USUAL, Rules
from toolkit.reading.errors import FileError

__all__ = ["Archive", "DocumentError", "Documents", "Pdf", "look_into"]

MOST_FILES = 20_000
MOST_FILE_BYTES = 20 * 1024 * 1024
MOST_TOTAL_BYTES = 2 * 1024 * 1024 * 1024
MOST_RATIO = 200  # PDFs are already compressed: only a zip bomb shrinks two hundred times
MOST_DIRECTORY_BYTES = 8 * 1024 * 1024  # enough for 20,000 names
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # not LZMA: its header could reserve 4 GB of memory
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz")
_DOUBT = "?"  # begins the key of a name that several PDFs have; no key of a PDF begins so
_SHOWN = 80


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


@dataclass(frozen=True, slots=True)
class _File:
    """A PDF of the archive: its entry, the likeliest reading of its path, and the folders it is in."""

    entry: zipfile.ZipInfo
    path: str
    folders: tuple[str, ...]

    @property
    def name(self) -> str:
        return base_name(self.path)[:_SHOWN]


class Archive:
    """The ZIP of one import. Raises FileError when the ZIP as a whole cannot be trusted or read.

    A name finds a PDF by the source's pattern, else by its own name; then without accents and without the zeros that
    a spreadsheet lost.
    """

    parallel = True  # several threads may read at once

    def __init__(self, stream: BinaryIO, rules: Rules = USUAL.rules) -> None:
        self._zip = _list_of(stream)
        self._zip.fp = stream  # the list is read; each PDF has its own limit
        self._sound: dict[
            str, int
        ] = {}  # sha256 of a sound PDF → its number of pages: checked once, read twice
        self._prefix = key_of(rules.prefix)
        self.entries: dict[str, _File] = {}
        # A simplified name → the keys of the PDFs that it may mean.
        self._by_name: dict[str, list[str]] = {}
        self._by_number: dict[str, list[str]] = {}
        self._by_loose_name: dict[str, list[str]] = {}
        pattern = Pattern(rules.document_pattern) if rules.document_pattern else None
        self._add(self._zip.infolist(), pattern)
        self._has_folders = len({file.folders for file in self.entries.values()}) > 1

    def _add(self, entries: Iterable[zipfile.ZipInfo], pattern: Pattern | None) -> None:
        files = [entry for entry in entries if not entry.is_dir()]
        _refuse_too_much(files)
        _refuse_overlaps(files)
        paths: set[str] = set()
        for entry in files:
            if is_litter(entry.filename):
                continue
            _refuse_dangerous(entry)
            readings = readings_of(entry)
            if readings[0] in paths:
                sentence = _("L'archive contient deux fois le fichier « %(name)s ».")
                raise FileError(sentence % {"name": readings[0][-_SHOWN:]})
            paths.add(readings[0])
            key = self._new_key(readings[0])
            self.entries[key] = _File(entry, readings[0], folders_of(readings[0]))
            self._index(key, [base_name(one) for one in readings], pattern)

    def _index(self, key: str, names: list[str], pattern: Pattern | None) -> None:
        """`names`: what the name of this PDF may be, the likeliest first."""
        self._by_name.setdefault(key_of(names[0]), []).append(key)
        numbers = pattern.numbers_in(names[0]) if pattern else set()
        for number in numbers:
            self._by_number.setdefault(number, []).append(key)
        for loose in {loosely(one) for one in (*map(key_of, names), *numbers)}:
            self._by_loose_name.setdefault(loose, []).append(key)

    def _new_key(self, path: str) -> str:
        """Unique in the archive, and the same each time that it is read."""
        key = key_of(base_name(path)).lstrip(_DOUBT) or "-"
        if key in self.entries:
            key = f"{key} {hashlib.sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
        return key

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name, or None; `is_file` as in `Documents`.

        A folder in the name tells PDFs of one name apart. It says nothing when all PDFs are in one folder: then it
        is a folder of the billing computer.
        """
        found = self._files_of(name) if is_file else self._numbered(key_of(name))
        if len(found) > 1:
            return _DOUBT + "\n".join(found)
        return found[0] if found else None

    def _files_of(self, name: str) -> list[str]:
        wanted, folders = key_of(base_name(name)), folders_of(name)
        found = self._by_name.get(wanted) or self._numbered(wanted)
        if folders and self._has_folders:
            found = [key for key in found if _ends_alike(folders, self.entries[key].folders)]
        for shown in (lambda path: path, base_name):  # 1.pdf and a/1.pdf, then Z-1.pdf and Z_1.pdf
            exact = shown(unicodedata.normalize("NFC", name)).strip().lower()
            same = [key for key in found if shown(self.entries[key].path).lower() == exact]
            found = same if len(same) == 1 else found
        return found

    def _numbered(self, number: str) -> list[str]:
        plain = number.removeprefix(self._prefix).strip("-") if self._prefix else number
        for one in filter(None, (number, plain)):
            if found := self._by_number.get(one) or self._by_name.get(one):
                return found
        return self._by_loose_name.get(loosely(plain), []) if plain else []

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when nobody should get it."""
        if key.startswith(_DOUBT):
            raise DocumentError(self._doubt(key[len(_DOUBT) :].split("\n")))
        file = self.entries[key]
        entry, name = file.entry, file.name
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
        if sha256 not in self._sound:
            self._sound[sha256] = pages_of(name, content)
        return Pdf(name, content, sha256, self._sound[sha256])

    def _doubt(self, keys: list[str]) -> str:
        first, second, *_more = [self.entries[key].path[-_SHOWN:] for key in keys]
        sentence = _(
            "Plusieurs PDF de l'archive conviennent : « %(first)s » et « %(second)s ». Écrivez lequel dans la colonne "
            "« Fichier PDF », avec son dossier, ou renommez-les."
        )
        return sentence % {"first": first, "second": second}

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each file, with its folder when another has the same name."""
        for key, file in self.entries.items():
            yield (
                key,
                file.path if len(self._by_name[key_of(base_name(file.path))]) > 1 else base_name(file.path),
            )


def _ends_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the shorter path of folders ends the longer one."""
    short, long = sorted((one, other), key=len)
    return not short or long[-len(short) :] == short


def _list_of(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_Careful(stream))
    except _DirectoryTooLarge:
        raise FileError(_too_many()) from None
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError, OSError, NotImplementedError):
        sentence = _(
            "Le fichier des PDF n'est pas une archive ZIP lisible : refaites l'archive, puis envoyez de nouveau "
            "les deux fichiers."
        )
        raise FileError(sentence) from None


def _too_many() -> str:
    return _("L'archive contient plus de 20 000 fichiers. Découpez-la en plusieurs envois.")


def _refuse_too_much(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise FileError(_too_many())
    if sum(entry.file_size for entry in entries) > MOST_TOTAL_BYTES:
        raise FileError(_("L'archive dépasse 2 Go une fois décompressée. Découpez-la en plusieurs envois."))


def _refuse_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive whose files share their bytes: a bomb of some kilobytes can hold terabytes so."""
    placed = sorted(entries, key=lambda entry: entry.header_offset)
    for entry, after in itertools.pairwise(placed):
        if entry.header_offset + entry.compress_size > after.header_offset:
            sentence = _("L'archive est construite d'une manière anormale : refaites un ZIP ordinaire.")
            raise FileError(sentence)


def _refuse_dangerous(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    shown = {"name": name[:_SHOWN]}
    path = PurePosixPath(name.replace("\\", "/"))
    if (
        path.is_absolute()
        or ".." in path.parts
        or re.match(r"[A-Za-z]:", name)
        or "\x00" in entry.orig_filename
    ):
        raise FileError(_("L'archive contient un nom de fichier interdit : « %(name)s ».") % shown)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise FileError(_("L'archive contient un lien au lieu d'un fichier : « %(name)s ».") % shown)
    if entry.flag_bits & 0x1:
        raise FileError(_("L'archive est protégée par un mot de passe : refaites-la sans mot de passe."))
    if entry.compress_type not in _METHODS:
        raise FileError(_("L'archive est compressée d'une manière inhabituelle : refaites un ZIP ordinaire."))
    if entry.file_size > 1024 * 1024 and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise FileError(_("L'archive contient un fichier anormalement compressé : « %(name)s ».") % shown)
    if name.lower().endswith(_ARCHIVES):
        sentence = _(
            "L'archive contient une autre archive, « %(name)s » : sortez-en les PDF, puis refaites une seule archive."
        )
        raise FileError(sentence % shown)
