"""The first reading of a PES: do the lines add up to what the header of each bordereau says?

A file that bills three times what it announces must never be billed, so this is known before the first invoice.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.pes import pieces
from tenant_apps.invoices.importing.pes.envelope import without_pieces
from tenant_apps.invoices.importing.pes.kinds_of_pieces import Asks, asks
from tenant_apps.invoices.importing.pes.pieces import Leaves
from tenant_apps.invoices.importing.pes.streaming import Utf8, elements, let_go, local
from toolkit.reading.errors import FileError

BLOCKS = ("PES_RecetteAller", "PES_DepenseAller", "PES_PJ")
INCOME = "PES_RecetteAller"
Titre = tuple[str, str]
TAGS = (*BLOCKS, "BlocBordereau", "Piece", "PJ")
_MOST_BORDEREAUX = 10_000
_CODES = ("{*}RefTiers", "{*}Numo", "{*}IdTiers")
_AMOUNTS = ("{*}LigneDePiece", "{*}MtHT", "{*}MtTVA")


@dataclass(slots=True)
class Bordereau:
    """The sums of one bordereau. `once`: without repeated lines; known only when the first sum does not agree."""

    said: Leaves
    pieces: int = 0
    added: Decimal = Decimal(0)
    before_tax: Decimal = Decimal(0)
    once: Decimal | None = None
    is_readable: bool = True  # every amount could be read

    @property
    def announced(self) -> Decimal | None:
        """The header's total with TVA; None when it gives none."""
        before = pieces.euros(self.said.get("MtBordHt") or self.said.get("MtBordHT") or "")
        tax = pieces.euros(self.said["MtBordTVA"]) if self.said.get("MtBordTVA") else Decimal(0)
        return None if before is None or tax is None else before + tax

    @property
    def agrees(self) -> bool:
        """Whether the lines add up to the header."""
        if self.announced == self.added:
            return True
        return not self.said.get("MtBordTVA") and self.announced == self.before_tax

    @property
    def takes_once(self) -> bool:
        """Whether the header is right only when repeated lines count once."""
        return not self.agrees and self.once is not None and self.once == self.announced

    @property
    def is_unsure(self) -> bool:
        """Whether nothing tells if repeated lines count once."""
        return self.announced is None or not self.is_readable


@dataclass
class Survey:
    """What the first reading found."""

    bordereaux: list[Bordereau] = field(default_factory=list)
    blocks: set[str] = field(default_factory=set)
    has_codes: bool = False  # a debtor has a code
    # What the file itself takes off its titres: (year, number) → number of the line → euros; and what they asked.
    taken: dict[Titre, dict[str, Decimal]] = field(default_factory=dict)
    asked: dict[Titre, Decimal] = field(default_factory=dict)

    def is_cancelled(self, titre: Titre) -> bool:
        """Whether the file takes off all that this titre of its own asks."""
        return titre in self.taken and sum(self.taken[titre].values()) >= self.asked[titre]


def survey(file: BinaryIO, encoding: str) -> Survey:
    """Read the file once. Raises FileError when it has no piece, or when its sums do not agree."""
    found = _read(file, encoding, whole=False)
    if not any(one.pieces for one in found.bordereaux):
        raise FileError(without_pieces(found.blocks))
    if any(one.is_readable and not one.agrees and one.announced is not None for one in found.bordereaux):
        found = _read(file, encoding, whole=True)
    for one in found.bordereaux:
        _judge(one)
    found.taken = {titre: parts for titre, parts in found.taken.items() if titre in found.asked}
    found.asked = {titre: found.asked[titre] for titre in found.taken}
    return found


def titre_of(year: str, number: str) -> Titre:
    """How a titre is named, without the zeros that writers add."""
    return year, number.lstrip("0")


