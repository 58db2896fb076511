"""The Treasury's PES return about receipts, streamed with lxml: money for each titre of the town, and rejects.

The schema is the DGFiP's PES V2 (PES_RecetteRetour). Almost every leaf is an empty element whose value is its
attribute V. Unknown leaves are skipped.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lxml import etree

from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading import debts
from tenant_apps.reconciliation.reading.rows import ReadRow, UnreadableRow
from tenant_apps.reconciliation.reading.table import MOST_ROWS
from tenant_apps.reconciliation.reading.words import Said
from tenant_apps.reconciliation.reading.xml import SETTINGS, forget, is_xml, local, money, refuse_doctype

MOST_INSIDE = 20_000  # elements in one line of a titre, lines in one titre
_KEPT = frozenset({"EnTetePES", "BlocBordereau", "BordereauORMCGlobal", "BlocPiece", "LigneDePiece"})
# What else a file of this family may be → what it is, and where it belongs.
_OTHERS = {
    "PES_DepenseRetour": gettext_lazy(
        "Ce fichier est un PES retour de dépenses : il parle des mandats que la commune paie. Il faut le PES retour "
        "de recettes (PES_RecetteRetour)."
    ),
    "PES_RecetteAller": gettext_lazy(
        "Ce fichier est un PES aller : les titres ou le rôle que votre logiciel envoie à la trésorerie. Donnez-le à "
        "« Imports ». Ici, il faut le PES retour que la trésorerie renvoie."
    ),
    "PES_DepenseAller": gettext_lazy(
        "Ce fichier est un PES aller de dépenses : il parle des mandats que la commune paie, et n'a rien à faire ici."
    ),
    "PES_PJ": gettext_lazy(
        "Ce fichier ne contient que des pièces jointes (PES_PJ) : donnez-le à « Imports », avec son PES aller."
    ),
    "ACQUIT": gettext_lazy(
        "Ce fichier est un acquit PES : la trésorerie y dit qu'elle a reçu vos fichiers, pas que quelqu'un a payé. "
        "Gardez-le dans votre logiciel financier. Ici, il faut le PES retour de recettes."
    ),
}
_OTHER = gettext_lazy(
    "Ce fichier PES n'est pas un retour de recettes (PES_RecetteRetour) : aucun encaissement n'y figure."
)


def is_return(stream: BinaryIO) -> bool:
    """Whether the file is a PES return about receipts. Raises CannotRead when it is another file of this family."""
    if not is_xml(stream):
        return False
    root = ""
    try:
        for event, element in etree.iterparse(stream, events=("start", "end"), **SETTINGS):
            name = local(element)
            if event == "end":
                forget(element)
            elif not root:
                root = name
                if not root.startswith("PES_"):
                    return False
                refuse_doctype(element)
            elif name == "PES_RecetteRetour":
                return True
            elif name in _OTHERS:
                raise CannotRead(_OTHERS[name])
    except etree.XMLSyntaxError as error:
        if root.startswith("PES_"):
            raise CannotRead(_broken(error)) from None
        return False
    finally:
        stream.seek(0)
    raise CannotRead(_OTHER)


def _broken(error: etree.XMLSyntaxError) -> str:
    return _("Ce PES retour est coupé ou abîmé : %(error)s") % {"error": str(error)[:120]}


def read(stream: BinaryIO) -> Generator[ReadRow | UnreadableRow, None, None]:
    """Yield a row for each receipt of a titre, and one for each titre that was rejected or waits. Raises CannotRead.

    Receipts of one origin and one day on several lines of a titre are one payment: their sum is one row.
    """
    stream.seek(0)
    reader, begun, inside, elements = _Reader(), False, 0, 0
    try:
        for event, element in etree.iterparse(stream, events=("start", "end"), **SETTINGS):
            name = local(element)
            if event == "start":
                if not begun:
                    refuse_doctype(element)
                    begun = True
                reader.found = reader.found or name == "PES_RecetteRetour"
                if inside or name in _KEPT:
                    inside, elements = inside + 1, elements + 1 if inside else 0
                    if elements > MOST_INSIDE:
                        raise CannotRead(
                            _("Une pièce de ce PES retour est démesurée : demandez le fichier de nouveau.")
                        )
                continue
            inside = max(inside - 1, 0)
            if not inside:
                yield from reader.end(name, element)
                forget(element)
    except etree.XMLSyntaxError as error:
        raise CannotRead(_broken(error)) from None
    if not reader.found:
        raise CannotRead(_OTHER)


@dataclass
class _Line:
    """One line of a titre: its own fields, its debtor's, and (origin, day, euros) of each receipt, as written."""

    said: dict[str, str]
    debtor: dict[str, str]
    receipts: list[tuple[str, str, str]]

    @property
    def who(self) -> str:
        return self.debtor.get("RefTiers") or " ".join(
            filter(None, (self.debtor.get(name, "") for name in ("Nom", "Prenom")))
        )


