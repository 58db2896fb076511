"""Lines of Magnus → the texts of invoices. An invoice is a line M and the lines S after it, added up."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.importing.magnus.lot import WIDTH, Lot
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.kinds import LABELS, InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rows import Rows
from tenant_apps.invoices.importing.records.rules import Reading
from toolkit.reading import fields
from toolkit.reading.errors import FieldError

USUAL_DELAY = 30  # days from the date to the due date, which Magnus does not give, of a source without a rule
CUT = 46  # a PDF's name of so many signs may be cut: the column holds 50, « .pdf » included
# Column (from 1) → its name in sentences
_SAME = {
    6: "Exercice",
    8: "Code tiers",
    20: "Pièce justificative",
    25: "Date",
    71: "Prélèvement",
    72: "Date du prélèvement",
    111: "Numéro de facture",
}
_PART = re.compile(r"-?[0-9]{1,8}(?:[.,][0-9]{1,4})?")
_NAMED = re.compile(r"(?:factures?|fact|avis|titre|asap|pj)[ _-]+(?P<number>\S*[0-9]\S*)", re.IGNORECASE)


@dataclass
class _Writing:
    """The lines of one id, as they come."""

    line: int
    cells: list[str]
    total: Decimal = Decimal(0)
    problem: RowProblem | None = None
    more: list[list[str]] = field(default_factory=list)

    def text(self, column: int) -> str:
        return self.cells[column - 1].strip()


class Invoices:
    """Reads the invoices of one lot."""

    def __init__(self, lot: Lot, reading: Reading) -> None:
        self._lot, self._rules = lot, reading.rules
        self._rows = Rows(reading, payer_title="CodeTiers")
        self._pdfs, self._solidary = lot.names_of_pdfs(), lot.solidary()
        self._names = _by_start(name for _key, name in lot.attachments.names())
        self._not_online = self._without_due = 0

    def read(self) -> Iterator[Record]:
        """Yield the records in the order of the file. Raises FileError."""
        scattered = self._scattered()
        current: _Writing | None = None
        for line, cells in self._lot.lines():
            if len(cells) != WIDTH:
                yield from self._invoice(current)
                current = None
                sentence = _(
                    "La ligne a %(n)d valeurs au lieu de %(width)d : ce n'est pas une ligne de Magnus."
                )
                yield from self._rows.refuse(line, sentence % {"n": len(cells), "width": WIDTH})
                continue
            key, kind = cells[0].strip(), cells[6].strip().upper()
            if current is not None and kind == "S" and key == current.text(1):
                _add(current, cells, line)
                continue
            yield from self._invoice(current)
            current = None
            if key in scattered or kind not in ("M", "S", "") or kind == "S":
                yield from self._rows.refuse(line, _out_of_place(key, kind, key in scattered))
                continue
            current = _Writing(line, cells)
            _add(current, cells, line)
        yield from self._invoice(current)
        yield from self._notices()

    def _scattered(self) -> set[str]:
        """The ids whose lines are not one block that begins with M: a part of the invoice could be lost."""
        seen: set[str] = set()
        wrong: set[str] = set()
        last = ""
        for _line, cells in self._lot.lines():
            if len(cells) != WIDTH:
                last = ""
                continue
            key, is_more = cells[0].strip(), cells[6].strip().upper() == "S"
            if (is_more and key != last) or (not is_more and key in seen):
                wrong.add(key)
            seen.add(key)
            last = key
        return wrong

    def _invoice(self, writing: _Writing | None) -> Iterator[Record]:
        if writing is None:
            return
        cells = self._cells(writing)
        if writing.problem is not None:
            for problem in self._rows.refuse(writing.line, writing.problem.message):
                yield replace(problem, field=writing.problem.field, value=writing.problem.value)
            return
        if also := self._solidary.get(writing.text(1)):
            sentence = _(
                "%(others)s doit aussi cette somme (tiers solidaire). Seul le débiteur principal, code %(code)s, voit "
                "la facture."
            )
            words = {"others": also, "code": writing.text(8)}
            yield RowProblem(writing.line, LABELS["payer"], also[:80], sentence % words, is_error=False)
        for record in self._rows.make(writing.line, cells):
            yield record
            if isinstance(record, InvoiceRow):
                self._not_online += writing.text(70).upper() == "N"
                self._without_due += not record.by_debit and self._rules.due_days is None

    def _cells(self, writing: _Writing) -> dict[str, str]:
        text = writing.text
        name = self._pdf(writing)
        by_debit = text(71).upper() == "O"
        return {
            "number": text(111) or _number_of(name, self._rules.document_pattern),
            "issued_on": text(25),
            "due_on": self._due_on(writing, by_debit=by_debit),
            "amount": f"{writing.total.quantize(Decimal('0.01'))}"
            if _has_cents(writing.total)
            else f"{writing.total}",
            "subject": text(18),
            "fiscal_year": text(6),
            "payer": text(8),
            "title": text(93),
            "last_name": text(10),
            "first_name": text(11),
            "address1": text(12),
            "address2": " ".join(filter(None, (text(13), text(14)))),
            "postcode": text(15),
            "city": text(16),
            "document": name,
            "by_debit": "1" if by_debit else "",
            "debit_on": text(72) if by_debit else "",
        }

    def _due_on(self, writing: _Writing, *, by_debit: bool) -> str:
        """The day of the debit; otherwise the source's rule, or the usual delay."""
        if by_debit and writing.text(72):
            return writing.text(72)
        if self._rules.due_days is None:
            with suppress(FieldError):
                return f"{fields.day(writing.text(25)) + timedelta(days=USUAL_DELAY):%Y-%m-%d}"
        return ""

    def _pdf(self, writing: _Writing) -> str:
        """The whole name of the invoice's PDF: that of the table of PDFs, or the one that begins like a cut name."""
        cut, whole = writing.text(20), self._pdfs.get(writing.text(1), [])
        name = next((one for one in whole if one.startswith(cut)), whole[0]) if whole else cut
        if len(name) >= CUT and self._lot.attachments.find(name, is_file=True) is None:
            start = key_of(name)
            found = [one for one in self._names.get(start[:CUT], ()) if key_of(one).startswith(start)]
            return found[0] if len(found) == 1 else name
        return name

    def _notices(self) -> Iterator[RowProblem]:
        if count := self._not_online:
            sentence = ngettext(
                "%(n)d facture n'est pas payable par internet selon Magnus (TIPI : N). Si sa régie l'est sur ce "
                "portail, elle pourra y être payée : vérifiez.",
                "%(n)d factures ne sont pas payables par internet selon Magnus (TIPI : N). Si leur régie l'est sur ce "
                "portail, elles pourront y être payées : vérifiez.",
                count,
            )
            yield RowProblem(None, "", "", sentence % {"n": count}, is_error=False)
        if self._without_due:
            sentence = _(
                "Magnus ne donne pas d'échéance : c'est %(days)d jours après la date. Les règles de la provenance "
                "peuvent donner un autre délai."
            )
            yield RowProblem(None, LABELS["due_on"], "", sentence % {"days": USUAL_DELAY}, is_error=False)


