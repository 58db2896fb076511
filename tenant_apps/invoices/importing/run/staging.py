"""Checked rows → drafts and stored PDFs. Residents see nothing of it before the publication.

All keys in S3 are derived from the batch. A worker that starts again after a crash overwrites the same objects: none
is stored twice, none is left over.
"""

import io
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.core.files.storage import storages
from django.db import transaction

from tenant_apps.invoices.importing.documents.archive import Documents, Pdf
from tenant_apps.invoices.importing.people.matching import Finding
from tenant_apps.invoices.importing.run.checking import Checker, Progress, Records, Report
from tenant_apps.invoices.importing.run.chunks import Candidate, Chunk, KnownRow
from tenant_apps.invoices.models import Batch, Document, Invoice, PayerUpdate
from tenant_apps.invoices.states import InvoiceState, OnlineHold
from tenant_apps.residents.models import Payer
from tenants.current import current_town
from toolkit.files.storage import document_key

UPLOADS = 8  # in parallel


def stage(batch: Batch, records: Records, archive: Documents | None, progress: Progress) -> Report:
    """Make a draft of every new row and store its PDF. Files come first, then the rows that name them."""
    report = Report()
    checker = Checker(batch, archive)
    stored: dict[str, Document] = {}
    with ThreadPoolExecutor(UPLOADS) as pool:
        for chunk in checker.chunks(records, report):
            documents = _store(batch, archive, [*chunk.new, *chunk.late], stored, pool)
            with transaction.atomic():
                _write(batch, chunk, documents, stored)
            progress(report.rows)
    report.documents = len(stored)
    return report


def _store(
    batch: Batch,
    archive: Documents | None,
    items: list[Candidate | KnownRow],
    stored: dict[str, Document],
    pool: ThreadPoolExecutor,
) -> list[tuple[str, Document]]:
    """Upload the chunk's PDFs in parallel, and return their `Document`s, not saved yet."""
    if archive is None:
        return []
    town = current_town().uuid
    made: list[tuple[str, Document]] = []
    waiting = []
    keys = {item.document: item for item in items if item.document}
    for key, item in keys.items():
        if key in stored:
            continue
        pdf = archive.read(key)
        public_id = uuid.uuid5(batch.uuid, key)
        name = document_key(town=town, year=item.row.fiscal_year, document=public_id)
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
    batch: Batch, chunk: Chunk, documents: Iterable[tuple[str, Document]], stored: dict[str, Document]
) -> None:
    new = list(documents)
    Document.objects.bulk_create([document for _key, document in new])
    stored.update(new)
    payers = _payers(batch, chunk.people)
    _write_updates(batch, chunk.people, payers)
    Invoice.objects.bulk_create(
        [
            Invoice(
                batch=batch,
                product=candidate.product,
                payer_id=payers[candidate.row.payer],
                number=candidate.row.number,
                fiscal_year=candidate.row.fiscal_year,
                reference=candidate.row.reference,
                subject=candidate.row.subject,
                issued_on=candidate.row.issued_on,
                due_on=candidate.row.due_on,
                amount=candidate.row.amount,
                online_hold=OnlineHold.DEBIT if candidate.row.by_debit else "",
                debit_on=candidate.row.debit_on,
                state=InvoiceState.DRAFT,
                document=stored.get(candidate.document) if candidate.document else None,
            )
            for candidate in chunk.new
        ]
    )
    for late in chunk.late:
        stored[late.document or ""].late_for.append(late.invoice.pk)
    Document.objects.bulk_update({stored[late.document or ""] for late in chunk.late}, ["late_for"])


def _payers(batch: Batch, people: dict[str, Finding]) -> dict[str, int]:
    """code → payer id. A new payer is a draft without a name; the publication fills it in."""
    known = {code: finding.payer.pk for code, finding in people.items() if finding.payer}
    codes = sorted(people.keys() - known.keys())
    Payer.objects.bulk_create(
        [Payer(source=batch.source, reference=code, is_draft=True) for code in codes], ignore_conflicts=True
    )
    made = Payer.objects.filter(source=batch.source, reference__in=codes)
    return known | dict(made.values_list("reference", "pk"))


def _write_updates(batch: Batch, people: dict[str, Finding], payers: dict[str, int]) -> None:
    """Save one `PayerUpdate` per payer. A later chunk with the same payer saves what all its rows say."""
    likes = {
        finding.looks_like for finding in people.values() if isinstance(finding.looks_like, str)
    } - payers.keys()
    earlier = Payer.objects.filter(source=batch.source, reference__in=likes)
    by_code = payers | (dict(earlier.values_list("reference", "pk")) if likes else {})
    rows: dict[int, PayerUpdate] = {}
    for code, finding in people.items():
        like = finding.looks_like
        rows[payers[code]] = PayerUpdate(
            batch=batch,
            payer_id=payers[code],
            line=finding.person.line,
            said=finding.person.said,
            was=finding.was,
            is_new=finding.payer is None,
            changes=finding.changes,
            asks=finding.asks,
            reasons=finding.reasons,
            looks_like_id=by_code.get(like) if isinstance(like, str) else like.pk if like else None,
        )
    PayerUpdate.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["batch", "payer"],
        update_fields=["said", "was", "changes", "asks", "reasons", "looks_like"],
    )
