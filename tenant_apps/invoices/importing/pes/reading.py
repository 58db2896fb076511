"""The second reading of a PES: each piece → the records of `records.kinds`."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import BinaryIO

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.pes import debtors, keys, pieces
from tenant_apps.invoices.importing.pes.attached import name_of_pdf
from tenant_apps.invoices.importing.pes.credits import Credits
from tenant_apps.invoices.importing.pes.debtors import Share, Unclear
from tenant_apps.invoices.importing.pes.kinds_of_pieces import Asks, asks
from tenant_apps.invoices.importing.pes.left_out import Told
from tenant_apps.invoices.importing.pes.pieces import Leaves, Line, Piece
from tenant_apps.invoices.importing.pes.streaming import Utf8, elements, let_go
from tenant_apps.invoices.importing.pes.survey import BLOCKS, INCOME, TAGS, Bordereau, Survey, titre_of
from tenant_apps.invoices.importing.records.kinds import LABELS, InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rows import Rows
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, WHO_BY_CODE, WHO_BY_NAME, Reading
from toolkit.reading import fields
from toolkit.reading.errors import FieldError

USUAL_DELAY = 30  # days, of a source that has no rule
# Field of an invoice → the leaf that a clerk looks for in the file.
_LEAVES = {
    **{"number": "NumeroFacture", "issued_on": "DteBordEm", "due_on": "DteAsp", "amount": "MtHT"},
    **{"subject": "ObjPce", "fiscal_year": "Exer", "reference": "NumDette", "payer": "RefTiers"},
    **{"title": "Civilite", "last_name": "Nom", "first_name": "Prenom", "postcode": "CP", "city": "Ville"},
    **{"address1": "Adr2", "address2": "Adr3", "document": "PJRef", "debit_on": "DtePrel"},
}
_LEAF_OF_LABEL = {LABELS[name]: leaf for name, leaf in _LEAVES.items()}


class Reader:
    """Reads the pieces of one file.

    `line` of a record is its rank in the file: one per piece, and one per debtor of a collective titre.
    """

    def __init__(self, reading: Reading, survey: Survey) -> None:
        self._rules = reading.rules
        self._by_name = reading.rules.who == WHO_BY_NAME
        # Rows gets a code in any case: the one of the file, or the one made here.
        rules = dataclasses.replace(reading.rules, who=WHO_BY_CODE)
        self._rows = Rows(dataclasses.replace(reading, rules=rules), payer_title="RefTiers")
        self._survey = survey
        self._credits = Credits(reading, survey)
        self._told = Told()
        self._place = _("pièce %(piece)s du bordereau %(bordereau)s")  # for sentences; translated once
        self._families: dict[str, str] = {}  # derived code without first name → the first piece
        self._line = 0

    def records(self, file: BinaryIO, encoding: str) -> Iterator[Record]:
        """All records, in the order of the file. Raises FileError."""
        text, is_income, index = Utf8(file, encoding), False, -1
        headers = self._survey.bordereaux
        for event, name, element in elements(text, TAGS):
            if name in BLOCKS:
                is_income = name == INCOME and event == "start"
            elif event == "end":
                if is_income and name == "BlocBordereau":
                    index += 1
                    yield from self._about(headers[index])
                elif is_income and name == "Piece":
                    yield from self._piece(headers[max(index, 0)], pieces.piece_in(element))
                let_go(text, element)
        yield from self._told.warnings()

    def _about(self, bordereau: Bordereau) -> Iterator[RowProblem]:
        name = bordereau.said.get("IdBord") or "?"
        if bordereau.takes_once:
            sentence = _(
                "Bordereau n° %(name)s : votre logiciel a répété les lignes de chaque pièce pour chaque code "
                "comptable. "
                "Elles sont comptées une seule fois, ce qui donne le total que le bordereau annonce."
            )
            yield RowProblem(None, "", "", sentence % {"name": name[:20]}, is_error=False)
        elif bordereau.announced is None:
            sentence = _(
                "Bordereau n° %(name)s : son total (MtBordHt) manque, les montants ne sont pas contrôlés."
            )
            yield RowProblem(None, "", "", sentence % {"name": name[:20]}, is_error=False)

    def _piece(self, bordereau: Bordereau, piece: Piece) -> Iterator[Record]:
        words = {
            "piece": piece.said.get("IdPce", "?")[:20],
            "bordereau": bordereau.said.get("IdBord", "?")[:20],
        }
        name = self._place % words
        what = asks(bordereau.said, piece)
        if what is Asks.INVOICE:
            yield from self._invoices(bordereau, piece, name)
        elif what is Asks.CREDIT:
            line, lines = self._next(), self._lines(bordereau, piece)
            if lines is None:
                yield from self._repeated(line, name)
            else:
                yield from self._credits.credit(line, bordereau.said, piece, lines, _first(name))
        elif what is Asks.UNKNOWN:
            line, code = self._next(), piece.said.get("TypPce", "")
            sentence = _(
                "%(piece)s : son type (TypPce) n'est pas connu, elle n'est pas lue. Retirez-la du fichier."
            )
            yield from self._refused(line, "", code, sentence % {"piece": _first(name)})
        else:
            self._next()
            self._told.add(what.value, name)

    def _next(self) -> int:
        self._line += 1
        return self._line

    def _lines(self, bordereau: Bordereau, piece: Piece) -> list[Line] | None:
        """The lines that count; None when nothing tells whether repeated ones do."""
        if not bordereau.takes_once and not bordereau.is_unsure:
            return piece.lines
        lines = pieces.once(piece.lines)
        return lines if bordereau.takes_once or len(lines) == len(piece.lines) else None

    def _repeated(self, line: int, name: str) -> Iterator[RowProblem]:
        sentence = _(
            "%(piece)s : ses lignes sont répétées pour chaque code comptable, et rien ne dit si elles "
            "comptent une fois "
            "ou plusieurs. Demandez un PES juste à l'éditeur de votre logiciel."
        )
        yield from self._refused(line, "amount", "", sentence % {"piece": _first(name)})

    def _invoices(self, bordereau: Bordereau, piece: Piece, name: str) -> Iterator[Record]:
        """The invoice of a piece, or one per debtor of a collective titre."""
        lines = self._lines(bordereau, piece)
        if lines is None:
            yield from self._repeated(self._next(), name)
            return
        amount = pieces.total(lines)
        if amount == 0:
            self._next()
            self._told.add("zero", name)
            return
        try:
            shares = debtors.shares_of(piece, lines)
        except Unclear as why:
            sentence = _("%(piece)s : %(why)s Elle n'est pas lue.")
            yield from self._refused(
                self._next(), "payer", "", sentence % {"piece": _first(name), "why": why}
            )
            return
        if len(shares) > 1 and keys.is_role(bordereau.said, piece):
            sentence = _(
                "%(piece)s : un article de rôle n'a qu'un débiteur principal, parce qu'il n'a qu'une référence de "
                "paiement. Elle n'est pas lue : faites un article par débiteur."
            )
            yield from self._refused(self._next(), "payer", "", sentence % {"piece": _first(name)})
            return
        for share in shares or [Share({}, lines)]:
            yield from self._share(bordereau, piece, share, name, is_shared=len(shares) > 1)

    def _share(
        self, bordereau: Bordereau, piece: Piece, share: Share, name: str, *, is_shared: bool
    ) -> Iterator[Record]:
        """The invoice of one debtor."""
        line, amount = self._next(), pieces.total(share.lines)
        if amount is not None and amount <= 0:
            if amount == 0 or self._rules.negatives == LEAVE_OUT:
                self._told.add("negative" if amount else "zero", name)
                return
            sentence = _(
                "%(piece)s : son montant est négatif. Un avoir s'émet par un bordereau d'annulation (TypBord "
                "02) ; sinon, "
                "choisissez dans la provenance de laisser de côté les montants négatifs."
            )
            yield from self._refused(line, "amount", f"{amount:.2f}", sentence % {"piece": _first(name)})
            return
        if any((one.amount or 0) < 0 for one in share.lines):
            self._told.add("discount", name)
        cells = self._cells(bordereau.said, piece, share, amount, is_shared=is_shared)
        if amount is not None and (taken := self._taken(bordereau.said, piece, share, is_shared=is_shared)):
            self._told.add("reduced" if taken < amount else "cancelled", name)
            if taken >= amount:
                titre = titre_of(bordereau.said.get("Exer", ""), piece.said.get("IdPce", ""))
                self._credits.cancels(titre, cells["number"], cells["reference"])
                return
            cells["amount"] = f"{amount - taken:.2f}"
        debtor = share.debtor
        if self._by_name and debtor and (problem := self._unsure(line, debtor, name, cells)) is not None:
            yield problem
            return
        if is_shared:
            sentence = _("%(piece)s : titre collectif. %(who)s ne doit et ne voit que ses propres lignes.")
            words = {"piece": _first(name), "who": debtors.name_of(debtor)}
            yield RowProblem(line, LABELS["payer"], "", sentence % words, is_error=False)
        if also := ", ".join(debtors.others(share.lines)):
            sentence = _(
                "%(piece)s : %(others)s doit aussi cette somme (débiteur solidaire ou codébiteur). Seul le débiteur "
                "principal, %(who)s, voit la facture."
            )
            words = {"piece": _first(name), "others": also[:120], "who": debtors.name_of(debtor)}
            yield RowProblem(line, LABELS["payer"], also[:80], sentence % words, is_error=False)
        for record in self._rows.make(line, cells):
            yield self._placed(record, name)
            if isinstance(record, InvoiceRow):
                self._tell(bordereau.said, piece, share.lines, record, name, cells)

    def _taken(self, bordereau: Leaves, piece: Piece, share: Share, *, is_shared: bool) -> Decimal:
        """What other pieces of this file take off a share of a titre."""
        titre = titre_of(bordereau.get("Exer", ""), piece.said.get("IdPce", ""))
        if keys.is_role(bordereau, piece) or titre not in self._survey.taken:
            return Decimal(0)
        parts = self._survey.taken[titre]
        if not is_shared:
            return sum(parts.values(), Decimal(0))
        places = {line.said.get("IdLigne", "").lstrip("0") for line in share.lines}
        return sum((taken for place, taken in parts.items() if place in places), Decimal(0))

    def _cells(
        self, bordereau: Leaves, piece: Piece, share: Share, amount: Decimal | None, *, is_shared: bool
    ) -> dict[str, str]:
        """What the file says of one invoice, as texts."""
        said, lines = piece.said, share.lines
        number = keys.number_of(bordereau, piece, lines)
        if is_shared and number:
            number = f"{number}-{lines[0].said.get('IdLigne', '')}"
        unread = next((one.said.get("MtHT", "") for one in lines if one.amount is None), "")
        subject = said.get("ObjPce") or next(
            (one.said["ObjLignePce"] for one in lines if one.said.get("ObjLignePce")), ""
        )
        debits = [one.debit for one in lines if one.debit is not None]
        code = debtors.code_of(share.debtor)
        if not code and self._by_name:
            code = debtors.derived_code(share.debtor)
        return {
            **debtors.cells_of(share.debtor),
            "number": number,
            "issued_on": bordereau.get("DteBordEm", ""),
            "due_on": self._due_on(bordereau, said),
            "amount": f"{amount:.2f}" if amount is not None else unread,
            "subject": subject or bordereau.get("Objet", ""),
            "fiscal_year": bordereau.get("Exer", ""),
            "reference": keys.reference_of(bordereau, piece, lines, prefix=self._rules.prefix),
            "payer": code,
            "document": name_of_pdf(bordereau, piece, lines, number, self._rules),
            "debit_on": min((one["DtePrel"] for one in debits if one.get("DtePrel")), default=""),
            "by_debit": "1" if debits else "",
        }

    def _due_on(self, bordereau: Leaves, said: Leaves) -> str:
        """DteAsp is the day on which the avis is sent: the due date is later. Empty: the source's rule gives it."""
        if self._rules.due_days is not None:
            return ""
        sent = said.get("DteAsp") or bordereau.get("DteAsp") or bordereau.get("DteBordEm", "")
        return _later(sent)

    def _unsure(self, line: int, debtor: Leaves, name: str, cells: Mapping[str, str]) -> RowProblem | None:
        """The problem of a debtor without code whom name and address do not tell from others."""
        if debtors.code_of(debtor):
            return None
        code = debtors.derived_code(debtor)
        if not code:
            sentence = _(
                "%(piece)s : le débiteur n'a ni code (RefTiers), ni nom et adresse complets. Un nom seul est celui de "
                "plusieurs familles : complétez-le, ou écrivez son code."
            )
            words = {"piece": _first(name)}
        elif debtors.lacks_first_name(debtor):
            first = self._families.setdefault(code, name)
            if first == name:
                self._told.add("no_first_name", debtors.name_of(debtor))
                return None
            sentence = _(
                "%(piece)s : même nom de famille et même adresse que %(first)s, sans prénom. Ce sont peut-être deux "
                "familles du même immeuble : écrivez leur code ou leur prénom."
            )
            words = {"piece": _first(name), "first": first}
        else:
            return None
        shown = {key: text for key, text in cells.items() if key in LABELS}
        return RowProblem(line, LABELS["payer"], debtors.name_of(debtor)[:80], sentence % words, cells=shown)

    def _tell(
        self,
        bordereau: Leaves,
        piece: Piece,
        lines: list[Line],
        row: InvoiceRow,
        name: str,
        cells: Mapping[str, str],
    ) -> None:
        """What is worth a warning of the whole file."""
        if self._rules.due_days is None:
            self._told.add("due", name)
        if not cells["reference"]:
            self._told.add("own", name)
        elif not keys.is_role(bordereau, piece):
            self._told.add("titres", row.reference)
        else:
            if not keys.key_agrees(bordereau, piece):
                self._told.add("keys", row.reference)
            if keys.has_several_products(lines):
                self._told.add("products", name)
        if row.by_debit and (debited := pieces.debited(lines)) is not None and debited < row.amount:
            self._told.add("part", name)

    def _refused(self, line: int, field: str, value: str, sentence: str) -> Iterator[RowProblem]:
        for problem in self._rows.refuse(line, sentence):
            yield dataclasses.replace(problem, field=LABELS.get(field, ""), value=value[:80])

    def _placed(self, record: Record, name: str) -> Record:
        """The record; a problem also names its piece and the leaf."""
        if not isinstance(record, RowProblem) or not record.is_error:
            return record
        sentence = _("%(problem)s (%(piece)s, balise %(leaf)s)")
        words = {
            "problem": record.message,
            "piece": name,
            "leaf": _LEAF_OF_LABEL.get(record.field, "BlocPiece"),
        }
        shown = {key: text for key, text in record.cells.items() if key in LABELS}
        return dataclasses.replace(record, message=sentence % words, cells=shown)


@lru_cache(maxsize=1000)
def _later(sent: str) -> str:
    """The usual due date of what is sent on that day; the same text when it is no day."""
    with suppress(FieldError):
        return f"{fields.day(sent) + timedelta(days=USUAL_DELAY):%Y-%m-%d}"
    return sent


def _first(name: str) -> str:
    """The same at the beginning of a sentence."""
    return name[:1].upper() + name[1:]
