"""Cancellations and reductions: which invoice they name, and what they take off."""

import re
from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.pes.pieces import Leaves, Line, Piece
from tenant_apps.invoices.importing.pes.survey import Survey, Titre, titre_of
from tenant_apps.invoices.importing.records.kinds import LABELS, CreditRow, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading
from tenant_apps.products import references

_OF_TITRE = 12  # signs of a titre's reference that are the same for all its lines


class Credits:
    """Makes the records of the pieces that take something off a titre."""

    def __init__(self, reading: Reading, survey: Survey) -> None:
        self._rules = reading.rules
        self._corrections = reading.corrections
        self._survey = survey
        self._cancelled: dict[Titre, tuple[str, str]] = {}  # titre of this file → invoice number, reference

    def cancels(self, titre: Titre, number: str, reference: str) -> None:
        """Remember the invoice of a titre that this file cancels: the town may have it from an earlier file."""
        prefix = self._rules.prefix
        self._cancelled[titre] = (number if number.startswith(prefix) else prefix + number, reference)

    def credit(
        self, line: int, bordereau: Leaves, piece: Piece, lines: list[Line], name: str
    ) -> Iterator[CreditRow | RowProblem]:
        """What a piece takes off: one record per invoice that its lines name."""
        parts: dict[tuple[str, str, str], Decimal] = {}
        whole: set[str] = set()
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
            titre = titre_of(original["ExerRat"], original["IdPceOrig"])
            if titre in self._survey.taken and not self._survey.is_cancelled(titre):
                continue  # taken off the invoice of this file
            number, reference = self._named(titre, original["IdPceOrig"])
            named = (number, original["ExerRat"], reference)
            parts[named] = parts.get(named, Decimal(0)) + abs(amount)
            if titre in self._survey.taken:
                whole.add(number)
        corrected = self._corrections.get(line, {}).get("number", "").strip() if len(parts) == 1 else ""
        key = "/".join([bordereau.get("Exer", ""), bordereau.get("IdBord", ""), piece.said.get("IdPce", "")])
        reason = piece.said.get("ObjPce", "")[:160]
        for (number, year, reference), taken in parts.items():
            yield CreditRow(
                line=line,
                number=corrected or number,
                fiscal_year=int(year),
                amount=None if number in whole and not corrected else taken,
                reason=reason,
                product=self._rules.product,
                key=f"PES {key}"[:100],
                reference="" if corrected else reference,
            )

    def _named(self, titre: Titre, number: str) -> tuple[str, str]:
        """Number of the invoice, and what its payment reference begins with."""
        if titre in self._cancelled:
            return self._cancelled[titre]
        return self._rules.prefix + number, references.of_titre(*titre, "1")[:_OF_TITRE]


def _is_year(text: str) -> bool:
    return re.fullmatch(r"20[0-9]{2}", text) is not None
