"""Makes the records that formats yield from their texts, with the same checks for all.

No database, nothing is written.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.identity import payer_code
from tenant_apps.invoices.importing.records import fields as billing
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.kinds import LABELS, OF_PAYER, InvoiceRow, RowProblem
from tenant_apps.invoices.importing.records.rules import USUAL, Reading
from toolkit.reading import fields
from toolkit.reading.errors import FieldError, FileError

T = TypeVar("T")
MOST_ROWS = 200_000
_PLAIN = {
    "title": 20,
    "last_name": 80,
    "first_name": 80,
    "address1": 120,
    "address2": 120,
    "city": 80,
    "document": 200,
}
_CODES = {"postcode": 10, "product": 30}


@dataclass
class _Seen:
    """The first line of each number, of each simplified number, and of each payment reference per product."""

    numbers: dict[tuple[str, int, str], int] = field(default_factory=dict)
    keys: dict[tuple[str, int, str], int] = field(default_factory=dict)
    references: dict[tuple[str, str], int] = field(default_factory=dict)
    year_was_said: bool = False


class Rows:
    """Makes the invoices of one file from their texts, and remembers what it has met.

    `reading`: the rules of the source and what a clerk has corrected. `payer_title`: the file's title for the payer's
    code. `payer_may_be_name`: that column may contain family names.
    """

    def __init__(
        self,
        reading: Reading = USUAL,
        *,
        payer_title: str = LABELS["payer"],
        payer_may_be_name: bool = False,
    ) -> None:
        self.count = 0  # records, refused ones included
        self._rules = reading.rules
        self._corrections = reading.corrections
        self._seen = _Seen()
        self._payer_title = payer_title
        self._payer_may_be_name = payer_may_be_name

    def refuse(self, line: int, sentence: str) -> Iterator[RowProblem]:
        """Refuse a record that cannot be split into fields. Raises FileError when there are too many."""
        self._count()
        yield RowProblem(line, "", "", sentence)

    def make(self, line: int, cells: Mapping[str, str]) -> Iterator[InvoiceRow | RowProblem]:
        """The invoice of one record, or its problems. Raises FileError when there are too many.

        `cells`: field (a key of LABELS) → its text. For a field of the payer, absent says nothing and empty says «
        empty »; for other fields both are the same. `line`: where a clerk finds the record. A cell « by_debit »: the
        payer's bank pays it, also when the file gives no day.
        """
        self._count()
        problems: list[RowProblem] = []
        cells = self._completed(line, cells)

        def refuse(name: str, value: str, sentence: str) -> None:
            shown = {} if problems else cells
            problems.append(RowProblem(line, LABELS[name], value[:80], sentence, cells=shown))

        def read(name: str, convert: Callable[[str], T]) -> T | None:
            raw = cells.get(name, "")
            try:
                return convert(raw)
            except FieldError as error:
                refuse(name, raw.strip(), f"« {LABELS[name]} » {error}")
                return None

        number = read("number", lambda raw: fields.text(fields.identifier(raw), longest=40, required=True))
        issued_on = read("issued_on", fields.day)
        due_on = read("due_on", fields.day)
        amount = read("amount", fields.amount)
        subject = read("subject", lambda raw: fields.text(raw, longest=160, required=True))
        payer = read("payer", self._code)
        year = read("fiscal_year", lambda raw: billing.year(raw, issued_on.year if issued_on else 0))
        reference = None
        if number and year:  # otherwise the row is already refused
            reference = read("reference", lambda raw: billing.reference(raw, number=number, year=year))
        addresses = read("email", billing.addresses)
        debit_on = read("debit_on", fields.day) if cells.get("debit_on", "").strip() else None
        plain = {
            name: read(name, lambda raw, n=longest: fields.text(raw, longest=n))  # type: ignore[misc]
            for name, longest in _PLAIN.items()
        }
        plain |= {
            name: read(name, lambda raw, n=longest: fields.text(fields.identifier(raw), longest=n))  # type: ignore[misc]
            for name, longest in _CODES.items()
        }
        if issued_on and due_on and due_on < issued_on:
            sentence = _("« Échéance » est avant la date de la facture : vérifiez les deux dates.")
            refuse("due_on", f"{due_on:%d/%m/%Y}", sentence)
        if number and year and plain["product"] is not None:
            name, sentence = _twice(line, self._seen, plain["product"].casefold(), year, number, reference)
            if sentence:
                refuse(name, (reference or "") if name == "reference" else number, sentence)
        yield from problems
        if problems or number is None or issued_on is None or due_on is None or amount is None:
            return
        if subject is None or payer is None or year is None or reference is None or addresses is None:
            return
        yield from self._notices(line, cells, amount)
        address = "\n".join(filter(None, [plain.pop("address1"), plain.pop("address2")]))
        yield InvoiceRow(
            line=line,
            number=number,
            issued_on=issued_on,
            due_on=due_on,
            amount=amount,
            subject=subject,
            fiscal_year=year,
            reference=reference,
            payer=payer,
            emails=addresses,
            address=address,
            said=OF_PAYER & cells.keys(),
            by_debit=debit_on is not None or bool(cells.get("by_debit")),
            debit_on=debit_on,
            **{name: value or "" for name, value in plain.items()},
        )

    def _completed(self, line: int, cells: Mapping[str, str]) -> Mapping[str, str]:
        """The texts of a record with what a clerk corrected, and with what the source's rules add."""
        if corrected := self._corrections.get(line):
            cells = {**cells, **corrected}
        rules, added = self._rules, {}
        if rules.prefix and (number := cells.get("number", "").strip()):
            added["number"] = number if number.startswith(rules.prefix) else rules.prefix + number
        if rules.subject and not cells.get("subject", "").strip():
            added["subject"] = rules.subject
        if rules.product and not cells.get("product", "").strip():
            added["product"] = rules.product
        if rules.due_days is not None and not cells.get("due_on", "").strip():
            with suppress(FieldError):
                issued_on = fields.day(cells.get("issued_on", ""))
                added["due_on"] = f"{issued_on + timedelta(days=rules.due_days):%d/%m/%Y}"
        return {**cells, **added} if added else cells

    def _count(self) -> None:
        self.count += 1
        if self.count > MOST_ROWS:
            raise FileError(_("Le fichier a plus de 200 000 lignes. Découpez-le en plusieurs envois."))

    def _code(self, raw: str) -> str:
        return payer_code(
            fields.identifier(raw), title=self._payer_title, may_be_name=self._payer_may_be_name
        )

    def _notices(self, line: int, cells: Mapping[str, str], amount: Decimal) -> Iterator[RowProblem]:
        label = LABELS["fiscal_year"]
        if not self._seen.year_was_said and not cells.get("fiscal_year", "").strip():
            self._seen.year_was_said = True
            sentence = _("L'exercice n'est pas donné : l'année de la date de facture en tient lieu.")
            known = "fiscal_year" in cells
            yield RowProblem(line if known else None, label, "", sentence, is_error=False)
        if amount >= billing.NOT_ONLINE:
            label = LABELS["amount"]
            sentence = _(
                "« Montant » ne peut pas être réglé en ligne (100 000 € ou plus) : vérifiez la virgule."
            )
            yield RowProblem(line, label, cells.get("amount", "").strip()[:80], sentence, is_error=False)


def _twice(
    line: int, seen: _Seen, product: str, year: int, number: str, reference: str | None
) -> tuple[str, str]:
    """(field, sentence) when an earlier row has this number, a similar one, or this reference. None otherwise."""
    first = seen.numbers.setdefault((product, year, number), line)
    if first != line:
        sentence = _("« Numéro » figure déjà à la ligne %(line)d : chaque facture a son numéro.")
        return "number", sentence % {"line": first}
    # PDFs are named by number, and file names cannot contain every character: such numbers would share one PDF.
    first = seen.keys.setdefault((product, year, key_of(number)), line)
    if first != line:
        sentence = _(
            "« Numéro » se confond avec celui de la ligne %(line)d : seule la ponctuation les distingue."
        )
        return "number", sentence % {"line": first}
    if reference is not None:
        # The Treasury knows payments only by their reference (docs/payfip.md §1).
        first = seen.references.setdefault((product, reference.casefold()), line)
        if first != line:
            sentence = _("« Référence TIPI » est la même référence de paiement qu'à la ligne %(line)d.")
            return "reference", sentence % {"line": first}
    return "", ""
