"""Cancellations and reductions: which invoice they name, and what they take off."""

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.pes.pieces import Leaves, Line, Piece
from tenant_apps.invoices.importing.records.kinds import LABELS, CreditRow, InvoiceRow, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading
from tenant_apps.products import references

_Key = tuple[str, str, str]  # year, number of the titre, number of the line
_OF_TITRE = 12  # signs of a titre's reference that are the same for all its lines


class Issued:
    """The titres that come earlier in the same file, and the records of the pieces that take something off a titre."""

    def __init__(self, reading: Reading) -> None:
        self._rules = reading.rules
        self._corrections = reading.corrections
        self._rows: dict[_Key, tuple[str, str, Decimal]] = {}  # → invoice number, reference, amount

    def add(
        self, bordereau: Leaves, piece: Piece, lines: list[Line], row: InvoiceRow, *, is_shared: bool
    ) -> None:
        """Remember an invoice. `is_shared`: each debtor of the titre has one."""
        year, number = bordereau.get("Exer", ""), _bare(piece.said.get("IdPce", ""))
        for place in {_bare(line.said.get("IdLigne", "")) for line in lines} if is_shared else {""}:
            self._rows[year, number, place] = (row.number, row.reference, row.amount)

    def credit(
        self, line: int, bordereau: Leaves, piece: Piece, lines: list[Line], name: str
    ) -> Iterator[CreditRow | RowProblem]:
        """What a piece takes off: one record per invoice that its lines name."""
        parts: dict[tuple[str, str, str], Decimal] = {}
        whole: dict[str, Decimal] = {}
        for one in lines:
            original, amount = one.original, one.amount
            if original is None or not original.get("IdPceOrig") or not _is_year(original.get("ExerRat", "")):
                sentence = _(
                    "%(piece)s annule ou réduit un titre sans dire lequel (RattachPiece : ExerRat, "
                    "IdPceOrig). Faites cet "
                    "avoir à la main sur la facture."
                )
                yield RowProblem(line, LABELS["number"], "", sentence % {"piece": name})
                return
            if not amount:
                sentence = _(
                    "%(piece)s : le montant à retirer (MtHT) ne se lit pas ou est nul. Faites cet avoir à la "
                    "main sur la "
                    "facture."
                )
                yield RowProblem(
                    line, LABELS["amount"], one.said.get("MtHT", "")[:80], sentence % {"piece": name}
                )
                return
            number, reference, asked = self._named(original)
            if asked is not None:
                whole[number] = asked
            named = (number, original["ExerRat"], reference)
            parts[named] = parts.get(named, Decimal(0)) + abs(amount)
        corrected = self._corrections.get(line, {}).get("number", "").strip() if len(parts) == 1 else ""
        key = "/".join([bordereau.get("Exer", ""), bordereau.get("IdBord", ""), piece.said.get("IdPce", "")])
        reason = piece.said.get("ObjPce", "")[:160]
        for (number, year, reference), taken in parts.items():
            yield CreditRow(
                line=line,
                number=corrected or number,
                fiscal_year=int(year),
                amount=None if whole.get(number) == taken and not corrected else taken,
                reason=reason,
                product=self._rules.product,
                key=f"PES {key}"[:100],
                reference="" if corrected else reference,
            )

    def _named(self, original: Leaves) -> tuple[str, str, Decimal | None]:
        """Number of the invoice, what its payment reference begins with, and its amount when this file has it."""
        year, number = original["ExerRat"], _bare(original["IdPceOrig"])
        place = _bare(original.get("IdLigneOrig", ""))
        found = self._rows.get((year, number, "")) or self._rows.get((year, number, place))
        if found:
            return found
        reference = references.of_titre(year, number, "1")[:_OF_TITRE]
        return self._rules.prefix + original["IdPceOrig"], reference, None


def _bare(number: str) -> str:
    return number.lstrip("0")


def _is_year(text: str) -> bool:
    return re.fullmatch(r"20[0-9]{2}", text) is not None
