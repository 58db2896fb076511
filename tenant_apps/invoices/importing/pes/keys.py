"""Numbers and payment references of the pieces (docs/payfip.md §1), and the key that checks a rôle's numbers."""

import re

from tenant_apps.invoices.importing.pes.pieces import Leaves, Line, Piece
from tenant_apps.products import references

ROLE = "15"  # TypPce of an article of a rôle (ORMC)
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXY"


def is_role(bordereau: Leaves, piece: Piece) -> bool:
    """Whether it is an article of a rôle, and not a titre."""
    return piece.said.get("TypPce") == ROLE or bordereau.get("TypBord") == "06"


def printed_number(piece: Piece, lines: list[Line]) -> str:
    """The invoice number that billing printed; empty when the file does not give it."""
    if number := piece.said.get("NumeroFacture"):
        return number
    return next(
        (line.said["JVS_FAC_NumeroFacture"] for line in lines if line.said.get("JVS_FAC_NumeroFacture")), ""
    )


def number_of(bordereau: Leaves, piece: Piece, lines: list[Line]) -> str:
    """The invoice number: the printed one; of a rôle, bordereau and debt; of a titre, its number in the year.

    A titre that is cancelled later is named by year and number only, so its number is not made of its bordereau.
    """
    if number := printed_number(piece, lines):
        return number
    if not is_role(bordereau, piece):
        return piece.said.get("IdPce", "")
    own = piece.said.get("NumDette") or piece.said.get("IdPce", "")
    return "-".join(filter(None, [bordereau.get("IdBord", ""), own])) if own else ""


def reference_of(bordereau: Leaves, piece: Piece, lines: list[Line], *, prefix: str = "") -> str:
    """The reference under which the Treasury knows the debt; empty when a part of it is missing."""
    year, first = bordereau.get("Exer", ""), lines[0].said if lines else {}
    if not is_role(bordereau, piece):
        return references.of_titre(year, piece.said.get("IdPce", ""), first.get("IdLigne") or "1")
    per, debt = piece.said.get("Per", ""), piece.said.get("NumDette", "")
    return references.of_role(year, first.get("CodProdLoc", ""), per, f"{prefix}{debt}" if debt else "")


def has_several_products(lines: list[Line]) -> bool:
    """Whether the lines have several products, so that the reference of a rôle depends on their order."""
    return len({line.said.get("CodProdLoc", "")[:2].upper() for line in lines}) > 1


def key_agrees(bordereau: Leaves, piece: Piece) -> bool:
    """Whether Cle2 is the key of year, period and debt; true when the piece has no such key."""
    said = piece.said
    key, year, per, debt = (
        said.get("Cle2", ""),
        bordereau.get("Exer", ""),
        said.get("Per", ""),
        said.get("NumDette", ""),
    )
    if (
        not key
        or not re.fullmatch(r"[0-9]{4}", year)
        or not re.fullmatch(r"[0-9]{0,2}[0-9]{1,15}", per + debt)
    ):
        return True
    return _SIGNS[int(f"{year[-2:]}{per}{debt.rjust(15, '0')}") % 23] == key.upper()
