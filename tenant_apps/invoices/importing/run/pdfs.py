"""The PDFs of an import: each is sound, stored once, and under the invoices of one payer only."""

import io
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from django.core.files.storage import storages
from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.archive import DocumentError, Documents, Pdf
from tenant_apps.invoices.importing.records.kinds import LABELS, RowProblem
from tenant_apps.invoices.importing.run.chunks import Candidate, Chunk, KnownRow
from tenant_apps.invoices.importing.run.making import MADE, Maker
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenants.current import current_town
from toolkit.files.storage import document_key
from toolkit.scope import Scope

UPLOADS = 8  # in parallel
_WAITING = 4 * UPLOADS  # PDFs in memory at the same time
_COLUMN = LABELS["document"]


@dataclass(slots=True)
class _Taken:
    """A PDF that was read. `sha256` is empty when it is refused."""

    sha256: str
    uuid: uuid.UUID


class Pdfs:
    """Reads each PDF of an import once, and stores it under a key that the batch and its name give.

    A worker that starts again after a crash overwrites the same objects; what an earlier reading of the same batch
    stored is not stored again.
    """

    def __init__(self, batch: Batch, documents: Documents | None, maker: Maker | None = None) -> None:
        self._batch = batch
        self._documents = documents
        self._maker = maker
        self._scope = Scope.kept(batch.limited_to)
        self._town = current_town().uuid
        self._stored = {one.uuid: one.sha256 for one in Document.objects.filter(batch=batch)}
        self._taken: dict[str, _Taken] = {}  # by key
        self._first: dict[str, tuple[int, str, str, int | str]] = {}  # sha256 → line, number, code, whose
        self._pool = ThreadPoolExecutor(UPLOADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=error is not None)

    @property
    def read(self) -> int:
        """Number of PDFs read."""
        return len(self._taken)

    def document_of(self, key: str | None) -> uuid.UUID | None:
        """The uuid of the stored document of a key."""
        taken = self._taken.get(key) if key else None
        return taken.uuid if taken and taken.sha256 else None

    def take(self, chunk: Chunk) -> Iterator[tuple[RowProblem, tuple[int, ...]]]:
        """Read and store the PDFs of a chunk. Yields each problem, with the lines that it refuses."""
        yield from self._read(chunk)
        shown: list[Candidate | KnownRow] = []
        for item in chunk.with_document():
            taken = self._taken[item.document or ""]
            if not taken.sha256:
                continue
            if isinstance(item, KnownRow) and not item.is_late:
                held = item.invoice.document
                item.replaces_document = held is not None and held.sha256 != taken.sha256
                if not item.replaces_document:
                    continue
            if (problem := self._shared(item, chunk)) is not None:
                yield problem
            else:
                shown.append(item)
        yield from self._published(shown, chunk)

    def _read(self, chunk: Chunk) -> Iterator[tuple[RowProblem, tuple[int, ...]]]:
        wanted: dict[str, Candidate | KnownRow] = {}
        for item in chunk.with_document():
            key = item.document or ""
            if key not in self._taken:
                wanted.setdefault(key, item)
        made: list[Document] = []
        waiting: list[tuple[str, Candidate | KnownRow, Future[Document]]] = []
        for key, item in wanted.items():
            if len(waiting) >= _WAITING:
                yield from self._end(*waiting.pop(0), made)
            waiting.append((key, item, self._begin(key, item, chunk)))
        for one in waiting:
            yield from self._end(*one, made)
        Document.objects.bulk_create(made)

    def _begin(self, key: str, item: Candidate | KnownRow, chunk: Chunk) -> "Future[Document]":
        if key.startswith(MADE) and self._maker is not None and isinstance(item, Candidate):
            made = self._maker.make(item, chunk.people[item.row.payer].payer)
            return self._pool.submit(self._keep, key, item, made)
        assert self._documents is not None
        if getattr(self._documents, "parallel", False):
            return self._pool.submit(self._keep, key, item, None)
        try:
            pdf = self._documents.read(key)
        except DocumentError as error:
            refused: Future[Document] = Future()
            refused.set_exception(error)
            return refused
        return self._pool.submit(self._keep, key, item, pdf)

    def _keep(self, key: str, item: Candidate | KnownRow, pdf: Pdf | None) -> Document:
        """In a thread: read and check the PDF, and store it unless it is stored. Raises DocumentError."""
        if pdf is None:
            assert self._documents is not None
            pdf = self._documents.read(key)
        public_id = uuid.uuid5(self._batch.uuid, key)
        if isinstance(item, Candidate):
            year, held = item.row.fiscal_year, None
        else:
            year, held = item.invoice.fiscal_year, item.invoice.document
        name = document_key(town=self._town, year=year, document=public_id)
        is_there = self._stored.get(public_id) == pdf.sha256
        if not is_there and (held is None or held.sha256 != pdf.sha256):
            storages["documents"].save(name, io.BytesIO(pdf.content))
        return Document(
            uuid=public_id,
            batch=self._batch,
            key=name,
            sha256=pdf.sha256,
            size=len(pdf.content),
            pages=pdf.pages,
        )

    def _end(
        self, key: str, item: Candidate | KnownRow, future: "Future[Document]", made: list[Document]
    ) -> Iterator[tuple[RowProblem, tuple[int, ...]]]:
        public_id = uuid.uuid5(self._batch.uuid, key)
        try:
            document = future.result()
        except DocumentError as error:
            self._taken[key] = _Taken("", public_id)
            yield RowProblem(item.line, _COLUMN, item.number, str(error)), (item.line,)
            return
        self._taken[key] = _Taken(document.sha256, public_id)
        held = item.invoice.document if isinstance(item, KnownRow) else None
        is_new = held is None or held.sha256 != document.sha256
        if is_new and public_id not in self._stored:
            made.append(document)
            self._stored[public_id] = document.sha256

    def _shared(self, item: Candidate | KnownRow, chunk: Chunk) -> tuple[RowProblem, tuple[int, ...]] | None:
        """The problem of a PDF that an earlier row of another payer has too: one bill was printed for everybody."""
        sha256, whose = self._taken[item.document or ""].sha256, chunk.whose(item)
        code = item.row.payer if isinstance(item, Candidate) else item.invoice.payer.reference
        line, number, first, its = self._first.setdefault(sha256, (item.line, item.number, code, whose))
        if its == whose:
            return None
        sentence = _(
            "Ce PDF est exactement celui de la ligne %(line)d (facture n° %(number)s, code %(code)s), d'un autre "
            "redevable : l'un lirait la facture de l'autre. Produisez de nouveau les PDF."
        )
        words = {"line": line, "number": number, "code": first}
        return RowProblem(item.line, _COLUMN, item.number, sentence % words), (line, item.line)

    def _published(
        self, items: list[Candidate | KnownRow], chunk: Chunk
    ) -> Iterator[tuple[RowProblem, tuple[int, ...]]]:
        """The same for invoices that the town already has, in one SQL statement."""
        wanted = {self._taken[item.document or ""].sha256 for item in items}
        others = Invoice.objects.exclude(batch=self._batch, state=InvoiceState.DRAFT)
        held = (
            others.filter(document__in=Document.objects.filter(sha256__in=wanted))
            if wanted
            else others.none()
        )
        theirs: dict[str, list[Invoice]] = {}
        for invoice in held.select_related("document", "payer").order_by("id"):
            theirs.setdefault(invoice.document.sha256 if invoice.document else "", []).append(invoice)
        for item in items:
            for invoice in theirs.get(self._taken[item.document or ""].sha256, ()):
                if chunk.may_be(item, invoice.payer_id):
                    continue
                sentence = _(
                    "Ce PDF est exactement celui de la facture n° %(number)s, déjà dans la commune pour un autre "
                    "redevable (code %(code)s) : l'un lirait la facture de l'autre. Produisez de nouveau les PDF."
                )
                if not self._scope.has(invoice.product_id):
                    sentence = _(
                        "Ce PDF est exactement celui d'une facture d'une autre régie, pour un autre redevable : l'un "
                        "lirait la facture de l'autre. Produisez de nouveau les PDF."
                    )
                words = {"number": invoice.number, "code": invoice.payer.reference}
                yield RowProblem(item.line, _COLUMN, item.number, sentence % words), (item.line,)
                break