def _add(writing: _Writing, cells: list[str], line: int) -> None:
    """Add a line to its invoice. What does not agree with the first line refuses the whole invoice."""
    for column, name in _SAME.items():
        one, other = writing.text(column), cells[column - 1].strip()
        if one != other and writing.problem is None:
            sentence = _(
                "« %(name)s » (« %(other)s »), à la ligne %(line)d, n'est pas celui de la ligne principale "
                "(« %(one)s ») : à qui est cette facture, et combien, serait incertain. Corrigez, puis produisez le "
                "lot de nouveau."
            )
            words = {"line": line, "name": name, "one": one[:40], "other": other[:40]}
            writing.problem = RowProblem(writing.line, name, other[:80], sentence % words)
    if (what := _not_an_invoice(cells)) and writing.problem is None:
        writing.problem = RowProblem(writing.line, "", "", what)
    for column, name in ((30, "Montant HT"), (31, "Montant TVA")):
        raw = re.sub(r"\s", "", cells[column - 1]) or "0"
        if not _PART.fullmatch(raw):
            sentence = _(
                "« %(name)s » (« %(value)s »), à la ligne %(line)d, n'est pas un montant : corrigez-le, puis "
                "produisez le lot de nouveau."
            )
            words = {"line": line, "name": name, "value": raw[:40]}
            writing.problem = writing.problem or RowProblem(writing.line, name, raw[:80], sentence % words)
        else:
            writing.total += Decimal(raw.replace(",", "."))


def _not_an_invoice(cells: list[str]) -> str:
    """What a line is that asks nothing of a resident; empty for a receipt."""
    if (kind := cells[1].strip().upper()) not in ("T", ""):
        sentence = _(
            "Cette écriture est du type « %(kind)s », et non un titre (T) : elle n'est pas une facture."
        )
        return sentence % {"kind": kind[:20]}
    if (direction := cells[23].strip().upper()) not in ("R", ""):
        sentence = _(
            "Cette écriture est dans le sens « %(kind)s », et non une recette (R) : elle n'est pas une facture."
        )
        return sentence % {"kind": direction[:20]}
    return ""


def _out_of_place(key: str, kind: str, is_scattered: bool) -> str:
    if is_scattered or kind == "S":
        sentence = _(
            "Les lignes de l'écriture %(key)s ne se suivent pas, ou la première n'est pas la principale (M) : son "
            "montant serait faux. Produisez le lot de nouveau."
        )
        return sentence % {"key": key[:50]}
    return _("« %(kind)s » n'est ni une ligne principale (M) ni sa suite (S).") % {"kind": kind[:20]}


def _number_of(name: str, pattern: str) -> str:
    """The number of an invoice, which is only in its PDF's name: `Facture_20260606.pdf` → 20260606.

    `pattern`: how the source names its PDFs, with {numero}; empty when it does not say.
    """
    stem = re.sub(r"\.pdf$", "", name.strip(), flags=re.IGNORECASE)
    if "{numero}" in pattern:
        before, after = (re.escape(part) for part in re.sub(r"\.pdf$", "", pattern).split("{numero}", 1))
        found = re.fullmatch(f"{before}(?P<number>.+){after}", stem, re.IGNORECASE)
    else:
        found = _NAMED.fullmatch(stem)
    return found["number"] if found else stem


def _by_start(names: Iterable[str]) -> Mapping[str, list[str]]:
    """Names long enough to be cut, by how they begin."""
    found: dict[str, list[str]] = {}
    for name in names:
        if len(name) >= CUT:
            found.setdefault(key_of(name)[:CUT], []).append(name)
    return found


def _has_cents(total: Decimal) -> bool:
    return total == total.quantize(Decimal("0.01"))
