"""A CSV of the Treasury or of the bank, streamed, in any of the usual encodings and separators."""

import re
from collections.abc import Generator, Mapping
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading import cells as cell_of
from tenant_apps.reconciliation.reading import returns
from tenant_apps.reconciliation.reading.columns import CENTS, FIELDS
from tenant_apps.reconciliation.reading.layout import Layout
from tenant_apps.reconciliation.reading.rows import ReadRow, UnreadableRow
from tenant_apps.reconciliation.reading.words import (
    Said,
    is_alarming,
    is_cancelled,
    is_outgoing,
    said_of,
    speaks_of_return,
)
from toolkit.reading.errors import FieldError, FileError
from toolkit.reading.fields import fold
from toolkit.reading.tables import TableError, rows_of
from toolkit.reading.text import Lines

MOST_ROWS = 500_000


def read(
    stream: BinaryIO, layout: Layout, kind: str, mapping: Mapping[str, object]
) -> Generator[ReadRow | UnreadableRow, None, None]:
    """Yield each row under the titles, read as `mapping` (field → title) says. Streamed. Raises CannotRead."""
    lines = Lines(stream, layout.encoding)
    reader = _Reader(layout, kind, mapping)
    try:
        for _n in range(layout.line):
            next(lines)
        for count, (number, cells) in enumerate(rows_of(lines, layout.delimiter), 1):
            if count > MOST_ROWS:
                raise CannotRead(
                    gettext_lazy("Ce fichier a plus de 500 000 lignes. Découpez-le en plusieurs fichiers.")
                )
            yield reader.row(number, cells)
    except FileError as error:
        raise CannotRead(str(error)) from None
    except TableError as error:
        sentence = _(
            'Le tableau ne se lit plus à la ligne %(line)d : un guillemet (") est ouvert sans être refermé, ou se '
            "trouve au milieu d'une valeur."
        )
        raise CannotRead(sentence % {"line": error.line}) from None
    finally:
        lines.release()


class _Bad(Exception):
    """A cell that cannot be read. `str()` is the sentence; it names the column."""


