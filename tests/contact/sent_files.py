"""Files as residents send them, and the stamp of a form opened some time ago."""

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from tenant_apps.contact import spam


def stamp_of(age: timedelta) -> str:
    """The stamp that a form opened `age` ago sends back."""
    return spam._signer().sign_object({"id": str(uuid4()), "at": (timezone.now() - age).timestamp()})


def pdf(pages: int = 1, *, password: str = "", mark: Any = None, **root: Any) -> bytes:
    """A valid PDF. `root`: entries of its catalogue; `mark`: an annotation of its last page."""
    made = pikepdf.new()
    for _ in range(pages):
        made.add_blank_page()
    if mark is not None:
        made.pages[-1].obj.Annots = pikepdf.Array([made.make_indirect(mark)])
    for name, value in root.items():
        made.Root[f"/{name}"] = made.make_indirect(value)
    out = io.BytesIO()
    made.save(out, encryption=pikepdf.Encryption(owner=password, user=password) if password else False)
    return out.getvalue()


def picture(kind: str = "JPEG", *, size: tuple[int, int] = (60, 40), exif: bool = False) -> bytes:
    """A picture, red above and blue below. With `exif` it contains a place, and must be turned to the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, size[1] // 2, *size))
    more: dict[str, Any] = {}
    if exif:
        data = Image.Exif()
        data[0x0112] = 6  # turn by 90° to the right
        data[0x010F] = "Telephone of Camille"
        data.get_ifd(0x8825)[2] = (43.0, 30.0, 0.0)  # a latitude
        more["exif"] = data.tobytes()
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 64


def sent(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/octet-stream")
