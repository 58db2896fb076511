"""What is read, and is doubtful all the same: a sentence for whoever sent the file. Nothing is refused here."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.records import fields as billing
from tenant_apps.invoices.importing.records.kinds import LABELS, RowProblem
from toolkit import clock

MOST_SAID = 20  # times that one kind of doubt is told in one file
OLD_YEARS, AHEAD_YEARS = 5, 2  # due that long ago, issued that far ahead: a slip of the hand
_SHOWN = ("subject", "last_name", "first_name", "address1", "address2", "city")
# UTF-8 that was read as Windows-1252 and saved so: HÃ©lÃ¨ne, Nâ€™Guyen, CÅ“ur.
BROKEN = re.compile(
    "\ufffd|Ã[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u2122‰†‡•…]"
    "|Â[\u00a0-\u00bf]|â€|Å[\u0093\u201c\u0092\u2019]"
)
_MONTHS = (
    "janv|févr|fevr|mars|avr|mai|juin|juil|août|aout|sept|oct|nov|déc|dec|jan|feb|mar|apr|may|jun|jul|aug|sep"
)
LIKE_A_DATE = re.compile(
    rf"({_MONTHS})\.?[- ][0-9]{{2,4}}|[0-9]{{1,2}}[- ]({_MONTHS})\.?([- ][0-9]{{2,4}})?"
    r"|[0-9]{2}/[0-9]{2}/[0-9]{4}",
    re.IGNORECASE,
)


class Doubts:
    """The doubts about one file, each kind told a few times only: the problems of a report are limited."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()
        today = clock.today()
        self.oldest = date(today.year - OLD_YEARS, 1, 1)
        self.latest = date(today.year + AHEAD_YEARS, 12, 31)

    def of(self, line: int, cells: Mapping[str, str], issued_on: date, due_on: date) -> Iterator[RowProblem]:
        """What is doubtful in a row that was read."""
        for name in ("number", "payer"):
            if LIKE_A_DATE.fullmatch(cells.get(name, "").strip()):
                sentence = _(
                    "« %(label)s » ressemble à une date : le tableur en a peut-être fait une d'un numéro comme "
                    "2026/1. Vérifiez-le."
                )
                yield from self._tell("date", line, name, cells, sentence)
        for name in _SHOWN:
            value = cells.get(name, "")
            if not value.isascii() and BROKEN.search(value):
                sentence = _(
                    "« %(label)s » a des accents abîmés (« %(value)s ») : l'usager lirait ceci. Corrigez-le dans "
                    "votre logiciel, ou exportez de nouveau au format UTF-8."
                )
                yield from self._tell("broken", line, name, cells, sentence)
        postcode = cells.get("postcode", "").strip()
        if re.fullmatch(r"[0-9]{4}([.,]0+)?", postcode):
            sentence = _(
                "« %(label)s » n'a que quatre chiffres : est-ce 0%(value)s ? Un tableur ôte le premier zéro."
            )
            yield from self._tell("postcode", line, "postcode", cells, sentence, value=postcode[:4])
        if billing.says_no_address(cells.get("email", "")):
            sentence = _("« %(label)s » contient « %(value)s » : la ligne est lue sans adresse e-mail.")
            yield from self._tell("email", line, "email", cells, sentence)
        for name in ("issued_on", "due_on"):
            if billing.is_serial(cells.get(name, "")):
                sentence = _(
                    "« %(label)s » est un nombre d'Excel, lu comme le %(value)s. Vérifiez cette date."
                )
                day = issued_on if name == "issued_on" else due_on
                yield from self._tell("serial", line, name, cells, sentence, value=clock.in_figures(day))
        if due_on < self.oldest:
            sentence = _("« %(label)s » est dépassée depuis longtemps (%(value)s) : vérifiez l'année.")
            yield from self._tell("old", line, "due_on", cells, sentence, value=clock.in_figures(due_on))
        if issued_on > self.latest:
            sentence = _("« %(label)s » est loin dans l'avenir (%(value)s) : vérifiez l'année.")
            yield from self._tell(
                "ahead", line, "issued_on", cells, sentence, value=clock.in_figures(issued_on)
            )

    def no_civility(self, line: int, value: str) -> Iterator[RowProblem]:
        """A number in the column of civilities: it is the number of a titre, and is not read."""
        sentence = _(
            "« Civilité » contient « %(value)s », qui n'en est pas une : cette valeur n'est pas lue."
        )
        yield from self._tell("civility", line, "title", {"title": value}, sentence)

    def _tell(
        self,
        kind: str,
        line: int,
        name: str,
        cells: Mapping[str, str],
        sentence: str,
        *,
        value: str | None = None,
    ) -> Iterator[RowProblem]:
        self._told[kind] += 1
        cell = cells.get(name, "").strip()[:80]
        if self._told[kind] <= MOST_SAID:
            words = {"label": LABELS[name], "value": cell[:40] if value is None else value}
            yield RowProblem(line, LABELS[name], cell, sentence % words, is_error=False)
        elif self._told[kind] == MOST_SAID + 1:
            sentence = _(
                "« %(label)s » : d'autres lignes sont dans le même cas, elles ne sont pas toutes citées."
            )
            yield RowProblem(line, LABELS[name], cell, sentence % {"label": LABELS[name]}, is_error=False)
