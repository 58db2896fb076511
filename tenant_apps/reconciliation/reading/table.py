"""A CSV of the Treasury or of the bank, streamed: any of the usual encodings and separators."""

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from tenant_apps.invoices.importing import fields
from tenant_apps.invoices.importing.errors import FileError
from tenant_apps.invoices.importing.fields import FieldError, fold
from tenant_apps.invoices.importing.text import Lines, encoding_of
from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading.columns import CENTS, FIELDS
from tenant_apps.reconciliation.reading.rows import BadRow, Row

MOST_ROWS = 200_000
_HEAD = 30  # lines among which the titles are looked for: banks write a preamble
_DELIMITERS = (";", "\t", ",")


@dataclass(frozen=True)
class Layout:
    """How the table is written. `titles` are made unique; `line` is the titles' own number."""

    encoding: str
    delimiter: str
    line: int
    titles: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The same for every file with these titles."""
        return hashlib.sha256("\x1f".join(self.titles).encode()).hexdigest()


def layout_of(stream: BinaryIO) -> Layout:
    """Find the titles. Raises CannotRead."""
    try:
        encoding = encoding_of(stream)
        lines = Lines(stream, encoding)
        head = [line for _n, line in zip(range(_HEAD), lines, strict=False)]
        lines.release()
    except FileError as error:
        raise CannotRead(str(error)) from None
    best: tuple[int, int, str] = (0, 0, "")
    for delimiter in _DELIMITERS:
        for number, line in enumerate(head, 1):
            filled = sum(bool(cell.strip()) for cell in _split(line, delimiter))
            if filled > best[0]:
                best = (filled, number, delimiter)
    filled, number, delimiter = best
    if filled < 2:
        raise CannotRead(
            _(
                "Ce fichier n'est pas un tableau : il faut des colonnes séparées par « ; », tabulation ou virgule."
            )
        )
    titles: list[str] = []
    for place, cell in enumerate(_split(head[number - 1], delimiter), 1):
        title = " ".join(cell.split())[:60] or gettext_noop("Colonne %(n)d") % {"n": place}
        titles.append(title if title not in titles else f"{title} ({place})")
    return Layout(encoding, delimiter, number, tuple(titles))


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []


def read(
    stream: BinaryIO, layout: Layout, kind: str, mapping: Mapping[str, object]
) -> Iterator[Row | BadRow]:
    """Each line under the titles, read as `mapping` says. Memory does not grow. Raises CannotRead."""
    lines = Lines(stream, layout.encoding)
    reader = _Reader(layout, kind, mapping)
    try:
        for _n in range(layout.line):
            next(lines)
        before, count = lines.number, 0
        for cells in csv.reader(lines, delimiter=layout.delimiter):
            number, before = before + 1, lines.number
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise CannotRead(
                    gettext_lazy("Ce fichier a plus de 200 000 lignes. Découpez-le en plusieurs fichiers.")
                )
            yield reader.row(number, cells)
    except (FileError, csv.Error) as error:
        sentence = _("Le tableau ne se lit plus à la ligne %(line)d : %(error)s")
        raise CannotRead(sentence % {"line": lines.number, "error": error}) from None
    finally:
        lines.release()


class _Bad(Exception):
    """`str()` is the sentence; it names the column."""


class _Reader:
    def __init__(self, layout: Layout, kind: str, mapping: Mapping[str, object]) -> None:
        places = {title: place for place, title in enumerate(layout.titles)}
        self._titles, self._labels = layout.titles, FIELDS[kind]
        self._places = {name: places[title] for name, title in mapping.items() if title in places}
        self._cents = bool(mapping.get(CENTS))

    def row(self, number: int, cells: list[str]) -> Row | BadRow:
        raw = {
            title: cell.strip()[:200]
            for title, cell in zip(self._titles, cells, strict=False)
            if cell.strip()
        }
        for place, cell in enumerate(cells[len(self._titles) :], len(self._titles) + 1):
            if cell.strip():
                raw[f"({place})"] = cell.strip()[:200]
        try:
            return self._read(number, cells, raw)
        except _Bad as error:
            return BadRow(number, str(error), raw)

    def _read(self, number: int, cells: list[str], raw: Mapping[str, str]) -> Row:
        amount, outgoing = self._amount(cells)
        means = self._cell(cells, "means")
        return Row(
            number=number,
            booked_on=self._date(cells),
            amount=amount,
            outgoing=outgoing,
            idop=self._text(cells, "idop", 64),
            reference=re.sub(r"[^A-Za-z0-9]", "", self._text(cells, "reference", 60))[:40],
            authorization=self._text(cells, "authorization", 40),
            numcli=self._numcli(cells),
            means=_means(means),
            no_money=_says_no_money(means),
            payer_name=self._text(cells, "payer_name", 140),
            label=self._text(cells, "label", 300),
            bank_reference=self._text(cells, "bank_reference", 60),
            raw=raw,
        )

    def _cell(self, cells: list[str], name: str) -> str:
        place = self._places.get(name)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    def _text(self, cells: list[str], name: str, longest: int) -> str:
        return " ".join(self._cell(cells, name).split())[:longest]

    def _numcli(self, cells: list[str]) -> str:
        digits = re.sub(r"\D", "", self._cell(cells, "numcli"))
        return digits.rjust(6, "0")[:6] if digits else ""  # a spreadsheet eats leading zeros

    def _amount(self, cells: list[str]) -> tuple[Decimal, bool]:
        text = self._cell(cells, "amount")
        debit = self._cell(cells, "debit")
        outgoing = not text and bool(debit)
        text = debit if outgoing else text
        bare = re.sub(r"\s", "", text)
        if bare.startswith(("-", "−")) or (bare.startswith("(") and bare.endswith(")")):
            outgoing, text = True, bare.strip("-−()")
        try:
            amount = fields.amount(text)
        except FieldError as error:
            raise _Bad(self._sentence("amount", text, error)) from None
        if self._cents:
            if amount % 1:
                raise _Bad(self._sentence("amount", text, _("n'est pas un nombre entier de centimes.")))
            amount = (amount / 100).quantize(Decimal("0.01"))
        return amount, outgoing

    def _date(self, cells: list[str]) -> date:
        text = self._cell(cells, "booked_on")
        try:
            return _day(text)
        except FieldError as error:
            raise _Bad(self._sentence("booked_on", text, error)) from None

    def _sentence(self, name: str, value: str, error: FieldError | str) -> str:
        shown = f" (« {value[:40]} »)" if value else ""
        place = self._places.get(name)
        title = self._titles[place] if place is not None else str(self._labels[name][0])
        return f"« {title} »{shown} {error}"


def _day(text: str) -> date:
    """A date as `fields.day` reads it, and PayFiP's own DDMMYYYY; a bank's short year is this century's."""
    if re.fullmatch(r"[0-3][0-9][01][0-9]20[0-9]{2}", text):
        text = f"{text[:2]}/{text[2:4]}/{text[4:]}"
    elif re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}", text):
        text = f"{text[:-2]}20{text[-2:]}"
    elif re.match(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T", text):
        text = text[:10]
    return fields.day(text)


def _means(text: str) -> str:
    """P and V are PayFiP's own letters."""
    word = fold(text)
    if word in ("p", "cb") or "carte" in word:
        return "card"
    if word == "v" or "prelevement" in word or "prlv" in word:
        return "debit"
    return "transfer" if "virement" in word else ""


def _says_no_money(text: str) -> bool:
    """R, Z and A are PayFiP's letters for what was refused or abandoned."""
    word = fold(text)
    return word in ("r", "z", "a") or "refus" in word or "abandon" in word