@dataclass
class _Reader:
    """What was read above the current titre, and the lines of that titre."""

    found: bool = False
    number: int = 0
    head: dict[str, str] = field(default_factory=dict)
    bordereau: dict[str, str] = field(default_factory=dict)
    piece: dict[str, str] = field(default_factory=dict)
    lines: list[_Line] = field(default_factory=list)

    def end(self, name: str, element: Any) -> Iterator[ReadRow | UnreadableRow]:
        """An element is complete. Yields the rows of a titre at its end."""
        if name == "EnTetePES":
            self.head = _fields(element)
        elif name == "BlocBordereau":
            self.bordereau = _fields(element)
        elif name == "BlocPiece":
            self.piece = _fields(element)
        elif name == "LigneDePiece":
            self._add(element)
        elif name == "BordereauORMCGlobal":
            self.bordereau = _fields(element)
            yield from self._numbered(self._whole())
        elif name == "Piece":
            yield from self._numbered(self._rows())
            self.piece, self.lines = {}, []

    def _numbered(self, rows: Iterator["_Row"]) -> Iterator[ReadRow | UnreadableRow]:
        for row in rows:
            self.number += 1
            if self.number > MOST_ROWS:
                raise CannotRead(_("Ce fichier a plus de 500 000 lignes. Découpez-le en plusieurs fichiers."))
            yield row.read(self.number)

    def _add(self, element: Any) -> None:
        if len(self.lines) >= MOST_INSIDE:
            raise CannotRead(_("Une pièce de ce PES retour est démesurée : demandez le fichier de nouveau."))
        line = _Line({}, {}, [])
        for block in element:
            name, values = local(block), _fields(block)
            if name == "BlocLignePiece":
                line.said = values
            elif name == "Tiers":
                line.debtor = values
            elif name == "EncaissementEmargement":
                line.receipts.append(
                    (values.get("OrgEma", ""), values.get("DteReco", ""), values.get("MtReco", ""))
                )
        self.lines.append(line)

    # --- the rows of one titre ------------------------------------------------------------------------

    def _rows(self) -> Iterator["_Row"]:
        for (_who, origin, day, _n), parts in self._payments().items():
            lines = [line for line, _amount in parts]
            yield self._row(lines, day=day, amounts=[amount for _line, amount in parts], origin=origin)
        yield from self._refused()
        if any(line.receipts for line in self.lines):
            return
        if self.bordereau.get("TypBord") in debts.TO_REGULARISE:
            yield self._row(self.lines, day=self._day("DtePcePec"), amounts=self._amounts(self.lines))
        elif settled := [line for line in self.lines if line.said.get("EtatLigPce") == "05"]:
            yield self._row(
                settled,
                day=self._day("DtePcePec"),
                amounts=[line.said.get("MtRecoTot") or line.said.get("MtHT", "") for line in settled],
                state=debts.SETTLED,
            )

    def _payments(self) -> dict[tuple[str, str, str, int], list[tuple[_Line, str]]]:
        """The receipts that are one payment: same debtor, origin and day, on one line or on several.

        The second receipt of a line on that day is another payment than the first.
        """
        found: dict[tuple[str, str, str, int], list[tuple[_Line, str]]] = {}
        for line in self.lines:
            met: Counter[tuple[str, str]] = Counter()
            for origin, day, amount in line.receipts:
                met[origin, day] += 1
                key = (line.who, origin, day, met[origin, day])
                found.setdefault(key, []).append((line, amount))
        return found

    def _refused(self) -> Iterator["_Row"]:
        """The titre, or some of its lines, that the Treasury rejected or set aside for a while."""
        state, day = debts.STATES.get(self.piece.get("EtatPce", "")), self._day("DtePceRej", "DtePceInst")
        if state:
            yield self._row(self.lines, day=day, amounts=self._amounts(self.lines), state=state)
            return
        for line in self.lines:
            if state := debts.LINE_STATES.get(line.said.get("EtatLigPce", "")):
                yield self._row([line], day=day, amounts=self._amounts([line]), state=state)

    def _whole(self) -> Iterator["_Row"]:
        """A rôle that was rejected or set aside as a whole."""
        state = debts.HELD if "DteInst" in self.bordereau else ""
        state = debts.REJECTED if "DteRej" in self.bordereau else state
        if state:
            days = (self.bordereau.get(name, "") for name in ("DteRej", "DteInst"))
            amount = self.bordereau.get("MtTTC", "")
            yield self._row([], day=next(filter(None, days)), amounts=[amount], state=state)

    def _amounts(self, lines: list[_Line]) -> list[str]:
        return [line.said[name] for line in lines for name in ("MtHT", "MtTVA") if line.said.get(name)]

    def _day(self, *names: str) -> str:
        return next((self.piece[name] for name in names if self.piece.get(name)), self.head.get("DteStr", ""))

    def _row(
        self, lines: list[_Line], *, day: str, amounts: list[str], origin: str = "", state: str = ""
    ) -> "_Row":
        first = lines[0] if lines else _Line({}, {}, [])
        codes = "-".join(
            filter(None, [self.piece.get("ObsEtat", ""), *(one.said.get("ObsEtat", "") for one in lines)])
        )
        remarks = dict.fromkeys(
            [self.piece.get("Commentaire", ""), *(one.said.get("Commentaire", "") for one in lines)]
        )
        name = " ".join(filter(None, (first.debtor.get(one, "") for one in ("Civilite", "Nom", "Prenom"))))
        raw = {
            debts.YEAR: self.bordereau.get("Exer", ""),
            debts.BORDEREAU: self.bordereau.get("IdBord", ""),
            debts.PIECE: self.piece.get("IdPce", ""),
            debts.LINE: first.said.get("IdLigne", ""),
            debts.NUMBER: self.piece.get("NumDette", ""),
            debts.PERIOD: self.piece.get("Per", ""),
            debts.PRODUCT: first.said.get("CodProdLoc", ""),
            debts.OBJECT: self.piece.get("Obj", ""),
            debts.TOTAL: _total(self._amounts([one for one in self.lines if one.who == first.who] or lines)),
            debts.DEBTOR: first.debtor.get("RefTiers", ""),
            debts.NAME: name,
            debts.DAY: day,
            debts.AMOUNT: " + ".join(amounts[:20]),
            debts.ORIGIN: debts.origin_in_words(origin) if origin else "",
            debts.STATE: state,
            debts.REASON: debts.reasons_in_words(codes) if state else "",
            debts.REMARK: " ".join(filter(None, remarks)),
            # For a person to read: it is not added to the debtor's addresses.
            debts.EMAIL: first.debtor.get("AdrMel", ""),
        }
        place = (self.head.get(one, "") for one in ("IdPost", "IdColl", "CodColl", "CodBud"))
        which = (raw[debts.YEAR], raw[debts.BORDEREAU], raw[debts.PIECE], raw[debts.LINE], origin)
        return _Row(
            {title: " ".join(text.split())[:200] for title, text in raw.items() if text.strip()},
            key="/".join((*place, *which)),
            day=day,
            amounts=amounts,
            origin=origin,
            state=state,
            to_regularise=self.bordereau.get("TypBord") in debts.TO_REGULARISE,
        )