def _read(file: BinaryIO, encoding: str, *, whole: bool) -> Survey:
    found, is_income, text = Survey(), False, Utf8(file, encoding)
    for event, name, element in elements(text, TAGS):
        if name in BLOCKS:
            found.blocks.add(name)
            is_income = name == INCOME and event == "start"
        elif event == "end":
            if is_income and name == "BlocBordereau":
                found.bordereaux.append(Bordereau(pieces.leaves_in(element, {}, [])))
                if len(found.bordereaux) > _MOST_BORDEREAUX:
                    raise FileError(_("Ce PES contient plus de 10 000 bordereaux : découpez-le."))
            elif is_income and name == "Piece":
                if not found.bordereaux:
                    found.bordereaux.append(Bordereau({}))
                before = found.bordereaux[-1].added
                _add(found.bordereaux[-1], element, whole=whole)
                _remember(found, element, found.bordereaux[-1].added - before)
                found.has_codes = found.has_codes or _has_code(element)
            let_go(text, element)
    return found


def _add(bordereau: Bordereau, element: Any, *, whole: bool) -> None:
    bordereau.pieces += 1
    without = 0  # lines whose amount is not read yet
    for leaf in element.iter(*_AMOUNTS):
        name = local(leaf.tag)
        if name == "LigneDePiece":
            without += 1
            continue
        amount = pieces.euros((leaf.get("V") or leaf.text or "").strip())
        if amount is not None:
            bordereau.added += amount
            if name == "MtHT":
                bordereau.before_tax += amount
                without -= 1
        elif name == "MtHT" or leaf.get("V"):
            bordereau.is_readable = False
    if without:
        bordereau.is_readable = False
    if whole:
        read = pieces.total(pieces.once(pieces.piece_in(element).lines))
        bordereau.once = (bordereau.once or Decimal(0)) + (read or Decimal(0))


def _remember(found: Survey, element: Any, amount: Decimal) -> None:
    """What a titre asks, or what a correction takes off one."""
    bordereau = found.bordereaux[-1].said
    kind = bordereau.get("TypBord")
    if kind == "06":
        return
    if kind != "02":
        number = next((leaf.get("V") or leaf.text or "" for leaf in element.iter("{*}IdPce")), "").strip()
        found.asked[titre_of(bordereau.get("Exer", ""), number)] = amount
        return
    piece = pieces.piece_in(element)
    if asks(bordereau, piece) is not Asks.CREDIT:
        return
    for line in piece.lines:
        if line.original and line.amount:
            named = titre_of(line.original.get("ExerRat", ""), line.original.get("IdPceOrig", ""))
            parts = found.taken.setdefault(named, {})
            place = line.original.get("IdLigneOrig", "").lstrip("0")
            parts[place] = parts.get(place, Decimal(0)) + abs(line.amount)


def _has_code(element: Any) -> bool:
    return any((leaf.get("V") or leaf.text or "").strip() for leaf in element.iter(*_CODES))


def _judge(bordereau: Bordereau) -> None:
    """Raises FileError when neither sum is what the header says."""
    announced, name = bordereau.announced, bordereau.said.get("IdBord") or "?"
    if announced is None and bordereau.said.get("MtBordHt"):
        sentence = _("Bordereau n° %(name)s : son total (MtBordHt, MtBordTVA) ne se lit pas. Rien n'est lu.")
        raise FileError(sentence % {"name": name[:20]})
    if announced is None or bordereau.agrees or bordereau.takes_once:
        return
    if not bordereau.is_readable and bordereau.added <= announced:
        return  # the pieces with such an amount are refused one by one
    sentence = _(
        "Bordereau n° %(bordereau)s : son en-tête annonce %(announced)s € et ses lignes font %(added)s €. "
        "Rien n'est lu, "
        "car des familles recevraient un montant faux : demandez un PES juste à l'éditeur de votre logiciel."
    )
    words = {
        "bordereau": name[:20],
        "announced": in_words(announced),
        "added": in_words(bordereau.added),
    }
    raise FileError(sentence % words)


def in_words(amount: Decimal) -> str:
    """« 2 034,48 », for a sentence."""
    return f"{amount:,.2f}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
