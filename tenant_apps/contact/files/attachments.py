"""Attached files, checked: the type they claim, small, and harmless.

A picture is drawn again, turned upright, so that only the picture is kept: no place, no date, no
device. A PDF is kept byte for byte (it may be signed) once we know that it is valid and runs nothing.
"""

import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import slugify
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from tenant_apps.invoices.importing.documents import acts
from tenant_apps.invoices.importing.documents.kinds import DocumentError
from tenant_apps.invoices.importing.documents.sound import look_into

MOST_FILES = 3  # per message
MOST_BYTES = 5 * 1024 * 1024  # per file
MOST_PAGES = 100
MOST_PIXELS = 24_000_000  # per picture, which is in memory while it is drawn again
MOST_PIXELS_JPEG = 60_000_000  # more, because a JPEG can be opened at a smaller size
KEPT_SIDE = 3000  # pixels: a photographed page stays readable
_NAME = 80

_CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
ACCEPT = ".pdf,.jpg,.jpeg,.png,.webp,application/pdf,image/jpeg,image/png,image/webp"
# ISO 14496-12: the brands of HEIC and AVIF, after the length and « ftyp ».
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"}


@dataclass(frozen=True)
class Attachment:
    """A checked file, not stored yet."""

    name: str
    extension: str  # pdf, jpg or png
    content: bytes


@dataclass(frozen=True)
class File:
    """A stored file of a message."""

    message: UUID
    id: UUID
    name: str
    extension: str
    size: int

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self.extension]

    @property
    def ascii_name(self) -> str:
        """The name in ASCII, for the header of a download."""
        stem = self.name.rpartition(".")[0]
        return f"{slugify(stem) or 'fichier'}.{self.extension}"

    @classmethod
    def of(cls, message: UUID, attachment: Attachment) -> "File":
        """The stored file of `attachment`. The same file sent twice has the same name, so it is stored once."""
        digest = hashlib.sha256(attachment.name.encode() + b"\0" + attachment.content).hexdigest()
        size = len(attachment.content)
        return cls(message, uuid5(message, digest), attachment.name, attachment.extension, size)

    @classmethod
    def all_of(cls, message: UUID, rows: Iterable[Mapping[str, Any]]) -> list["File"]:
        """The files in the column `files` of a message; entries in an unknown form are skipped."""
        return [
            cls(message, UUID(row["id"]), row["name"], row["extension"], row["size"])
            for row in rows
            if row["extension"] in _CONTENT_TYPES
        ]

    def row(self) -> dict[str, Any]:
        """The entry for the column `files`."""
        return {"id": str(self.id), "name": self.name, "extension": self.extension, "size": self.size}


def checked(upload: UploadedFile) -> Attachment:
    """Check a file that was sent, and return what we keep. Raises ValidationError: its name, and what to do."""
    name = shown_name(upload.name or "")
    if (upload.size or 0) > MOST_BYTES:
        raise _refused(
            _(
                "« %(name)s » pèse plus de 5 Mo. Envoyez-en une version plus légère : "
                "par exemple, une photo de taille moyenne."
            ),
            name,
        )
    content = upload.read()
    if content.startswith(b"%PDF-"):
        return Attachment(_ending_in(name, "pdf"), "pdf", _sound_pdf(name, content))
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise _refused(
            _(
                "« %(name)s » est une photo au format HEIC, que la mairie ne peut pas toujours ouvrir. "
                "Faites-en une capture d'écran, ou enregistrez-la en JPEG, puis choisissez ce nouveau fichier."
            ),
            name,
        )
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or _is_webp(content):
        return _drawn_again(name, content)
    raise _refused(
        _(
            "« %(name)s » n'est ni un PDF ni une image JPEG, PNG ou WebP. "
            "Enregistrez-le en PDF, ou prenez-le en photo, puis choisissez ce nouveau fichier."
        ),
        name,
    )


def shown_name(name: str) -> str:
    """The name of a file, safe to show: no folder, no invisible characters, no change of text direction."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(sign if unicodedata.category(sign)[0] != "C" else "" for sign in last)
    plain = re.sub(r"\s+", " ", plain).strip()
    return plain if len(plain) <= _NAME else f"{plain[: _NAME - 10]}…{plain[-9:]}"


def _ending_in(name: str, extension: str) -> str:
    stem = re.sub(r"\.(pdf|jpe?g|png|webp)$", "", name, flags=re.I)
    return f"{stem or 'fichier'}.{extension}"


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _refused(sentence: str, name: str) -> ValidationError:
    return ValidationError(sentence % {"name": name})


def _sound_pdf(name: str, content: bytes) -> bytes:
    try:
        pages, does_something = look_into(
            name, content, lambda pdf: (len(pdf.pages), acts.runs(pdf) or acts.carries(pdf))
        )
    except DocumentError:
        raise _refused(
            _(
                "« %(name)s » ne s'ouvre pas : il est abîmé ou protégé par un mot de passe. "
                "Enregistrez-le de nouveau en PDF, sans mot de passe, puis choisissez ce nouveau fichier."
            ),
            name,
        ) from None
    if not 1 <= pages <= MOST_PAGES:
        raise _refused(
            _("« %(name)s » a trop de pages (100 au plus). N'envoyez que celles qui sont utiles."), name
        )
    if does_something:
        raise _refused(
            _(
                "« %(name)s » contient un programme ou d'autres fichiers. "
                "Imprimez-le en PDF, puis choisissez ce nouveau fichier."
            ),
            name,
        )
    return content


def _drawn_again(name: str, content: bytes) -> Attachment:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as sent:
            most = MOST_PIXELS_JPEG if sent.format == "JPEG" else MOST_PIXELS
            if sent.width * sent.height > most:
                raise _refused(
                    _(
                        "« %(name)s » a trop de pixels. Envoyez-en une version plus petite : "
                        "par exemple, une photo de taille moyenne."
                    ),
                    name,
                )
            sent.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
            sent.thumbnail((KEPT_SIDE, KEPT_SIDE))
            upright = ImageOps.exif_transpose(sent)
            sees_through = upright.has_transparency_data
            drawn = upright.convert("RGBA" if sees_through else "RGB")
            kind = "png" if sees_through or sent.format == "PNG" else "jpg"
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        raise _refused(
            _(
                "« %(name)s » est une image abîmée. "
                "Enregistrez-la ou prenez-la de nouveau, puis choisissez ce nouveau fichier."
            ),
            name,
        ) from None
    out = io.BytesIO()
    if kind == "png":
        drawn.save(out, "PNG", optimize=False)
    else:
        drawn.save(out, "JPEG", quality=85)
    return Attachment(_ending_in(name, kind), kind, out.getvalue())
