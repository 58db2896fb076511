"""Columns beside the amount that say what is left to pay, what was paid, who pays: none is ever ignored.

What they say differently from the amount refuses the row: nobody is asked for money that was paid (decision 74).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, USUAL, Reading
from toolkit.reading import fields
from toolkit.reading.errors import FieldError, NotPositive
from toolkit.reading.tables import key_of_title

MONEY = {
    "balance": "solde soldeactuel soldefacture reste resteapayer resteapayerttc restedu montantrestant montantdu",
    "paid": "regle reglee dejaregle montantregle paye payee dejapaye montantpaye acompte acompteverse",
    "debit": "preleve prelevee prelevement prelevementautomatique prelevementauto preleveauto prlv",
    "means": "modereglement modepaiement moyenpaiement moyenreglement",
    "cancelled": "annule annulee factureannulee",
    "state": "etat etatfacture statut statutfacture",  # only « annulée » counts
    "credit": "avoir avoirs montantavoir estavoir",
}
KIND_OF_MONEY = {title: kind for kind, titles in MONEY.items() for title in titles.split()}
_YES = frozenset({"o", "oui", "y", "yes", "1", "x", "vrai", "true", "ok", "active", "actif"})
_NO = frozenset({"", "n", "non", "no", "0", "faux", "false", "nonactive", "aucun", "aucune", "neant"})
_ONCE = (
    "number",
    "issued_on",
    "due_on",
    "amount",
    "payer",
)  # a title that comes twice must say the same twice


@dataclass(frozen=True)
class Said:
    """What these columns say of a row: the cells to read, why it is refused, or why it is left out."""

    cells: Mapping[str, str]
    refused: tuple[str, str, str] | None = None  # title, value, sentence
    left_out: tuple[str, str, str] | None = None


class Money:
    """The columns of one table that are compared with the amount, or obeyed."""

    def __init__(self, titles: Sequence[str], places: Mapping[str, int], reading: Reading) -> None:
        self._titles = titles
        self._reading = reading
        self._kinds: dict[str, list[int]] = {}
        keys = [key_of_title(title) for title in titles]
        for place, key in enumerate(keys):
            if key in KIND_OF_MONEY and place not in places.values() and key not in reading.rules.columns:
                self._kinds.setdefault(KIND_OF_MONEY[key], []).append(place)
        amount = places.get("amount")
        if amount is not None and KIND_OF_MONEY.get(keys[amount]) == "balance":  # the balance is the amount
            self._kinds.pop("balance", None)
            self._kinds.pop("paid", None)
            self._balances = [amount]
        else:
            self._balances = [*self._kinds.get("balance", ())]
        self._twins = {
            name: [at for at, key in enumerate(keys) if key == keys[place] and at != place]
            for name, place in places.items()
            if name in _ONCE
        }
        self.is_idle = not self._kinds and not self._balances and not any(self._twins.values())

    def notices(self) -> Iterator[str]:
        """Sentences about what is done with these columns."""
        compared = [
            at for kind in ("balance", "paid", "credit", "cancelled") for at in self._kinds.get(kind, ())
        ]
        if compared:
            yield ngettext(
                "La colonne %(titles)s est comparée au montant : une ligne où elle dit autre chose n'est pas acceptée "
                "sans vous.",
                "Les colonnes %(titles)s sont comparées au montant : une ligne où elles disent autre chose n'est pas "
                "acceptée sans vous.",
                len(compared),
            ) % {"titles": self._named(compared)}
        if debit := self._kinds.get("debit"):
            yield _(
                "La colonne %(titles)s dit quelles factures seront prélevées : elles ne se règlent pas en ligne."
            ) % {"titles": self._named(debit)}

    def said(self, line: int, row: Sequence[str], cells: Mapping[str, str]) -> Said:
        """What the row's columns of money say. What a clerk corrected in the row is not asked about again."""
        corrected = self._reading.corrections.get(line, {})
        for name, others in self._twins.items():
            if name not in corrected and (refused := self._differs(name, others, row, cells)):
                return Said(cells, refused=refused)
        if cancelled := self._cell(row, "cancelled", but=_NO) or self._cancelled_by_state(row):
            return Said(cells, left_out=(*cancelled, self._sentence_of_cancelled(*cancelled)))
        by_debit = self._debit(row)
        if by_debit is None:
            title, value = self._cell(row, "debit", but=_NO) or ("", "")
            sentence = _(
                "« %(title)s » contient « %(value)s », qui n'est ni O, ni N, ni une date : corrigez cette valeur."
            )
            return Said(cells, refused=(title, value, sentence % {"title": title, "value": value[:40]}))
        if "amount" in corrected:
            return Said({**cells, **by_debit})
        refused, left_out = self._asked(row, cells)
        return Said({**cells, **by_debit} if by_debit else cells, refused, left_out)

    def _named(self, places: list[int]) -> str:
        return ", ".join(f"« {self._titles[at][:40]} »" for at in places[:12])

    def _cell(
        self, row: Sequence[str], kind: str, *, but: frozenset[str] = frozenset({""})
    ) -> tuple[str, str] | None:
        """Title and value of the first column of that kind whose cell says something."""
        for at in self._kinds.get(kind, ()):
            if at < len(row) and row[at].strip() and fields.fold(row[at]) not in but:
                return self._titles[at], row[at].strip()
        return None

    def _cancelled_by_state(self, row: Sequence[str]) -> tuple[str, str] | None:
        """Title and value of a column of states, or of balances, that says that the invoice is cancelled."""
        for at in (*self._kinds.get("state", ()), *self._balances):
            if at < len(row) and fields.fold(row[at]).startswith("annul"):
                return self._titles[at], row[at].strip()
        return None

    def _differs(
        self, name: str, others: list[int], row: Sequence[str], cells: Mapping[str, str]
    ) -> tuple[str, str, str] | None:
        read = cells.get(name, "").strip()
        for at in others:
            other = row[at].strip() if at < len(row) else ""
            if other and other != read and (name != "amount" or _euros(other) != _euros(read)):
                sentence = _(
                    "« %(label)s » est donné deux fois, « %(read)s » et « %(other)s » (%(n)de colonne) : gardez une "
                    "des deux colonnes."
                )
                words = {"label": LABELS[name], "read": read[:40], "other": other[:40], "n": at + 1}
                return LABELS[name], other, sentence % words
        return None

    def _sentence_of_cancelled(self, title: str, value: str) -> str:
        return _(
            "« %(title)s » dit « %(value)s » : cette facture est annulée, elle n'est pas demandée. Si elle est déjà "
            "en ligne, annulez-la sur sa page."
        ) % {"title": title, "value": value[:40]}

    def _debit(self, row: Sequence[str]) -> dict[str, str] | None:
        """The cells about an automatic debit; None when the column says something else."""
        for at in self._kinds.get("debit", ()):
            value = row[at].strip() if at < len(row) else ""
            word = fields.fold(value)
            if word in _YES or word.startswith(("preleve", "prlv")):
                return {"by_debit": "1"}
            if word not in _NO:
                with suppress(FieldError):
                    fields.day(value)
                    return {"by_debit": "1", "debit_on": value}
                return None
        means = self._cell(row, "means")
        if means and fields.fold(means[1]).startswith(("preleve", "prlv")):
            return {"by_debit": "1"}
        return {}

    def _asked(
        self, row: Sequence[str], cells: Mapping[str, str]
    ) -> tuple[tuple[str, str, str] | None, tuple[str, str, str] | None]:
        """(refused, left out): what says that the whole amount is not owed."""
        asked = _euros(cells.get("amount", ""))
        if asked is None or asked <= 0:
            return None, None  # said of the amount itself
        balances = 0
        for at in self._kinds.get("balance", ()):
            title, value = self._titles[at], row[at].strip() if at < len(row) else ""
            if not value:
                continue
            left = _euros(value)
            if left == asked:
                balances += 1
                continue
            words = {"title": title, "value": value[:40], "amount": cells["amount"].strip()[:40]}
            if left == 0:
                sentence = _(
                    "« %(title)s » est à %(value)s : cette facture de %(amount)s est réglée, il n'y a rien à "
                    "demander. Ôtez la ligne."
                )
                if self._reading.rules.negatives == LEAVE_OUT:
                    sentence = _(
                        "« %(title)s » est à %(value)s : cette facture de %(amount)s est réglée, elle est laissée de "
                        "côté."
                    )
                    return None, (title, value, sentence % words)
                return (title, value, sentence % words), None
            sentence = _(
                "« %(title)s » (%(value)s) n'est pas le montant (%(amount)s) : une partie est peut-être déjà réglée. "
                "Corrigez le montant, ou dites que la colonne « %(title)s » donne le montant à payer."
            )
            return (title, value, sentence % words), None
        if balances:
            return None, None  # the balance is the amount: whatever was paid or taken off is in it
        for kind in ("paid", "credit"):
            found = self._cell(row, kind, but=_NO)
            if found and _euros(found[1]) != 0:
                words = {"title": found[0], "value": found[1][:40], "amount": cells["amount"].strip()[:40]}
                sentence = (
                    _(
                        "« %(title)s » dit « %(value)s » : ce n'est pas la somme entière (%(amount)s) qui reste due. "
                        "Mettez dans « Montant » ce qui reste à payer, ou ôtez la ligne."
                    )
                    if kind == "paid"
                    else _(
                        "« %(title)s » dit « %(value)s » : un avoir ne s'importe pas comme une facture. Mettez dans "
                        "« Montant » ce qui reste à payer, ou ôtez la ligne."
                    )
                )
                return (*found, sentence % words), None
        return None, None


NO_MONEY = Money((), {}, USUAL)  # of a table that is not about invoices


def _euros(text: str) -> Decimal | None:
    """Zero or more; what is below zero is None, like what is no amount."""
    try:
        return fields.amount(text)
    except NotPositive:
        return Decimal(0) if not any(sign in text for sign in "-−(") else None
    except FieldError:
        return None
