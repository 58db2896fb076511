"""What PDFs cost: a large one split, many sent to S3, one made from data."""

import io
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pikepdf
from django.core.files.storage import storages

from benchmarks.lines import line, timed
from sandbox.samples import batch as samples
from tenant_apps.invoices.documents.made import Letterhead, made_document
from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.split.one_pdf import OnePdf
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tenant_apps.townhall.models import TownHall
from toolkit.files import objects

_PAGES, _PDFS, _MADE, _AT_ONCE = 5_000, 10_000, 1_000, 8


def split_5000() -> str:
    """Find 5,000 invoices in one PDF and write each to a file, beside qpdf, which only cuts it into pages."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder, "large.pdf")
        with pikepdf.new() as pdf:
            for one in samples.batch(_PAGES):
                with pikepdf.open(io.BytesIO(samples.invoice_pdf(one, "Essai"))) as small:
                    pdf.pages.extend(small.pages)
            pdf.save(large)
        ours, bare = Path(folder, "ours"), Path(folder, "bare")
        ours.mkdir()
        bare.mkdir()
        command = ["qpdf", str(large), "--split-pages=1", str(bare / "page.pdf")]
        beside = timed(lambda: pikepdf.Job(command).run())
        taken = timed(lambda: _split(large, ours))
        assert len(list(ours.iterdir())) == len(list(bare.iterdir())) == _PAGES
    return line("split_5000", taken, beside, "0.8", "qpdf --split-pages: no number is read")


def _split(large: Path, folder: Path) -> None:
    with large.open("rb") as file:
        split = OnePdf(file)
        for key, name in split.names():
            (folder / name).write_bytes(split.read(key).content)


def upload_10000() -> str:
    """10,000 PDFs of a ZIP, each read, checked and stored, beside the puts alone of the same bytes.

    They take turns, 500 at a time, so that both meet the same machine.
    """
    folders = [f"platform/bench/{uuid4()}" for _ in range(2)]
    with tempfile.TemporaryFile() as file, ThreadPoolExecutor(_AT_ONCE) as pool:
        samples.write_zip(samples.batch(_PDFS), file, "Essai")
        archive, first = Archive(file), Archive(file)
        bucket, storage = objects.bucket(), storages["documents"]
        put: Any = bucket.meta.client.put_object

        def bare(one: tuple[str, bytes]) -> None:
            name = f"{folders[0]}/{one[0]}.pdf"
            put(Bucket=bucket.name, Key=name, Body=one[1], ContentType="application/pdf")

        def ours(key: str) -> None:
            storage.save(f"{folders[1]}/{key}.pdf", io.BytesIO(archive.read(key).content))

        keys = iter([key for key, _name in archive.names()])
        beside = taken = 0.0
        while some := list(islice(keys, 500)):
            contents = [(key, first.read(key).content) for key in some]
            beside += timed(lambda contents=contents: list(pool.map(bare, contents)))  # type: ignore[misc]
            taken += timed(lambda some=some: list(pool.map(ours, some)))  # type: ignore[misc]
    for folder in folders:
        for _count in objects.erase(f"{folder}/"):
            pass
    return line("upload_10000", taken, beside, "0.8", "put_object of the same bytes, as many at once")


def check_pdfs() -> str:
    """Milliseconds to read and check a PDF of a ZIP, beside only reading it."""
    with tempfile.TemporaryFile() as file:
        samples.write_zip(samples.batch(2_000), file, "Essai")
        archive = Archive(file)
        beside = timed(lambda: [archive._zip.read(entry.entry) for entry in archive.entries.values()])
        taken = timed(lambda: [archive.read(key) for key in archive.entries])
    return line("check_pdf", taken / 2, beside / 2, "-", "unzipped only", unit="ms")


def made_pdf() -> str:
    """Milliseconds to make a PDF from an invoice's data; the limit is five."""
    town = TownHall(name="Essai", address="1 place de la Mairie\n31320 Essai", contact_email="x@example.org")
    letterhead = Letterhead.of(town, portal="https://essai.example.org")
    taken = timed(lambda: [made_document(row, letterhead, regie="Régie", online=True) for row in _rows()])
    return line("made_pdf", taken / _MADE * 1000, 5, "1", "200 a second", unit="ms")


def _rows() -> Iterator[InvoiceRow]:
    for n in range(_MADE):
        yield InvoiceRow(
            line=n, number=f"2026-{n:06}", issued_on=date(2026, 10, 1), due_on=date(2026, 10, 31),
            amount=Decimal("37.50"), subject="Cantine de septembre", fiscal_year=2026, reference=f"2026{n:06}",
            payer=f"F{n:05}", title="Mme", last_name="MARTIN", first_name="Alice", address="1 rue des Écoles",
            postcode="31320", city="ESSAI",
        )  # fmt: skip


FIGURES: dict[str, Callable[[], str]] = {
    "split_5000": split_5000,
    "upload_10000": upload_10000,
    "check_pdf": check_pdfs,
    "made_pdf": made_pdf,
}
