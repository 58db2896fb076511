"""Records of a file, sorted by what the town already has."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tenant_apps.invoices.importing.people.matching import Finding
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tenant_apps.invoices.models import Invoice
from tenant_apps.products.models import Product


@dataclass(slots=True)
class Candidate:
    """A row that becomes a draft, its product, and the key of its PDF (or None)."""

    row: InvoiceRow
    product: Product
    document: str | None

    @property
    def line(self) -> int:
        """Its line in the file."""
        return self.row.line

    @property
    def number(self) -> str:
        """The number of its invoice."""
        return self.row.number


@dataclass(slots=True)
class KnownRow:
    """A record about an invoice that is online, what it changes, and the key of its PDF (or None).

    `was` and `becomes`: the values that differ, as `models.Amendment` keeps them. `moves_to`: the code of another
    payer. `credit`: the euros that the file takes off.
    """

    line: int
    invoice: Invoice
    document: str | None = None
    was: dict[str, Any] = field(default_factory=dict)
    becomes: dict[str, Any] = field(default_factory=dict)
    moves_to: str = ""
    credit: Decimal | None = None
    credit_name: str = ""
    cancels: bool = False
    reason: str = ""
    replaces_document: bool = False

    @property
    def number(self) -> str:
        """The number of its invoice."""
        return self.invoice.number

    @property
    def is_late(self) -> bool:
        """Whether the invoice is online without PDF and there is one for it."""
        return self.document is not None and self.invoice.document_id is None

    @property
    def amends(self) -> bool:
        """Whether the file changes the invoice."""
        return bool(self.becomes or self.moves_to or self.credit or self.cancels or self.replaces_document)

    @property
    def asks(self) -> bool:
        """Whether a person must agree first: the payer changes, or money was received on what changes."""
        return bool(self.moves_to or (self.invoice.paid and (self.becomes or self.replaces_document)))


@dataclass(slots=True)
class Chunk:
    """Some records of the file. `people`: code → what the check found about the payer."""

    new: list[Candidate]
    known: list[KnownRow]
    people: dict[str, Finding]

    @property
    def late(self) -> list[KnownRow]:
        """The online invoices that get a PDF."""
        return [known for known in self.known if known.is_late]

    def with_document(self) -> Iterator[Candidate | KnownRow]:
        """The rows for which there is a PDF."""
        items: list[Candidate | KnownRow] = [*self.new, *self.known]
        for item in items:
            if item.document is not None:
                yield item

    def whose(self, item: Candidate | KnownRow) -> int | str:
        """The same value for all invoices of one payer."""
        if isinstance(item, Candidate):
            return self.people[item.row.payer].whose
        return self.people[item.moves_to].whose if item.moves_to else item.invoice.payer_id

    def may_be(self, item: Candidate | KnownRow, payer_id: int) -> bool:
        """Whether the row is of that payer, or of one so similar that a person is asked."""
        if isinstance(item, Candidate):
            return self.people[item.row.payer].may_be(payer_id)
        if item.moves_to:
            return self.people[item.moves_to].may_be(payer_id)
        return item.invoice.payer_id == payer_id
