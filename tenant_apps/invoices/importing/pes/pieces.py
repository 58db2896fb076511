"""An element of a PES → plain texts by local name. Unknown leaves never disturb; nothing is judged here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tenant_apps.invoices.importing.pes.streaming import local

Leaves = dict[str, str]  # local name → value; the first one wins
_WHOLE = {"InfoPrelevementSEPA": "debit", "RattachPiece": "original"}
LARGEST = Decimal("99999999.99")


@dataclass(slots=True)
class Line:
    """One line of a piece: what it says, its debtors, its debit, and the titre that it corrects."""

    said: Leaves = field(default_factory=dict)
    debtors: list[Leaves] = field(default_factory=list)
    attached: list[Leaves] = field(default_factory=list)
    debit: Leaves | None = None
    original: Leaves | None = None

    @property
    def amount(self) -> Decimal | None:
        """Euros, with the TVA; None when they cannot be read."""
        return euros_of(self.said)


@dataclass(slots=True)
class Piece:
    """One titre, or one article of a rôle."""

    said: Leaves = field(default_factory=dict)
    attached: list[Leaves] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def piece_in(element: Any) -> Piece:
    """The piece of an element <Piece>."""
    piece = Piece()
    for block in element:
        name = local(block.tag)
        if name == "BlocPiece":
            leaves_in(block, piece.said, piece.attached)
        elif name == "LigneDePiece":
            piece.lines.append(_line(block))
    return piece


def _line(element: Any) -> Line:
    line = Line()
    for block in element:
        name = local(block.tag)
        if name == "Tiers":
            line.debtors.append(_debtor(block))
        elif name == "BlocLignePiece":
            for part in block:
                whole = _WHOLE.get(local(part.tag))
                if whole:
                    setattr(line, whole, leaves_in(part, {}, []))
                elif local(part.tag) == "InfoLignePiece":
                    leaves_in(part, line.said, line.attached)
    return line


def _debtor(element: Any) -> Leaves:
    """Name and address; the bank account is not kept."""
    debtor: Leaves = {}
    has_address = False
    for block in element:
        name = local(block.tag)
        if name == "InfoTiers" or (name == "Adresse" and not has_address):
            leaves_in(block, debtor, [])
            has_address = has_address or name == "Adresse"
    return debtor


def leaves_in(block: Any, into: Leaves, attached: list[Leaves]) -> Leaves:
    """Put the leaves of a block into `into`, and its PJRef into `attached`. The value is in V, or is the text."""
    for leaf in block:
        name = leaf.tag
        if name[0] == "{":
            name = local(name)
        value = leaf.get("V")
        if value is None:
            if len(leaf):
                if name == "PJRef":
                    attached.append(leaves_in(leaf, {}, []))
                else:
                    leaves_in(leaf, into, attached)
                continue
            value = leaf.text or ""
        if name not in into:
            into[name] = value.strip()
    return into


@lru_cache(maxsize=10_000)
def euros(text: str) -> Decimal | None:
    """An amount, negative ones too. None when it is none, or has more than two decimals."""
    digits = text.replace(",", ".")
    if not digits.removeprefix("-").replace(".", "", 1).isdigit() or not digits.isascii() or len(digits) > 20:
        return None
    amount = Decimal(digits)
    if abs(amount) > LARGEST or amount != amount.quantize(Decimal("0.01")):
        return None
    return amount.quantize(Decimal("0.01"))


def euros_of(said: Leaves) -> Decimal | None:
    """MtHT and MtTVA of a line. None when one of them cannot be read."""
    before = euros(said.get("MtHT", ""))
    tax = euros(said["MtTVA"]) if said.get("MtTVA") else Decimal(0)
    return None if before is None or tax is None else before + tax


def total(lines: list[Line]) -> Decimal | None:
    """What these lines add up to. None when one amount cannot be read, or there is no line."""
    amounts = [line.amount for line in lines]
    if not amounts or None in amounts:
        return None
    return sum((one for one in amounts if one is not None), Decimal(0))


def debited(lines: list[Line]) -> Decimal | None:
    """What the bank will take of these lines; None when the file does not say."""
    amounts = [euros(line.debit.get("MtPrel", "")) for line in lines if line.debit is not None]
    return sum((one for one in amounts if one is not None), Decimal(0)) if None not in amounts else None


def once(lines: list[Line]) -> list[Line]:
    """The lines without their repetitions: a known writer repeats all lines of a piece for each accounting code."""
    by_code: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        code = (line.said.get("CodProdLoc", ""), line.said.get("Nature", ""))
        by_code.setdefault(code, []).append(line)
    first, *others = ([*_told(group)] for group in by_code.values()) if by_code else ([],)
    if others and all(other == first for other in others):
        return next(iter(by_code.values()))
    return lines


def _told(lines: list[Line]) -> Iterator[tuple[str, str, str]]:
    for line in lines:
        yield tuple(line.said.get(name, "") for name in ("ObjLignePce", "MtHT", "MtTVA"))  # type: ignore[misc]
