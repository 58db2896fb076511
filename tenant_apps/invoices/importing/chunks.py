"""Rows of a file once they are held against what the town has."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenant_apps.invoices.importing.people.matching import Finding
from tenant_apps.invoices.importing.rows import InvoiceRow
from tenant_apps.invoices.models import Invoice
from tenant_apps.products.models import Product


@dataclass(frozen=True)
class Candidate:
    """A row that would become a draft, its product and the key of its PDF in the archive (or None)."""

    row: InvoiceRow
    product: Product
    document: str | None


@dataclass(frozen=True)
class Standing:
    """A row whose invoice is online already, unchanged, and the key of the PDF that the archive has for it."""

    row: InvoiceRow
    invoice: Invoice
    document: str | None

    @property
    def is_late(self) -> bool:
        """The PDF comes after its invoice: it would be attached."""
        return self.document is not None and self.invoice.document_id is None


@dataclass(frozen=True)
class Chunk:
    """Some rows of the file, sorted out; `people` are their codes beside the payers that the town knows."""

    new: list[Candidate]
    standing: list[Standing]
    people: dict[str, Finding]

    @property
    def late(self) -> list[Standing]:
        """Those whose PDF would be attached."""
        return [standing for standing in self.standing if standing.is_late]

    def with_document(self) -> Iterator[Candidate | Standing]:
        """What the archive has a PDF for."""
        items: list[Candidate | Standing] = [*self.new, *self.standing]
        for item in items:
            if item.document is not None:
                yield item
