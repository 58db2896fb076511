"""Makes the records that formats yield from their texts, with the same checks for all.

No database, nothing is written.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.identity import LONGEST_NAME, code_of_name, payer_code
from tenant_apps.invoices.importing.records import fields as billing
from tenant_apps.invoices.importing.records.cells import Cells
from tenant_apps.invoices.importing.records.doubts import Doubts
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.kinds import (
    LABELS,
    OF_PAYER,
    DocumentRow,
    InvoiceRow,
    PayerRow,
    RowProblem,
)
from tenant_apps.invoices.importing.records.quick import Quick
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, USUAL, WHO_BY_CODE, Reading
from toolkit.reading import fields
from toolkit.reading.errors import FieldError, FileError, NotPositive

MOST_ROWS = 200_000
_PLAIN = {
    "title": 40,
    "last_name": 80,
    "first_name": 80,
    "address1": 120,
    "address2": 120,
    "city": 80,
    "document": 200,
}
_CODES = {"postcode": 20, "product": billing.LONGEST_PRODUCT}


@dataclass
class _Seen:
    """The first line of each number and simplified number, by product and year, and of each reference, by product.

    Dictionaries of texts within one of their owners: a tuple per row would take twice the memory.
    """

    numbers: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    keys: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    references: dict[str, dict[str, int]] = field(default_factory=dict)
    year_was_said: bool = False

    def first(self, line: int, product: str, year: int, number: str) -> tuple[int, int]:
        """The first lines of a number and of its simplified form; `line` itself for new ones."""
        of = (product, year)
        return (
            self.numbers.setdefault(of, {}).setdefault(number, line),
            self.keys.setdefault(of, {}).setdefault(key_of(number), line),
        )

    def first_reference(self, line: int, product: str, reference: str) -> int:
        """The first line of a payment reference; `line` itself for a new one."""
        return self.references.setdefault(product, {}).setdefault(reference.casefold(), line)

    def has(self, row: InvoiceRow) -> bool:
        """Whether an earlier row has its number, a similar one or its reference; otherwise they are kept."""
        line, number, of = row.line, row.number, (row.product.lower(), row.fiscal_year)
        return (
            self.numbers.setdefault(of, {}).setdefault(number, line) != line
            or self.keys.setdefault(of, {}).setdefault(number.lower(), line) != line
            or self.references.setdefault(of[0], {}).setdefault(row.reference.lower(), line) != line
        )


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
        self._for_all = reading.for_all
        self._seen = _Seen()
        # Invoices whose PDF was named → where.
        self._named: dict[tuple[str, int, str], int] = {}
        self._payer_title = payer_title
        self._payer_may_be_name = payer_may_be_name
        self._doubts = Doubts()
        self._quick = Quick(self._doubts) if self._rules.who == WHO_BY_CODE else None

    def refuse(
        self,
        line: int,
        sentence: str,
        *,
        field: str = "",
        value: str = "",
        cells: Mapping[str, str] | None = None,
    ) -> Iterator[RowProblem]:
        """Refuse a record as a whole. Raises FileError when there are too many.

        `cells`: its texts, when they can be corrected on the spot.
        """
        self._count()
        yield RowProblem(line, field, value[:80], sentence, cells=cells or {})

    def leave_out(self, line: int, sentence: str, *, field: str, value: str) -> Iterator[RowProblem]:
        """Leave out a record that asks nothing of anybody, with a warning. Raises FileError as `refuse`."""
        self._count()
        yield RowProblem(line, field, value[:80], sentence, is_error=False)

    def make(self, line: int, cells: Mapping[str, str]) -> Iterator[InvoiceRow | RowProblem]:
        """The invoice of one record, or its problems. Raises FileError when there are too many.

        `cells`: field (a key of LABELS) → its text. For a field of the payer, absent says nothing and empty says «
        empty »; for other fields both are the same. « by_debit »: "1" when a bank will pay, without saying when.
        `line`: where a clerk finds the record.
        """
        self._count()
        cells = self._completed(line, cells)
        if (plain_row := self._read_quickly(line, cells)) is not None:
            yield plain_row
            return
        if (sentence := self._nothing_asked(cells)) is not None:
            yield RowProblem(line, LABELS["amount"], cells["amount"].strip()[:80], sentence, is_error=False)
            return
        cells = billing.unescaped(cells)
        if any(sign.isdigit() for sign in cells.get("title", "")):
            yield from self._doubts.no_civility(line, cells["title"])
            cells = {name: text for name, text in cells.items() if name != "title"}
        row = Cells(line, cells)
        problems, refuse, read = row.problems, row.refuse, row.read

        number = read("number", _number)
        issued_on = read("issued_on", billing.day)
        due_on = read("due_on", billing.day)
        amount = read("amount", billing.amount)
        subject = read("subject", lambda raw: fields.text(raw, longest=160, required=True))
        payer = self._payer(cells, row)
        year = read("fiscal_year", lambda raw: billing.year(raw, issued_on.year if issued_on else 0))
        reference = None
        if number and year:  # otherwise the row is already refused
            reference = read("reference", lambda raw: billing.reference(raw, number=number, year=year))
        addresses = read("email", billing.addresses)
        debit_on = read("debit_on", billing.day) if cells.get("debit_on", "").strip() else None
        plain = _plain(row)
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
        yield from self._doubts.of(line, cells, issued_on, due_on)
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
            said=self._said(cells, plain),
            by_debit=debit_on is not None or cells.get("by_debit", "").strip() not in ("", "0"),
            debit_on=debit_on,
            by_name=self._rules.by_name,
            **{name: value or "" for name, value in plain.items()},
        )

    def person(self, line: int, cells: Mapping[str, str]) -> Iterator[PayerRow | RowProblem]:
        """A person without invoice, or the problems of the record. As `make`."""
        self._count()
        cells = billing.unescaped(self._completed(line, cells))
        row = Cells(line, cells)
        payer = self._payer(cells, row)
        addresses = row.read("email", billing.addresses)
        plain = _plain(row)
        yield from row.problems
        if row.problems or payer is None or addresses is None:
            return
        yield PayerRow(
            line=line,
            payer=payer,
            address="\n".join(filter(None, [plain["address1"], plain["address2"]])),
            emails=addresses,
            said=self._said(cells, plain),
            by_name=self._rules.by_name,
            **{name: plain[name] or "" for name in ("title", "last_name", "first_name", "postcode", "city")},
        )

    def document(self, line: int, cells: Mapping[str, str]) -> Iterator[DocumentRow | RowProblem]:
        """The PDF of an invoice that the town has, or the problems of the record. As `make`."""
        self._count()
        cells = billing.unescaped(self._completed(line, cells))
        row = Cells(line, cells)
        number = row.read("number", _number)
        name = row.read("document", lambda raw: fields.text(raw, longest=_PLAIN["document"], required=True))
        year = row.read("fiscal_year", lambda raw: billing.year(raw, 0))
        product = row.read(
            "product", lambda raw: fields.text(fields.identifier(raw), longest=_CODES["product"])
        )
        first = self._named.setdefault((product or "", year or 0, key_of(number or "")), line)
        if number and first != line:
            sentence = _("« Numéro » figure déjà à la ligne %(line)d : une facture n'a qu'un PDF.")
            row.refuse("number", number, sentence % {"line": first})
        yield from row.problems
        if not row.problems and number and name:
            yield DocumentRow(line, number, name, year or None, product or "")

    def _completed(self, line: int, cells: Mapping[str, str]) -> Mapping[str, str]:
        """The texts of a record with what a clerk corrected, and with what the source's rules add."""
        if corrected := self._corrections.get(line):
            cells = {**cells, **corrected}
        rules = self._rules
        added = {name: text for name, text in self._for_all.items() if not cells.get(name, "").strip()}
        if rules.prefix and (number := cells.get("number", "").strip()):
            added["number"] = number if number.startswith(rules.prefix) else rules.prefix + number
        if rules.subject and not cells.get("subject", "").strip():
            added["subject"] = rules.subject
        if rules.product and not cells.get("product", "").strip():
            added["product"] = rules.product
        if rules.due_days is not None and not cells.get("due_on", "").strip():
            with suppress(FieldError):
                issued_on = billing.day(added.get("issued_on") or cells.get("issued_on", ""))
                added["due_on"] = f"{issued_on + timedelta(days=rules.due_days):%d/%m/%Y}"
        return {**cells, **added} if added else cells

    def _read_quickly(self, line: int, cells: Mapping[str, str]) -> InvoiceRow | None:
        """The invoice of a record in which nothing is unusual; None for the others."""
        if self._quick is None:
            return None
        row = self._quick.read(line, cells, may_guess_year=self._seen.year_was_said)
        if row is None or self._seen.has(row):
            return None
        return row

    def _nothing_asked(self, cells: Mapping[str, str]) -> str | None:
        """Why a row of zero or less is left out, where the source says so."""
        if self._rules.negatives == LEAVE_OUT:
            try:
                fields.amount(cells.get("amount", ""))
            except NotPositive:
                return _(
                    "« Montant » n'est pas supérieur à zéro : il n'y a rien à demander, la ligne est laissée de côté."
                )
            except FieldError:
                return None
        return None

    def _count(self) -> None:
        self.count += 1
        if self.count > MOST_ROWS:
            raise FileError(_("Le fichier a plus de 200 000 lignes. Découpez-le en plusieurs envois."))

    def _payer(self, cells: Mapping[str, str], row: Cells) -> str | None:
        """The payer's code, or its problem in `row`."""
        if not self._rules.by_name:
            return row.read("payer", self._code)
        family, first_name = name_in(cells)
        return row.read("payer", lambda _raw: code_of_name(family) and code_of_name(f"{family} {first_name}"))

    def _said(self, cells: Mapping[str, str], plain: dict[str, str | None]) -> frozenset[str]:
        """The fields of the payer that the record gives. A name in place of a code is their last name."""
        said = OF_PAYER & cells.keys()
        if not self._rules.by_name or "last_name" in said:
            return said
        plain["last_name"] = _shortened(fields.text(cells["payer"], longest=LONGEST_NAME))
        return said | {"last_name"}

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


