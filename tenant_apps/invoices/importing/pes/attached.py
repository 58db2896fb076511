"""The PDFs of a PES (PES_PJ): inside the file of the pieces, or in a file of their own."""

import base64
import binascii
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.kinds import DocumentError, Pdf
from tenant_apps.invoices.importing.documents.names import base_name
from tenant_apps.invoices.importing.documents.sound import pages_of
from tenant_apps.invoices.importing.pes import keys, pieces
from tenant_apps.invoices.importing.pes.envelope import opened
from tenant_apps.invoices.importing.pes.pieces import Leaves, Line, Piece
from tenant_apps.invoices.importing.pes.streaming import Utf8, elements, let_go, local
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.rules import Rules
from toolkit.reading.errors import FileError

MOST_FILES = 20_000
MOST_FILE_BYTES = 20 * 1024 * 1024
_TAGS = ("Piece", "PJ")
# TypePJ, the best first. 006 is the invoice as XML; 008, 011 and 014 are its annexes.
_BEST = ("010", "007")
_NOT_THE_INVOICE = {"001", "003", "004", "005", "006", "008", "009", "011", "012", "013", "014"}
_LONGEST_NAME = 200  # of an invoice's « Fichier PDF »


def name_of_pdf(bordereau: Leaves, piece: Piece, lines: list[Line], number: str, rules: Rules) -> str:
    """Where the PDF of an invoice may be, as one path: what it is attached to, its unique name, its file's name.

    A ZIP looks only at the last part. Without a PJRef, that is `number`, the invoice's.
    """
    attached = [*(one for line in lines for one in line.attached), *piece.attached]
    best = [one for one in attached if one.get("TypePJ") not in _NOT_THE_INVOICE]
    best.sort(key=lambda one: _BEST.index(one["TypePJ"]) if one.get("TypePJ") in _BEST else len(_BEST))
    if not best and rules.document_pattern:
        return ""  # the source says how the PDFs are named
    year, own = bordereau.get("Exer", ""), piece.said.get("IdPce", "")
    if keys.is_role(bordereau, piece):
        place = f"R{year}-{bordereau.get('IdBord', '')}-{own}"
    else:
        place = f"T{year}-{own}-{lines[0].said.get('IdLigne', '') if lines else ''}"
    if best:
        parts = [place, best[0].get("IdUnique", ""), base_name(best[0].get("NomPJ", ""))]
        return "/".join(filter(None, parts)) if len("/".join(parts)) <= _LONGEST_NAME else "/".join(parts[1:])
    return f"{place}/{rules.prefix}{re.sub(r'[/]', '-', number)}.pdf" if number else ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where one attachment is in the temporary file, and what it says of itself."""

    start: int
    size: int
    sha256: str
    name: str
    unique: str
    places: frozenset[str]


@dataclass(slots=True)
class _Index:
    """key → attachment, and the ways to find it."""

    kept: dict[str, _Kept] = field(default_factory=dict)
    by_unique: dict[str, str] = field(default_factory=dict)
    by_place: dict[str, list[str]] = field(default_factory=dict)
    by_name: dict[str, list[str]] = field(default_factory=dict)


class Attachments:
    """The PDFs of one file. They wait on the disk, compressed, so memory does not grow. Raises FileError."""

    def __init__(self, file: BinaryIO) -> None:
        self._disk = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self._index = _Index()
        self._pages: dict[str, int] = {}  # sha256 of a sound PDF → its pages
        encoding, _unsaid = opened(file)
        text = Utf8(file, encoding)
        for event, name, element in elements(text, _TAGS):
            if event == "end":
                if name == "PJ":
                    self._keep(element)
                let_go(text, element)
        self._disk.flush()

    def __len__(self) -> int:
        return len(self._index.kept)

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name, or None. `is_file`: a path made by `name_of_pdf`; otherwise a number.

        A PDF with another unique name than the one asked for is another PDF, even under the same file name.
        """
        parts = re.split(r"[/\\]", name) if is_file else [name]
        ways, last = parts[:-1], parts[-1]
        for way in ways:
            if way in self._index.by_unique:
                return self._index.by_unique[way]
        for way in ways:
            for place in dict.fromkeys([way, way.rpartition("-")[0]] if way.startswith("T") else [way]):
                if len(found := self._index.by_place.get(place, [])) == 1:
                    return found[0]
        named = self._index.by_name.get(key_of(last), [])
        free = [key for key in named if not self._is_of_another(key, ways)]
        return free[0] if free and len(named) == len(free) == 1 else None

    def _is_of_another(self, key: str, ways: list[str]) -> bool:
        """Whether the file says what the PDF belongs to, and it is not this. It was not found by what it says."""
        kept = self._index.kept[key]
        return bool(kept.places) or (bool(kept.unique) and len(ways) > 1)

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when it is not a sound PDF."""
        kept = self._index.kept[key]
        raw = os.pread(self._disk.fileno(), kept.size, kept.start)
        content = _unpacked(kept.name[:80], raw)
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._pages:
            self._pages[sha256] = pages_of(kept.name[:80], content)
        return Pdf(kept.name, content, sha256, self._pages[sha256])

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each PDF."""
        for key, kept in self._index.kept.items():
            yield key, kept.name

    def _keep(self, element: object) -> None:
        said, places, content, media = _attachment(element)
        if said.get("TypePJ") == "006" or (media and "pdf" not in media and "octet" not in media):
            return  # the invoice as data
        if not content:
            return
        name, unique = base_name(said.get("NomPJ") or "") or "sans nom", said.get("IdUnique", "")
        try:
            raw = base64.b64decode(content, validate=False)
        except (binascii.Error, ValueError):
            raw = b""  # read says that it is damaged
        sha256 = hashlib.sha256(raw).hexdigest()
        index = self._index
        if (first := index.by_unique.get(unique) if unique else None) is not None:
            if index.kept[first].sha256 == sha256:
                return
            sentence = _(
                "Deux pièces jointes différentes ont le même identifiant (IdUnique « %(name)s ») : on ne "
                "sait pas laquelle "
                "est de qui. Demandez un autre PES à votre logiciel."
            )
            raise FileError(sentence % {"name": unique[:60]})
        if len(index.kept) >= MOST_FILES:
            raise FileError(
                _("Ce PES contient plus de 20 000 pièces jointes : découpez-le en plusieurs envois.")
            )
        key = f"pj-{unique or len(index.kept)}"
        index.kept[key] = _Kept(self._disk.tell(), len(raw), sha256, name, unique, places)
        self._disk.write(raw)
        if unique:
            index.by_unique[unique] = key
        for place in places:
            index.by_place.setdefault(place, []).append(key)
        index.by_name.setdefault(key_of(name), []).append(key)