@dataclass
class _Row:
    """One row, still as texts."""

    raw: Mapping[str, str]
    key: str
    day: str
    amounts: list[str]
    origin: str
    state: str
    to_regularise: bool

    def read(self, number: int) -> ReadRow | UnreadableRow:
        """The row, or which of its values cannot be read."""
        amounts = [money(text) for text in self.amounts]
        wrong = next(
            (text for text, amount in zip(self.amounts, amounts, strict=True) if amount is None), None
        )
        total = sum((amount for amount in amounts if amount is not None), Decimal("0.00"))
        if wrong is not None or not total or abs(total) > 99_999_999:
            value = wrong if wrong is not None else f"{total}"
            name = "MtReco" if self.origin else "MtHT"
            sentence = _("« %(name)s » (« %(value)s ») n'est pas un montant.")
            words = sentence % {"name": name, "value": value[:20]}
            return UnreadableRow(number, " ".join(filter(None, [self._why(), words]))[:300], self.raw)
        try:
            booked_on = date.fromisoformat(self.day[:10])
        except ValueError:
            sentence = _("« %(name)s » (« %(value)s ») n'est pas une date.")
            words = sentence % {"name": "DteReco" if self.origin else "DteStr", "value": self.day[:20]}
            return UnreadableRow(number, words, self.raw)
        word = debts.NO_MONEY.get(self.origin, "")
        back = bool(self.origin) and total < 0
        debt = debts.Debt.of(self.raw)
        return ReadRow(
            number=number,
            booked_on=booked_on,
            amount=abs(total),
            reference=debt.reference,
            means="card" if self.origin == debts.ONLINE else "",
            payer_name=self.raw.get(debts.NAME, "")[:140],
            label=debt.in_words()[:300],
            outgoing=back and not word,
            returned=back and not word,
            return_reason=_("encaissement repris par la trésorerie") if back and not word else "",
            state=self.state or word,
            said=Said.NOT_PAID if word else Said.PAID,
            doubt="" if word else self._doubt(),
            key=self.key,
            raw=self.raw,
        )

    def _doubt(self) -> str:
        """Why a person must look; empty for money that is for a titre of the town."""
        if self.state:
            return self._why()[:300]
        if self.to_regularise:
            return _("Encaissement à régulariser (P503) : la trésorerie demande un titre pour cette somme.")
        if self.origin in debts.MONEY:
            return ""
        sentence = _("La trésorerie a soldé cette somme autrement : %(origin)s. Vérifiez ce que c'est.")
        return sentence % {"origin": debts.origin_in_words(self.origin)}

    def _why(self) -> str:
        """« Titre rejeté par la trésorerie : absence d'indication du débiteur (03). Débiteur mal identifié »."""
        if self.state == debts.SETTLED:
            return _("La trésorerie dit ce titre soldé, sans donner les encaissements : vérifiez-le.")
        if self.state == debts.HELD:
            words = _("Titre mis en attente par la trésorerie.")
        elif self.state == debts.REJECTED:
            words = _("Titre rejeté par la trésorerie : rien n'est à encaisser.")
        else:
            return ""
        reason = ". ".join(filter(None, (self.raw.get(debts.REASON), self.raw.get(debts.REMARK))))
        told = _("Motif : %(reason)s.") % {"reason": reason.rstrip(". ")} if reason else ""
        return " ".join(filter(None, [words, told]))


def _fields(element: Any) -> dict[str, str]:
    """The leaves of a block: name → value. The first one of a name counts."""
    found: dict[str, str] = {}
    for leaf in element.iter():
        value = (leaf.get("V") or leaf.text or "").strip()
        if value and not len(leaf):
            found.setdefault(local(leaf), value)
    return found


def _total(amounts: list[str]) -> str:
    found = [money(text) for text in amounts]
    return "" if not found or None in found else f"{sum(one for one in found if one is not None)}"
