"""Who owes a piece: the main debtor of each line, and the code by which a source knows the debtor (decision 72)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.pes.pieces import Leaves, Line, Piece
from toolkit.reading.fields import fold, without_accents

MAIN, SOLIDARY, CO_DEBTOR = "01", "03", "04"
_PEOPLE = "01"  # CatTiers of a natural person
# Kinds of IdTiers that are a company's own number. 04 is a person's social security number: it is never a code here.
_COMPANY = {"01": 14, "02": 9, "03": 9}
_NO_POSTCODE = {"99999", "00000"}


@dataclass
class Share:
    """What one debtor owes of a piece: some of its lines, or all."""

    debtor: Leaves
    lines: list[Line] = field(default_factory=list)


class Unclear(Exception):
    """Nobody can say who owes a piece. `str()` is one French sentence."""


def shares_of(piece: Piece, lines: list[Line]) -> list[Share]:
    """One share per main debtor, in the order of the lines; none when the piece has no debtor. Raises Unclear.

    A line without debtor is owed by the debtor of the others, when there is only one.
    """
    if len(lines) == 1 and len(lines[0].debtors) == 1:  # nearly always
        (debtor,) = lines[0].debtors
        return [Share(debtor, lines)] if debtor.get("TypTiers", MAIN) in (MAIN, "") else []
    shares: dict[tuple[str, ...], Share] = {}
    free: list[Line] = []
    for line in lines:
        mains = {_who(one): one for one in line.debtors if one.get("TypTiers", MAIN) in (MAIN, "")}
        if len(mains) > 1:
            raise Unclear(_("une ligne a deux débiteurs principaux (TypTiers 01) : un seul est possible."))
        if not mains:
            free.append(line)
        for who, debtor in mains.items():
            shares.setdefault(who, Share(debtor)).lines.append(line)
    if free and len(shares) > 1:
        raise Unclear(
            _("une ligne n'a pas de débiteur alors que les autres en ont plusieurs : donnez-lui le sien.")
        )
    for share in shares.values():
        share.lines.extend(free)
    return list(shares.values())


def others(lines: list[Line]) -> Iterator[str]:
    """The names of the solidary debtors and the co-debtors of these lines."""
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        for debtor in line.debtors:
            if debtor.get("TypTiers") in (SOLIDARY, CO_DEBTOR) and _who(debtor) not in seen:
                seen.add(_who(debtor))
                yield name_of(debtor)


def name_of(debtor: Leaves) -> str:
    """« MME LEFÈVRE ANNE », for a sentence."""
    return " ".join(filter(None, (debtor.get(name, "") for name in ("Civilite", "Nom", "Prenom"))))


def code_of(debtor: Leaves) -> str:
    """The code that billing gave: RefTiers, Numo of JVS, or a company's number. Empty when there is none."""
    if code := debtor.get("RefTiers") or debtor.get("Numo"):
        return code
    number = debtor.get("IdTiers", "").replace(" ", "")
    return number if number and len(number) == _COMPANY.get(debtor.get("NatIdTiers", "")) else ""


def derived_code(debtor: Leaves) -> str:
    """A code made from civility, name and whole address, for a source whose people are known by them (decision 72).

    Empty when there is no name or no address: a name alone is shared by several families.
    """
    names = [fold(debtor.get(name, "")) for name in ("Nom", "ComplNom", "Prenom")]
    places = [fold(debtor.get(name, "")) for name in ("Adr1", "Adr2", "Adr3", "CP", "Ville", "CodPays")]
    if not names[0] or not any(places[:3]) or not any(places[3:5]):
        return ""
    civility = fold(debtor.get("Civilite", "")).replace("monsieur", "m").replace("madame", "mme")
    known = "|".join([{"mr": "m"}.get(civility, civility), *names, *places])
    shown = "".join(sign for sign in without_accents(debtor["Nom"]).upper() if sign.isalnum())[:16]
    return f"{shown}-{hashlib.sha256(known.encode()).hexdigest()[:16]}"


def lacks_first_name(debtor: Leaves) -> bool:
    """Whether it is a person known by a family name alone."""
    return debtor.get("CatTiers", _PEOPLE) in (_PEOPLE, "") and not debtor.get("Prenom")


def cells_of(debtor: Leaves) -> dict[str, str]:
    """What the debtor says of the payer: only what is in the file."""
    cells = {}
    for name, leaf in (
        ("title", "Civilite"),
        ("first_name", "Prenom"),
        ("city", "Ville"),
        ("postcode", "CP"),
    ):
        if leaf in debtor:
            cells[name] = debtor[leaf]
    if "Nom" in debtor:
        cells["last_name"] = " ".join(filter(None, (debtor["Nom"], debtor.get("ComplNom"))))
    lines = [debtor.get(name, "") for name in ("Adr1", "Adr2", "Adr3") if debtor.get(name)]
    if "Ville" in debtor or lines:
        cells["address1"] = lines[0] if lines else ""
        cells["address2"] = ", ".join(lines[1:])
    if debtor.get("CodRes") == "1" and cells.get("postcode") in _NO_POSTCODE:
        cells["postcode"] = ""  # abroad: the foreign postcode stands before the town
    return cells


def _who(debtor: Leaves) -> tuple[str, ...]:
    """The same for all lines of one person in one piece."""
    names = (fold(debtor.get(name, "")) for name in ("Nom", "Prenom"))
    return (code_of(debtor), *names) if code_of(debtor) else (derived_code(debtor), *names)