def inside(file: BinaryIO) -> Attachments | None:
    """The PDFs that the file of the pieces contains, or None."""
    found = Attachments(file)
    return found if len(found) else None


def _attachment(element: object) -> tuple[Leaves, frozenset[str], str, str]:
    """(leaves, what it is attached to, base64, MIME type) of an element <PJ>."""
    said: Leaves = {}
    places: set[str] = set()
    content = media = ""
    for part in element:  # type: ignore[attr-defined]
        name = local(part.tag)
        if name == "Contenu":
            file = next((one for one in part if local(one.tag) == "Fichier"), None)
            if file is not None:
                content, media = (file.text or "").strip(), file.get("MIMEType", "").lower()
        elif name == "RefCompta":
            places.add(_place(pieces.leaves_in(part, {}, [])))
        else:
            said.setdefault(name, (part.get("V") or part.text or "").strip())
    return said, frozenset(filter(None, places)), content, media


def _place(said: Leaves) -> str:
    """What a RefCompta names, as `name_of_pdf` writes it; empty when it is no income."""
    year, number, more = (said.get(name, "") for name in ("Exercice", "Identifiant", "ComplementIdentifiant"))
    if said.get("Domaine", "02") != "02" or not year or not number:
        return ""
    if said.get("TypeObjet") == "06":
        return f"R{year}-{number}-{more}" if more else ""
    return f"T{year}-{number}-{more}" if more else f"T{year}-{number}"


def _unpacked(name: str, raw: bytes) -> bytes:
    """The bytes that were compressed with gzip, or that were not. Raises DocumentError."""
    damaged = _("« %(name)s » est abîmé dans le PES : produisez-le à nouveau.") % {"name": name}
    if not raw.startswith(b"\x1f\x8b"):
        if not raw:
            raise DocumentError(damaged)
        content, is_whole = raw, True
    else:
        unpacking = zlib.decompressobj(wbits=31)
        try:
            content = unpacking.decompress(raw, MOST_FILE_BYTES + 1)
        except zlib.error:
            raise DocumentError(damaged) from None
        is_whole = unpacking.eof or len(content) > MOST_FILE_BYTES
    if len(content) > MOST_FILE_BYTES:
        raise DocumentError(_("« %(name)s » dépasse 20 Mo.") % {"name": name})
    if not is_whole:
        raise DocumentError(damaged)
    return content
