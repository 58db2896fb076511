"""A CSV from billing software → typed rows (docs/imports.md §2). Pure reading: nothing is written, no database."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import BinaryIO, TypeVar

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing import fields
from tenant_apps.invoices.importing.columns import (
    COLUMNS,
    Columns,
    delimiter_of,
    find_columns,
    key_of_header,
    split,
)
from tenant_apps.invoices.importing.errors import FileError
from tenant_apps.invoices.importing.fields import FieldError, fold, key_of
from tenant_apps.invoices.importing.people.identity import MAY_BE_NAMES, payer_code
from tenant_apps.invoices.importing.text import Lines, encoding_of

T = TypeVar("T")
MOST_ROWS = 50_000
MOST_BYTES = 50 * 1024 * 1024
_FOOTERS = ("total", "soustotal", "montanttotal", "nombrede")


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice as the file gives it. Euros as Decimal.

    `said` names the fields of the payer for which the row has a cell: an empty cell says « empty », a column that
    is absent, or a row that is cut short before it, says nothing.
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


@dataclass(frozen=True)
class RowProblem:
    """Something about a row, named to the clerk: the row, the field, the value, one sentence."""

    line: int | None
    field: str
    value: str
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        """The whole sentence, where line and field have no column of their own."""
        if self.line is None:
            return self.message
        return _("Ligne %(line)d : %(message)s") % {"line": self.line, "message": self.message}


@dataclass
class _Seen:
    """The first line of each number, each key of a number, and each payment reference of a product."""

    numbers: dict[tuple[str, int, str], int] = field(default_factory=dict)
    keys: dict[tuple[str, int, str], int] = field(default_factory=dict)
    references: dict[tuple[str, str], int] = field(default_factory=dict)
    year_was_said: bool = False


@dataclass
class Reader:
    """Reads `stream` (bytes) row by row; memory does not grow with the file but for the numbers already seen."""

    stream: BinaryIO
    size: int
    columns: Columns = field(default_factory=lambda: Columns({}, (), ()))

    def __iter__(self) -> Iterator[InvoiceRow | RowProblem]:
        """Each row as an InvoiceRow, or the problems of a row that cannot be one. Raises FileError."""
        if self.size > MOST_BYTES:
            raise FileError(_("Le fichier des factures dépasse 50 Mo. Découpez-le en plusieurs envois."))
        lines = Lines(self.stream, encoding_of(self.stream))
        try:
            yield from self._rows(lines)
        except csv.Error:
            sentence = _(
                'Le tableau ne se lit plus à la ligne %(line)d : un guillemet (") est ouvert sans être refermé, ou '
                "se trouve au milieu d'une valeur. Corrigez-le, puis déposez à nouveau le fichier."
            )
            raise FileError(sentence % {"line": lines.number}) from None
        finally:
            lines.release()

    def _rows(self, lines: Lines) -> Iterator[InvoiceRow | RowProblem]:
        header = next((line for line in lines if line.strip()), None)
        if header is None:
            raise FileError(_("Le fichier des factures est vide."))
        delimiter = delimiter_of(header)
        self.columns = find_columns(split(header, delimiter))
        for doubt in self.columns.doubts:
            yield RowProblem(None, "", "", doubt, is_error=False)
        seen = _Seen()
        self._of_payer = {name: at for name, at in self.columns.places.items() if name in _OF_PAYER}
        self._said_by_all = frozenset(self._of_payer)
        before, count = lines.number, 0
        # Strict: a quote that is never closed would otherwise swallow the invoices after it in silence.
        for cells in csv.reader(lines, delimiter=delimiter, strict=True):
            line, before = before + 1, lines.number
            if not any(cell.strip() for cell in cells):
                continue
            if self._is_footer(cells):
                sentence = _("Cette ligne de total n'est pas une facture : elle est laissée de côté.")
                yield RowProblem(line, "", "", sentence, is_error=False)
                continue
            count += 1
            if count > MOST_ROWS:
                raise FileError(_("Le fichier a plus de 50 000 lignes. Découpez-le en plusieurs envois."))
            surplus = cells[self.columns.width :]
            # A decimal comma without quotes in a file of commas shifts the row, and may leave the end empty.
            if any(cell.strip() for cell in surplus) or (surplus and delimiter == ","):
                yield RowProblem(line, "", "", _too_wide(delimiter))
            else:
                yield from self._row(line, cells, seen)
        if not count:
            raise FileError(_("Le fichier ne contient aucune facture sous la ligne de titres."))

    def _cell(self, cells: list[str], name: str) -> str:
        index = self.columns.places.get(name)
        return fields.meant(cells[index]) if index is not None and index < len(cells) else ""

    def _said(self, cells: list[str]) -> frozenset[str]:
        if len(cells) > max(self._of_payer.values(), default=0):
            return self._said_by_all
        return frozenset(name for name, at in self._of_payer.items() if at < len(cells))

    def _code(self, raw: str) -> str:
        title = self.columns.title_of("payer")
        return payer_code(
            fields.identifier(raw), title=title, may_be_name=key_of_header(title) in MAY_BE_NAMES
        )

    def _is_footer(self, cells: list[str]) -> bool:
        """A line of totals: its word somewhere, and neither a payer nor anything like a date."""
        if self._cell(cells, "payer").strip():
            return False
        if any(sign.isdigit() for name in ("issued_on", "due_on") for sign in self._cell(cells, name)):
            return False
        return any(fold(cell).startswith(_FOOTERS) for cell in cells)

    def _row(self, line: int, cells: list[str], seen: _Seen) -> Iterator[InvoiceRow | RowProblem]:
        problems: list[RowProblem] = []

        def refuse(name: str, value: str, sentence: str) -> None:
            problems.append(RowProblem(line, COLUMNS[name][0], value[:80], sentence))

        def read(name: str, convert: Callable[[str], T]) -> T | None:
            raw = self._cell(cells, name)
            try:
                return convert(raw)
            except FieldError as error:
                refuse(name, raw.strip(), f"« {COLUMNS[name][0]} » {error}")
                return None

        number = read("number", lambda raw: fields.text(fields.identifier(raw), longest=40, required=True))
        issued_on = read("issued_on", fields.day)
        due_on = read("due_on", fields.day)
        amount = read("amount", fields.amount)
        subject = read("subject", lambda raw: fields.text(raw, longest=160, required=True))
        payer = read("payer", self._code)
        year = read("fiscal_year", lambda raw: fields.year(raw, issued_on.year if issued_on else 0))
        reference = None
        if number and year:  # else the row is refused already
            reference = read("reference", lambda raw: fields.reference(raw, number=number, year=year))
        addresses = read("email", fields.addresses)
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
            name, sentence = _twice(line, seen, plain["product"].casefold(), year, number, reference)
            if sentence:
                refuse(name, (reference or "") if name == "reference" else number, sentence)
        yield from problems
        if problems or number is None or issued_on is None or due_on is None or amount is None:
            return
        if subject is None or payer is None or year is None or reference is None or addresses is None:
            return
        yield from self._notices(line, cells, seen, amount)
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
            said=self._said(cells),
            **{name: value or "" for name, value in plain.items()},
        )

    def _notices(self, line: int, cells: list[str], seen: _Seen, amount: Decimal) -> Iterator[RowProblem]:
        label = COLUMNS["fiscal_year"][0]
        if not seen.year_was_said and not self._cell(cells, "fiscal_year").strip():
            seen.year_was_said = True
            sentence = _("L'exercice n'est pas donné : l'année de la date de facture en tient lieu.")
            known = "fiscal_year" in self.columns.places
            yield RowProblem(line if known else None, label, "", sentence, is_error=False)
        if amount >= fields.NOT_ONLINE:
            label = COLUMNS["amount"][0]
            sentence = _(
                "« Montant » ne peut pas être réglé en ligne (100 000 € ou plus) : vérifiez la virgule."
            )
            yield RowProblem(line, label, self._cell(cells, "amount").strip()[:80], sentence, is_error=False)


def _twice(
    line: int, seen: _Seen, product: str, year: int, number: str, reference: str | None
) -> tuple[str, str]:
    """(field, sentence) when an earlier line has this number, one that reads the same, or this reference."""
    first = seen.numbers.setdefault((product, year, number), line)
    if first != line:
        sentence = _("« Numéro » figure déjà à la ligne %(line)d : chaque facture a son numéro.")
        return "number", sentence % {"line": first}
    # PDFs are named by number, and a file name cannot hold every sign: such a pair would share one PDF.
    first = seen.keys.setdefault((product, year, key_of(number)), line)
    if first != line:
        sentence = _(
            "« Numéro » se confond avec celui de la ligne %(line)d : seule la ponctuation les distingue."
        )
        return "number", sentence % {"line": first}
    if reference is not None:
        # The Treasury tells payments apart by the reference alone (docs/payfip.md §1).
        first = seen.references.setdefault((product, reference.casefold()), line)
        if first != line:
            sentence = _("« Référence TIPI » est la même référence de paiement qu'à la ligne %(line)d.")
            return "reference", sentence % {"line": first}
    return "", ""


def _too_wide(delimiter: str) -> str:
    sign = _("une tabulation") if delimiter == "\t" else f"« {delimiter} »"
    return _(
        "La ligne a plus de valeurs que de titres : si une valeur contient %(sign)s, mettez-la entre guillemets."
    ) % {"sign": sign}


_OF_PAYER = ("title", "last_name", "first_name", "address1", "address2", "postcode", "city", "email")
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
