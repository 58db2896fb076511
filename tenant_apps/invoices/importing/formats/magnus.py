"""Magnus (Berger-Levrault): a ZIP with tables and PDFs, as billing software writes it for that accounting software."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.format import Confidence, Format, Sample
from tenant_apps.invoices.importing.magnus.invoices import Invoices
from tenant_apps.invoices.importing.magnus.lot import WIDTH, Attachments, Lot, looks_like_lot
from tenant_apps.invoices.importing.records.kinds import Record
from tenant_apps.invoices.importing.records.rules import Reading


def recognise(head: bytes, name: str) -> Confidence | None:
    """By its tables, which come before the PDFs. A ZIP with PDFs only is not one."""
    return Confidence.CERTAIN if looks_like_lot(head) else None


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """One record per line M with its lines S. `line` is that of the line M in WTAMC001.txt. Raises FileError."""
    yield from Invoices(Lot(file, encoding=reading.rules.encoding), reading).read()


def line_of(values: Mapping[int, str]) -> str:
    """One line of a table of lines. `values`: column (from 1) → text."""
    return ";".join(f'"{values.get(column, "")}"' for column in range(1, WIDTH + 1))


def lot_of(lines: str, others: Mapping[str, bytes] | None = None) -> bytes:
    """A lot with these lines. `others`: name → bytes of what stands beside."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as lot:
        for name, content in {"WTAMC001.txt": lines.encode(), **(others or {})}.items():
            lot.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# Invented people.
_COMMON = {
    2: "T",
    3: "O",
    4: "123",
    5: "00",
    6: "2026",
    24: "R",
    25: "05/10/2026",
    31: "0.00",
    70: "O",
    71: "N",
}
_ALICE = {
    8: "FAM000101",
    10: "MARTIN",
    11: "ALICE",
    12: "1 PLACE DE LA MAIRIE",
    15: "31320",
    16: "Pechabou",
    93: "MME",
}
_PAUL = {
    8: "FAM000102",
    10: "DURAND",
    11: "PAUL",
    12: "3 RUE DES ECOLES",
    15: "31320",
    16: "Pechabou",
    93: "M",
}
_SAMPLE = (
    {
        **_COMMON,
        **_ALICE,
        1: "1",
        7: "M",
        18: "CANTINE OCTOBRE 2026",
        20: "Facture_4101",
        30: "37.50",
        54: "CANT",
    },
    {
        **_COMMON,
        **_ALICE,
        1: "1",
        7: "S",
        18: "CANTINE OCTOBRE 2026",
        20: "Facture_4101",
        30: "12.40",
        54: "PERI",
    },
    {
        **_COMMON,
        **_PAUL,
        1: "2",
        7: "M",
        18: "CANTINE OCTOBRE 2026",
        20: "Facture_4102",
        30: "12.00",
        54: "CANT",
    },
)

FORMAT = Format(
    name="magnus",
    label="Magnus",
    help=(
        gettext_lazy(
            "Un lot <strong>Magnus</strong> (.zip) tel que votre logiciel de facturation le produit : le fichier "
            "WTAMC001.txt, et les PDF dans le dossier PJ. Ne le décompressez pas."
        ),
    ),
    extensions=(".zip",),
    media_types=("application/zip",),
    recognise=recognise,
    read=read,
    rough_rows=lambda file: max(file.seek(0, 2) // 3000, 1),
    inside=Attachments,
    sample=Sample(lot_of("\n".join(map(line_of, _SAMPLE))), "application/zip"),
    most_bytes=150 * 1024 * 1024,
)
