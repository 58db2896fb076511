"""Read an archive and check every part of it before using any."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from tenants.archive import format as form
from tenants.archive.format import DamagedArchive, Manifest, Rows
from toolkit.files import storage

CHUNK = 256 * 1024
_SMALL = 64 * 1024 * 1024  # what manifest.json may measure at most; it is read whole
_MANY_TIMES = 200  # a member that inflates more than that is an attack
_HEADER = 30  # bytes, at least, before each member
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError)
Tell = Callable[[str, int, int], None]


class Archive:
    """An open archive whose manifest was read; `check` looks at everything else."""

    def __init__(self, stream: IO[bytes], *, ours: bool = True) -> None:
        """Raises DamagedArchive or, when it must be `ours`, Unsealed."""
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise DamagedArchive(
                "Ce fichier n'est pas une archive entière : il est tronqué ou illisible."
            ) from None
        self._members = self._sane_members()
        text = self._small(form.MANIFEST)
        self.is_ours = form.check_seal(text, self._small(form.SEAL), ours=ours)
        self.sha256 = hashlib.sha256(text).hexdigest()
        self.manifest: Manifest = form.load(text)

    def check(self, tell: Tell = lambda words, done, total: None) -> None:
        """Check that the announced members, and no others, are there and unchanged. Raises DamagedArchive."""
        self._check_names()
        tables = [*self._rows()]
        total = len(tables) + self.manifest.objects["count"]
        for done, (name, rows) in enumerate(tables):
            tell("Vérification de l'archive", done, total)
            lines = self._check_member(name, rows.size, rows.sha256)
            if lines != rows.rows:
                raise DamagedArchive(f"{name} a {lines} ligne(s) ; le manifeste en annonce {rows.rows}.")
        for done, (name, size, sha256) in enumerate(self.objects(), len(tables)):
            tell("Vérification de l'archive", done, total)
            self._check_member(form.FILES + name, size, sha256)

    def objects(self) -> Iterator[tuple[str, int, str]]:
        """Name (after the town's UUID), size and sha256 of each file."""
        rest = b""
        for piece in self.pieces(form.OBJECTS):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                sha256, size, name = form.parse_object_line(line.decode("utf-8", "replace"))
                yield name, size, sha256
        if rest:
            raise DamagedArchive(f"{form.OBJECTS} n'est pas entier.")

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member, in pieces. Raises DamagedArchive, naming the member, when it cannot be read."""
        if name not in self._members:
            raise DamagedArchive(f"{name} manque dans l'archive.")
        try:
            stream = self._zip.open(name)
        except _BROKEN as error:
            raise DamagedArchive(f"{name} est abîmé dans l'archive ({error}).") from None
        with stream:
            while True:
                try:
                    piece = stream.read(CHUNK)
                except _BROKEN as error:
                    raise DamagedArchive(f"{name} est abîmé dans l'archive ({error}).") from None
                if not piece:
                    return
                yield piece

    def _sane_members(self) -> dict[str, zipfile.ZipInfo]:
        """Members by name. Raises DamagedArchive for anything that our exports never write."""
        found: dict[str, zipfile.ZipInfo] = {}
        end = 0
        for member in sorted(self._zip.infolist(), key=lambda m: m.header_offset):
            name = member.orig_filename
            if not form.is_safe(name) or name != member.filename:
                raise DamagedArchive(f"Un membre de l'archive a un nom dangereux : « {name[:120]} ».")
            if name in found:
                raise DamagedArchive(f"{name} est deux fois dans l'archive.")
            if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DamagedArchive(f"{name} est chiffré, ou comprimé d'une façon inconnue.")
            if member.header_offset < end:
                raise DamagedArchive(f"{name} recouvre un autre membre de l'archive.")
            swollen = member.file_size > _MANY_TIMES * max(member.compress_size, CHUNK)
            if swollen or (name.startswith(form.FILES) and member.compress_type != zipfile.ZIP_STORED):
                raise DamagedArchive(f"{name} se gonfle d'une façon suspecte.")
            end = member.header_offset + _HEADER + len(name.encode()) + member.compress_size
            found[name] = member
        return found

    def _small(self, name: str) -> bytes:
        if name in self._members and self._members[name].file_size > _SMALL:
            raise DamagedArchive(f"{name} est trop grand.")
        return b"".join(self.pieces(name))

    def _rows(self) -> Iterator[tuple[str, Rows]]:
        for rows in self.manifest.tables:
            yield f"{form.ROWS}{rows.table}.copy", rows
        for rows in self.manifest.public:
            yield f"{form.PUBLIC_ROWS}{rows.table}.copy", rows

    def _check_names(self) -> None:
        """Compare the names announced with the names present."""
        index = self.manifest.objects
        lines = self._check_member(form.OBJECTS, index["size"], index["sha256"])
        if lines != index["count"]:
            raise DamagedArchive(
                f"{form.OBJECTS} a {lines} ligne(s) ; le manifeste en annonce {index['count']}."
            )
        announced = {form.MANIFEST, form.SEAL, form.OBJECTS, *(name for name, _rows in self._rows())}
        for name, _size, _sha256 in self.objects():
            prefix = storage.PREFIXES.get(name.partition("/")[0])
            if prefix is None or not prefix.exported:
                raise DamagedArchive(f"{form.FILES}{name} n'est pas d'une sorte que ce logiciel connaisse.")
            if form.FILES + name in announced:
                raise DamagedArchive(f"{form.FILES}{name} est annoncé deux fois.")
            announced.add(form.FILES + name)
        for name in sorted(announced - set(self._members)):
            raise DamagedArchive(f"{name} manque dans l'archive.")
        for name in sorted(set(self._members) - announced):
            raise DamagedArchive(f"{name} est dans l'archive sans être annoncé.")

    def _check_member(self, name: str, size: int, sha256: str) -> int:
        """Check one member, and return its number of lines."""
        digest, measured, lines = hashlib.sha256(), 0, 0
        for piece in self.pieces(name):
            digest.update(piece)
            measured += len(piece)
            lines += piece.count(b"\n")
        if measured != size or digest.hexdigest() != sha256:
            raise DamagedArchive(f"{name} n'est plus tel qu'il a été écrit : l'archive est abîmée.")
        return lines
