"""Imports through the worker, on real PostgreSQL and S3, with files in which people may be mixed up."""

import io
import zipfile
from typing import Any

import pikepdf

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions import answering
from tenant_apps.invoices.models import Batch, PayerUpdate
from tenant_apps.invoices.states import Answer


def pdf(words: str) -> bytes:
    """A valid PDF of one page; other `words` give other bytes."""
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo["/Title"] = words
    out = io.BytesIO()
    document.save(out, deterministic_id=True)
    return out.getvalue()


def archive(**files: bytes) -> io.BytesIO:
    """A ZIP; `X1=b"…"` is X1.pdf."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in files.items():
            z.writestr(f"{name}.pdf", content)
    out.seek(0)
    return out


def run(*lines: str, documents: io.BytesIO | None = None, **more: Any) -> Batch:
    """An import, processed by the worker as far as it goes."""
    batch = services.create_batch(
        actor="system",
        rows_file=io.BytesIO("\r\n".join(lines).encode()),
        rows_name="factures.csv",
        documents_file=documents,
        documents_name="pdf.zip" if documents else "",
        **more,
    )
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def publish(batch: Batch) -> Batch:
    """Publish an import, as far as it goes."""
    services.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def online(*lines: str, **more: Any) -> Batch:
    """An import that is published without a question."""
    batch = publish(run(*lines, **more))
    assert batch.state == "published", sentences(batch)
    return batch


def sentences(batch: Batch) -> str:
    """All its problems, in one text."""
    return "\n".join(f"{one.severity} {one.line} {one.message}" for one in batch.problems.all())


def question(batch: Batch) -> PayerUpdate:
    """The only question of the import."""
    return services.open_questions(batch).select_related("payer", "looks_like").get()


def answer(batch: Batch, said: Answer) -> None:
    """Answer the only question of the import."""
    answering.answer_question(actor="clerk@example.net", update=question(batch), answer=said)
