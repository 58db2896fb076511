"""All PDFs of a year in one ZIP, made while it is sent. Memory holds only one piece of one file."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import structlog
from botocore.exceptions import ClientError
from django.core.files.storage import storages
from django.utils.translation import gettext as _
from zipstream import ZIP_STORED, ZipStream

from tenant_apps.invoices.models import Invoice
from toolkit.files.storage import DocumentStorage, StorageSilent

FILES = 200  # at most, in one archive; more invoices need several archives
_log = structlog.get_logger(__name__)


@dataclass
class ArchiveEntry:
    """One PDF: its key in S3, and its name in the archive."""

    key: str
    name: str


def parts_of(invoices: Iterable[Invoice]) -> list[list[ArchiveEntry]]:
    """The documents of `invoices`, each once, in lists of at most `FILES`. The caller has checked the rights."""
    entries: dict[str, ArchiveEntry] = {}
    names: set[str] = set()
    for invoice in invoices:
        if invoice.document is not None and invoice.document.key not in entries:
            name = _free(_name(invoice), names)
            entries[invoice.document.key] = ArchiveEntry(invoice.document.key, name)
    every = list(entries.values())
    return [every[start : start + FILES] for start in range(0, len(every), FILES)]


def archive_of(entries: list[ArchiveEntry]) -> Iterator[bytes]:
    """The bytes of a ZIP of `entries`. A note in the archive names the files that S3 did not give.

    Raises StorageSilent at once, before the first byte, when S3 does not answer.
    """
    cast(DocumentStorage, storages["documents"]).ask(entries[0].key)
    return _archive_of(entries)


def _archive_of(entries: list[ArchiveEntry]) -> Iterator[bytes]:
    archive = ZipStream(compress_type=ZIP_STORED)
    yield from add_documents(archive, entries)
    yield from archive.finalize()


def add_documents(
    archive: ZipStream, entries: Iterable[ArchiveEntry], *, folder: str = ""
) -> Iterator[bytes]:
    """The bytes of the PDFs, inside an archive that the caller begins and finishes."""
    storage = cast(DocumentStorage, storages["documents"])
    missing = []
    for entry in entries:
        try:
            pieces = storage.pieces(entry.key)
        except (StorageSilent, ClientError):
            _log.warning("archive_file_missing", key=entry.key)
            missing.append(entry.name)
            continue
        archive.add(pieces, f"{folder}{entry.name}", compress_type=ZIP_STORED)  # PDFs are already compressed
        yield from archive.all_files()
    if missing:
        note = _("Ces factures n'ont pas pu être ajoutées ; téléchargez-les une par une depuis le portail :")
        archive.add("\r\n".join([note, *missing, ""]), _("Fichiers manquants.txt"))
        yield from archive.all_files()


def _name(invoice: Invoice) -> str:
    """`2026-11-02 Facture 2026-001-00101 Cantine scolaire.pdf`: sorts by date, valid on every system."""
    text = unicodedata.normalize("NFC", f"{invoice.issued_on} Facture {invoice.number} {invoice.subject}")
    return re.sub(r"\s+", " ", re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', "-", text))[:100].rstrip(" .") + ".pdf"


def _free(name: str, taken: set[str]) -> str:
    number, wanted = 2, name
    while name.lower() in taken:
        name = f"{wanted.removesuffix('.pdf')} ({number}).pdf"
        number += 1
    taken.add(name.lower())
    return name
