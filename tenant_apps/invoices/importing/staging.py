"""Checked rows → drafts and stored PDFs. Nothing of it is visible to a resident before publication.

Every name is derived from the batch, so a worker that starts again after a kill -9 writes the same
objects over the same keys: no double, no orphan.
"""

import io
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.core.files.storage import storages
from django.db import transaction

from tenant_apps.invoices.importing.checking import Candidate, Checker, Progress, Report
from tenant_apps.invoices.importing.documents import Archive, Pdf
from tenant_apps.invoices.importing.rows import Reader
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.residents.models import Payer
from tenants.current import current_town
from toolkit.storage import document_key

UPLOADS = 8  # at a time


def stage(batch: Batch, reader: Reader, archive: Archive | None, progress: Progress) -> Report:
    """Make a draft of every new row and store its PDF; files first, then the rows that name them."""
    report = Report()
    checker = Checker(batch, archive)
    stored: dict[str, Document] = {}
    with ThreadPoolExecutor(UPLOADS) as pool:
        for candidates in checker.chunks(reader, report):
            documents = _store(batch, archive, candidates, stored, pool)
            with transaction.atomic():
                _write(batch, candidates, documents, stored, tells_emails="email" in reader.columns.places)
            progress(report.rows)
    report.documents = len(stored)
    return report


def _store(
    batch: Batch,
    archive: Archive | None,
    candidates: list[Candidate],
    stored: dict[str, Document],
    pool: ThreadPoolExecutor,
) -> list[tuple[str, Document]]:
    """Upload the chunk's PDFs, several at a time, and return their rows, not saved yet."""
    if archive is None:
        return []
    town = current_town().uuid
    made: list[tuple[str, Document]] = []
    waiting = []
    keys = {candidate.document: candidate for candidate in candidates if candidate.document}
    for key, candidate in keys.items():
        if key in stored:
            continue
        pdf = archive.read(key)
        public_id = uuid.uuid5(batch.uuid, key)
        name = document_key(town=town, year=candidate.row.fiscal_year, document=public_id)
        document = Document(
            uuid=public_id, batch=batch, key=name, sha256=pdf.sha256, size=len(pdf.content), pages=pdf.pages
        )
        made.append((key, document))
        waiting.append(pool.submit(_upload, name, pdf))
    for upload in waiting:
        upload.result()
    return made


def _upload(name: str, pdf: Pdf) -> None:
    storages["documents"].save(name, io.BytesIO(pdf.content))


def _write(
    batch: Batch,
    candidates: list[Candidate],
    documents: Iterable[tuple[str, Document]],
    stored: dict[str, Document],
    *,
    tells_emails: bool,
) -> None:
    new = list(documents)
    Document.objects.bulk_create([document for _key, document in new])
    stored.update(new)
    payers = _payers(candidates)
    Invoice.objects.bulk_create(
        [
            Invoice(
                batch=batch,
                product=candidate.product,
                payer=payers[candidate.row.payer],
                number=candidate.row.number,
                fiscal_year=candidate.row.fiscal_year,
                reference=candidate.row.reference,
                subject=candidate.row.subject,
                issued_on=candidate.row.issued_on,
                due_on=candidate.row.due_on,
                amount=candidate.row.amount,
                state=InvoiceState.DRAFT,
                document=stored.get(candidate.document) if candidate.document else None,
                staged=_staged(candidate, tells_emails=tells_emails),
            )
            for candidate in candidates
        ]
    )


def _payers(candidates: list[Candidate]) -> dict[str, Payer]:
    """The payers of the chunk. A new one is made bare; names and addresses wait for the publication."""
    references = {candidate.row.payer for candidate in candidates}
    Payer.objects.bulk_create(
        [Payer(reference=reference) for reference in sorted(references)], ignore_conflicts=True
    )
    return {payer.reference: payer for payer in Payer.objects.filter(reference__in=references)}


def _staged(candidate: Candidate, *, tells_emails: bool) -> dict[str, object]:
    """What the file says of the payer. Without a column of addresses it says nothing of them."""
    row = candidate.row
    emails = {"emails": list(row.emails)} if tells_emails else {}
    return {
        **emails,
        "title": row.title,
        "last_name": row.last_name,
        "first_name": row.first_name,
        "address": row.address,
        "postcode": row.postcode,
        "city": row.city,
    }
