"""« Mes données »: everything that the town holds about a person, as one ZIP (GDPR, articles 15 and 20).

One transaction and a bounded number of statements read the rows into files, which move to the disk when they grow.
The PDFs are read from S3 piece by piece while the browser downloads.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from django.db import transaction
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from zipstream import ZIP_DEFLATED, ZipStream

from shared_apps.accounts import services as accounts
from shared_apps.accounts.erasing import addresses_of
from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.privacy import personal
from shared_apps.privacy.personal import Section
from tenant_apps.contact.files import stored
from tenant_apps.contact.personal import files_of
from tenant_apps.invoices.documents.archives import ArchiveEntry, add_documents, parts_of
from tenant_apps.invoices.personal import documents_of
from tenant_apps.products.queries import contact_address
from tenant_apps.townhall.models import TownHall
from toolkit import clock
from toolkit.sheets import Sheet

IN_MEMORY = 64 * 1024  # bytes of a file in memory; a larger one goes to the disk
MOST_DOCUMENTS = 500  # PDFs; above it the ZIP names the archives by year instead
_PIECE = 64 * 1024


class Written(NamedTuple):
    """A section of the copy: the number of its rows, and its two files."""

    name: str
    title: str
    rows: int
    json: IO[bytes]
    csv: IO[bytes]


class Copy(NamedTuple):
    """Everything that was read about a person."""

    sections: list[Written]
    documents: list[ArchiveEntry]
    attached: list[ArchiveEntry]
    left_out: int  # PDFs beyond MOST_DOCUMENTS
    readme: str


@transaction.atomic
def take_out(*, actor: Account, townhall: TownHall) -> Copy:
    """Read everything about `actor`, and record in the trail that they took it. Raises NotWhileImpersonating."""
    accounts.refuse_impersonator(actor)
    addresses = addresses_of(actor)
    sections = [_written(section) for section in personal.sections_of(actor, addresses)]
    sections.sort(key=lambda section: section.name)  # the order of the files in a folder
    documents = [entry for part in parts_of(documents_of(actor).iterator(chunk_size=500)) for entry in part]
    audit.record("account.data_taken", actor=actor, obj=actor.audit_name)
    attached = [ArchiveEntry(stored.key_of(file), name) for file, name in files_of(actor, addresses)]
    kept, left_out = documents[:MOST_DOCUMENTS], max(0, len(documents) - MOST_DOCUMENTS)
    words = {
        "townhall": townhall,
        "contact": contact_address(None),
        "email": actor.email,
        "day": clock.in_words(clock.today()),
        "sections": sections,
        "documents": len(kept),
        "attached": len(attached),
        "left_out": left_out,
    }
    return Copy(sections, kept, attached, left_out, render_to_string("portal/lisez_moi.txt", words))


def zipped(copy: Copy) -> Iterator[bytes]:
    """The bytes of the ZIP, piece by piece. Closes the files of the copy at the end."""
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    try:
        archive.add(copy.readme.strip().replace("\n", "\r\n") + "\r\n", "lisez-moi.txt")
        for section in copy.sections:
            archive.add(_pieces(section.csv), f"tableaux/{section.name}.csv")
            archive.add(_pieces(section.json), f"json/{section.name}.json")
        yield from archive.all_files()
        yield from add_documents(archive, copy.documents, folder="pdf/")
        yield from add_documents(archive, copy.attached, folder="pieces-jointes/")
        yield from archive.finalize()
    finally:
        for section in copy.sections:
            section.json.close()
            section.csv.close()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def _written(section: Section) -> Written:
    """Write both files while reading the rows once."""
    names = [name for name, _title in section.columns]
    as_json, as_csv = _file(), _file()
    sheet = Sheet(as_csv)
    sheet.line(title for _name, title in section.columns)
    as_json.write(_json({"titre": section.title})[:-1].encode() + b', "lignes": [')
    rows = 0
    for row in section.rows:
        as_json.write((b",\n " if rows else b"\n ") + _json(dict(zip(names, row, strict=True))).encode())
        sheet.line(_meant(value) for value in row)
        rows += 1
    as_json.write(b"\n]}\n")
    sheet.end()
    return Written(section.name, section.title, rows, as_json, as_csv)


def _file() -> IO[bytes]:
    return SpooledTemporaryFile(max_size=IN_MEMORY)


def _json(value: Any) -> str:
    """JSON: dates as ISO 8601, other types that JSON does not know as text (amounts as decimal euros)."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _meant(value: object) -> object:
    """The value of a CSV cell: a text that is a moment as a datetime, a dict as JSON."""
    if isinstance(value, str):
        return _moment(value) or value
    if isinstance(value, dict):
        return _json(value) if value else ""
    return value


def _moment(text: str) -> datetime | None:
    """The moment in a text, or None. An account's devices are stored as JSON, with moments as texts."""
    try:
        return parse_datetime(text) if len(text) == len("2026-11-24T23:00:00.000000+00:00") else None
    except ValueError:
        return None