def name_in(cells: Mapping[str, str]) -> tuple[str, str]:
    """(family, first name) of a record without code; the family is in the column of the payer, or of last names."""
    return cells.get("payer", "").strip() or cells.get("last_name", ""), cells.get("first_name", "")


def _number(raw: str) -> str:
    return fields.text(fields.identifier(raw), longest=40, required=True)


def _plain(row: Cells) -> dict[str, str | None]:
    """The fields that are only text; None for one that is refused."""
    plain = {
        name: row.read(name, lambda raw, n=longest: fields.text(raw, longest=n))  # type: ignore[misc]
        for name, longest in _PLAIN.items()
    }
    codes = {
        name: row.read(name, lambda raw, n=longest: fields.text(fields.identifier(raw), longest=n))  # type: ignore[misc]
        for name, longest in _CODES.items()
    }
    return plain | codes


def _shortened(name: str) -> str:
    """Two parents may have a longer name together than one may have here; the code is made from the whole one."""
    longest = _PLAIN["last_name"]
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _twice(
    line: int, seen: _Seen, product: str, year: int, number: str, reference: str | None
) -> tuple[str, str]:
    """(field, sentence) when an earlier row has this number, a similar one, or this reference. None otherwise."""
    first, similar = seen.first(line, product, year, number)
    if first != line:
        sentence = _("« Numéro » figure déjà à la ligne %(line)d : chaque facture a son numéro.")
        return "number", sentence % {"line": first}
    # PDFs are named by number, and file names cannot contain every character: such numbers would share one PDF.
    if similar != line:
        sentence = _(
            "« Numéro » se confond avec celui de la ligne %(line)d : seule la ponctuation les distingue."
        )
        return "number", sentence % {"line": similar}
    if reference is not None:
        # The Treasury knows payments only by their reference (docs/payfip.md §1).
        first = seen.first_reference(line, product, reference)
        if first != line:
            sentence = _("« Référence TIPI » est la même référence de paiement qu'à la ligne %(line)d.")
            return "reference", sentence % {"line": first}
    return "", ""
