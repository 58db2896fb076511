"""Check the PDFs of an import: each is sound, and no PDF is under the invoices of two payers. Writes nothing."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.archive import DocumentError, Documents
from tenant_apps.invoices.importing.records.kinds import RowProblem
from tenant_apps.invoices.importing.run.chunks import Candidate, Chunk, KnownRow
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.invoices.states import InvoiceState
from toolkit.scope import Scope

_COLUMN = "Fichier PDF"


class SentDocuments:
    """Reads each PDF of the archive once, and remembers its first payer."""

    def __init__(self, batch: Batch, archive: Documents) -> None:
        self._batch = batch
        self._archive = archive
        self._scope = Scope.kept(batch.limited_to)
        self._sha256: dict[str, str] = {}  # key → sha256 of the bytes, or "" for a refused PDF
        self._first: dict[str, Candidate | KnownRow] = {}  # sha256 → the first row with this PDF
        self._whose: dict[str, int | str] = {}

    @property
    def read(self) -> int:
        """Number of PDFs read."""
        return len(self._sha256)

    def check(self, chunk: Chunk) -> Iterator[RowProblem]:
        """Yield the problems of the PDFs of a chunk."""
        shown: list[Candidate | KnownRow] = []
        for item in chunk.with_document():
            key = item.document or ""
            if key not in self._sha256:
                yield from self._read(key, item)
            if not self._sha256[key]:
                continue
            if isinstance(item, KnownRow) and not item.is_late:
                yield from self._other(item)
            elif (problem := self._shared(item, chunk)) is not None:
                yield problem
            else:
                shown.append(item)
        yield from self._published(shown, chunk)

    def _read(self, key: str, item: Candidate | KnownRow) -> Iterator[RowProblem]:
        try:
            self._sha256[key] = self._archive.read(key).sha256
        except DocumentError as error:
            self._sha256[key] = ""
            yield RowProblem(item.row.line, _COLUMN, item.row.number, str(error))

    def _other(self, item: KnownRow) -> Iterator[RowProblem]:
        """Warn about another PDF for an invoice that is online. The PDF that residents have read is not replaced."""
        document = item.invoice.document
        if document is not None and document.sha256 != self._sha256[item.document or ""]:
            sentence = _(
                "Cette facture est déjà en ligne avec un autre PDF : il n'est pas remplacé. S'il est faux, annulez la "
                "facture par un avoir et publiez-la sous un nouveau numéro."
            )
            yield RowProblem(item.row.line, _COLUMN, item.row.number, sentence, is_error=False)

    def _shared(self, item: Candidate | KnownRow, chunk: Chunk) -> RowProblem | None:
        """The problem of a PDF that an earlier row of another payer has too: one bill was printed for everybody."""
        sha256, whose = self._sha256[item.document or ""], chunk.people[item.row.payer].whose
        first = self._first.setdefault(sha256, item)
        if self._whose.setdefault(sha256, whose) == whose:
            return None
        sentence = _(
            "Ce PDF est exactement celui de la ligne %(line)d (facture n° %(number)s, code %(code)s), d'un autre "
            "redevable : l'un lirait la facture de l'autre. Produisez de nouveau les PDF."
        )
        words = {"line": first.row.line, "number": first.row.number, "code": first.row.payer}
        return RowProblem(item.row.line, _COLUMN, item.row.number, sentence % words)

    def _published(self, items: list[Candidate | KnownRow], chunk: Chunk) -> Iterator[RowProblem]:
        """The same for invoices that the town already has, in one SQL statement."""
        wanted = {self._sha256[item.document or ""] for item in items}
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
            finding = chunk.people[item.row.payer]
            for invoice in theirs.get(self._sha256[item.document or ""], ()):
                if finding.may_be(invoice.payer_id):
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
                yield RowProblem(item.row.line, _COLUMN, item.row.number, sentence % words)
                break
