"""What a format yields: invoices, and whatever else billing software says about people, invoices and PDFs.

No database, nothing is written.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

# Field of an invoice → its name on screens, in problems and in the file that a clerk corrects.
LABELS = {
    "number": "Numéro",
    "issued_on": "Date",
    "due_on": "Échéance",
    "amount": "Montant",
    "subject": "Objet",
    "fiscal_year": "Exercice",
    "reference": "Référence TIPI",
    "payer": "Code redevable",
    "title": "Civilité",
    "last_name": "Nom",
    "first_name": "Prénom",
    "address1": "Adresse",
    "address2": "Adresse (suite)",
    "postcode": "CP",
    "city": "Ville",
    "email": "E-mail",
    "product": "Régie",
    "document": "Fichier PDF",
    "debit_on": "Prélevé le",
}
REQUIRED = ("number", "issued_on", "due_on", "amount", "subject", "payer")  # of an invoice
REQUIRED_OF_PDF = ("number", "document")
OF_PAYER = frozenset(
    {"title", "last_name", "first_name", "address1", "address2", "postcode", "city", "email"}
)


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice as the file gives it. Euros as Decimal.

    `said` names the fields of the payer for which the row has a cell. An empty cell means « empty »; an absent
    column, or a row cut before it, says nothing. With `by_debit` the payer's bank pays it, on `debit_on` when the file
    says when: it is shown, and cannot be paid online. `by_name`: `payer` is made from a name, because the source has
    no codes (decision 75).
    """

    line: int
    number: str
    issued_on: date
    due_on: date
    amount: Decimal
    subject: str
    fiscal_year: int
    reference: str
    payer: str
    title: str = ""
    last_name: str = ""
    first_name: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    emails: tuple[str, ...] = ()
    product: str = ""
    document: str = ""
    said: frozenset[str] = frozenset()
    by_debit: bool = False
    debit_on: date | None = None
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class PayerRow:
    """A person without an invoice: a file of residents, of addresses or of e-mails. Fields as in `InvoiceRow`."""

    line: int
    payer: str
    title: str = ""
    last_name: str = ""
    first_name: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    emails: tuple[str, ...] = ()
    said: frozenset[str] = frozenset()
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A cancellation or a reduction of an invoice that the town has, or that comes earlier in the same file.

    `number`, `fiscal_year` and `product` name that invoice. When `reference` is given, its payment reference must
    begin with it too: a titre and an invoice that billing numbered itself can have the same number. `amount` in euros
    is what is taken off; None cancels it all. The resident reads `reason`. `key` names the credit in its source: one
    that was applied is not applied again.
    """

    line: int
    number: str
    fiscal_year: int
    amount: Decimal | None = None
    reason: str = ""
    product: str = ""
    key: str = ""
    reference: str = ""

    @property
    def identity(self) -> str:
        """`key`, or what the credit says when its source does not name it."""
        return self.key or f"{self.number}/{self.amount or ''}/{self.reason}"[:120]


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A PDF for an invoice that the town has: it completes or replaces. `document` is its name among the PDFs."""

    line: int
    number: str
    document: str
    fiscal_year: int | None = (
        None  # None: the number says enough, or several invoices have it and it is refused
    )
    product: str = ""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A problem of a row: the row's line, the field's label, the value, one sentence.

    `cells`: the texts of a refused row, by field, so that a clerk can correct them on the spot; empty when they cannot
    be.
    """

    line: int | None
    field: str
    value: str
    message: str
    is_error: bool = True
    cells: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        """The whole sentence, for places without columns for line and field."""
        if self.line is None:
            return self.message
        return _("Ligne %(line)d : %(message)s") % {"line": self.line, "message": self.message}


Record = InvoiceRow | PayerRow | CreditRow | DocumentRow | RowProblem