class _Reader:
    def __init__(self, layout: Layout, kind: str, mapping: Mapping[str, object]) -> None:
        places = {title: place for place, title in enumerate(layout.titles)}
        self._kind, self._titles, self._labels = kind, layout.titles, FIELDS[kind]
        self._places = {name: places[title] for name, title in mapping.items() if title in places}
        self._unread = [place for place in places.values() if place not in self._places.values()]
        self._cents = bool(mapping.get(CENTS))

    def row(self, number: int, cells: list[str]) -> ReadRow | UnreadableRow:
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
            return UnreadableRow(number, str(error), raw)

    def _read(self, number: int, cells: list[str], raw: Mapping[str, str]) -> ReadRow:
        amount, outgoing = self._amount(cells)
        means, state = self._cell(cells, "means"), self._text(cells, "state", 60)
        said, doubt = self._said(state, means)
        outgoing, doubt = self._direction(cells, outgoing, doubt)
        label = self._text(cells, "label", 300)
        doubt = doubt or self._unread_state(cells)
        returned = said == Said.RETURNED or is_cancelled(state) or is_cancelled(means)
        if outgoing:
            returned = returned or self._kind == "journal" or speaks_of_return(label)
        return ReadRow(
            number=number,
            booked_on=self._date(cells),
            amount=amount,
            outgoing=outgoing,
            returned=returned,
            return_reason=self._why(state or means, label) if returned else "",
            idop=self._text(cells, "idop", 64),
            reference=re.sub(r"[^A-Za-z0-9]", "", self._text(cells, "reference", 60))[:40],
            authorization=self._text(cells, "authorization", 40),
            numcli=self._numcli(cells),
            means=_means(means) or _means(state),
            state=state or (means if said != Said.PAID else ""),
            said=said,
            doubt=doubt,
            payer_name=self._text(cells, "payer_name", 140),
            label=label,
            account=self._text(cells, "account", 40),
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
        return digits.rjust(6, "0")[:6] if digits else ""  # spreadsheets drop leading zeros

    # --- money ------------------------------------------------------------------------------------

    def _amount(self, cells: list[str]) -> tuple[Decimal, bool]:
        """Euros above zero, and whether they left. « 0,00 » counts as empty when the other column has an amount."""
        credit, debit = self._signed(cells, "amount"), self._signed(cells, "debit")
        if credit and debit:
            raise _Bad(_("Cette ligne a un débit et un crédit à la fois : vérifiez les colonnes."))
        if not credit and not debit:
            empty = credit is None and debit is None
            words = _("est vide : indiquez un montant, par exemple 37,50.") if empty else _("est nul.")
            raise _Bad(self._sentence("amount", self._cell(cells, "amount"), words))
        amount, outgoing = (credit, credit < 0) if credit else (debit or Decimal(0), True)
        return abs(amount), outgoing

    def _signed(self, cells: list[str], name: str) -> Decimal | None:
        text = self._cell(cells, name)
        if not text or text in "-–—":
            return None
        try:
            amount = cell_of.signed(text)
        except FieldError as error:
            raise _Bad(self._sentence(name, text, error)) from None
        if self._cents:
            if amount % 1:
                raise _Bad(self._sentence(name, text, _("n'est pas un nombre entier de centimes.")))
            amount = (amount / 100).quantize(Decimal("0.01"))
        return amount

    def _direction(self, cells: list[str], outgoing: bool, doubt: str) -> tuple[bool, str]:
        """The direction, by its column (C, D…) and by the sign. An unknown word gives a doubt."""
        if "direction" not in self._places:
            return outgoing, doubt
        text = self._text(cells, "direction", 40)
        said = is_outgoing(text)
        if said is None:
            sentence = _("Son sens, « %(word)s », n'est ni un crédit ni un débit que nous connaissons.")
            return outgoing, sentence % {"word": text or _("vide")}
        return outgoing or said, doubt

    # --- states -----------------------------------------------------------------------------------

    def _said(self, state: str, means: str) -> tuple[Said, str]:
        """What the column of states says. A column of means may also say that nothing was paid."""
        if "state" in self._places:
            said = said_of(state)
            if said == Said.UNKNOWN:
                sentence = _("Son état, « %(word)s », ne dit pas que l'argent est venu : vérifiez-le.")
                return said, sentence % {"word": state or _("vide")}
            if said != Said.PAID:
                return said, ""
        by_means = said_of(means)
        return (by_means, "") if by_means in (Said.NOT_PAID, Said.RETURNED) else (Said.PAID, "")

    def _unread_state(self, cells: list[str]) -> str:
        """The doubt for a row with « Abandonné » or the like in a column that the mapping leaves out."""
        for place in self._unread:
            text = cells[place].strip() if place < len(cells) else ""
            if text and is_alarming(text):
                sentence = _("La colonne « %(title)s », qui n'est pas lue, dit « %(word)s ».")
                return sentence % {"title": self._titles[place], "word": text[:60]}
        return ""

    def _why(self, word: str, label: str) -> str:
        """The bank's code in words, or the journal's own word."""
        found = returns.in_words("", label) if self._kind == "bank" else word
        return " ".join(found.split())[:200]

    # --- days -------------------------------------------------------------------------------------

    def _date(self, cells: list[str]) -> date:
        text = self._cell(cells, "booked_on")
        try:
            return cell_of.day(text)
        except FieldError as error:
            raise _Bad(self._sentence("booked_on", text, error)) from None

    def _sentence(self, name: str, value: str, error: FieldError | str) -> str:
        shown = f" (« {value[:40]} »)" if value else ""
        place = self._places.get(name)
        title = self._titles[place] if place is not None else str(self._labels[name][0])
        return f"« {title} »{shown} {error}"


def _means(text: str) -> str:
    """P and V are PayFiP's codes."""
    word = fold(text)
    if word in ("p", "cb") or "carte" in word:
        return "card"
    if word == "v" or "prelevement" in word or "prlv" in word:
        return "debit"
    return "transfer" if "virement" in word else ""
