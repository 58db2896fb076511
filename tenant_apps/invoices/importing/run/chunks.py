"""Rows of a file, sorted by what the town already has."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenant_apps.invoices.importing.people.matching import Finding
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tenant_apps.invoices.models import Invoice
from tenant_apps.products.models import Product


@dataclass(frozen=True)
class Candidate:
    """A row that becomes a draft, its product, and the key of its PDF in the archive (or None)."""

    row: InvoiceRow
    product: Product
    document: str | None


@dataclass(frozen=True)
class KnownRow:
    """A row whose invoice is already online and unchanged, and the key of its PDF in the archive (or None)."""

    row: InvoiceRow
    invoice: Invoice
    document: str | None

    @property
    def is_late(self) -> bool:
        """Whether the invoice is online without PDF and the archive has one for it."""
        return self.document is not None and self.invoice.document_id is None


@dataclass(frozen=True)
class Chunk:
    """Some rows of the file. `people`: code → what the check found about its payer."""

    new: list[Candidate]
    known: list[KnownRow]
    people: dict[str, Finding]

    @property
    def late(self) -> list[KnownRow]:
        """The online invoices that get a PDF."""
        return [known for known in self.known if known.is_late]

    def with_document(self) -> Iterator[Candidate | KnownRow]:
        """The rows for which the archive has a PDF."""
        items: list[Candidate | KnownRow] = [*self.new, *self.known]
        for item in items:
            if item.document is not None:
                yield item
