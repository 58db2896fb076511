"""For formats that are tables: titles and rows of cells → invoices and problems."""

from collections.abc import Callable, Iterable, Iterator

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.identity import MAY_BE_NAMES
from tenant_apps.invoices.importing.records.doubts import MOST_SAID
from tenant_apps.invoices.importing.records.kinds import LABELS, OF_PAYER, Record, RowProblem
from tenant_apps.invoices.importing.records.rows import Rows
from tenant_apps.invoices.importing.records.rules import Reading
from tenant_apps.invoices.importing.tables.money import NO_MONEY, Money
from tenant_apps.invoices.importing.tables.titles import INVOICES, PDFS, PEOPLE, Columns, find_columns
from toolkit.reading.errors import FileError
from toolkit.reading.fields import fold
from toolkit.reading.tables import key_of_title

_FOOTERS = ("total", "soustotal", "montanttotal", "nombrede")


def read_table(
    titles: list[str],
    rows: Iterable[tuple[int, list[str]]],
    reading: Reading,
    *,
    too_wide: Callable[[list[str]], str],
    blank_is_sure: bool = True,
) -> Iterator[Record]:
    """Read each row (its line, its cells) under the titles. Raises FileError.

    `too_wide(surplus)`: why a row with cells beyond the last title is refused; empty when it is not. Titles that come
    again, as at the top of each page, are left out. Without `blank_is_sure`, an empty cell says nothing of the payer.
    """
    columns = find_columns(titles, reading)
    for doubt in columns.doubts:
        yield RowProblem(None, "", "", doubt, is_error=False)
    money = Money(columns.titles, columns.places, reading) if columns.gives == INVOICES else NO_MONEY
    for notice in money.notices():
        yield RowProblem(None, "", "", notice, is_error=False)
    payer = columns.title_of("payer")
    made = Rows(reading, payer_title=payer, payer_may_be_name=key_of_title(payer) in MAY_BE_NAMES)
    make = {INVOICES: made.make, PEOPLE: made.person, PDFS: made.document}[columns.gives]
    cut, width, repeats = _CutShort(columns), columns.width, _Repeats(titles)
    for line, row in rows:
        if (repeated := repeats.of(line, row)) is not None:
            yield from repeated
            continue
        cells, surplus = columns.cells(row), row[width:] if len(row) > width else ()
        if not blank_is_sure:
            cells = {name: cell for name, cell in cells.items() if cell.strip() or name not in OF_PAYER}
        if _is_footer(cells, row):
            sentence = _("Cette ligne de total n'est pas une facture : elle est laissée de côté.")
            yield RowProblem(line, "", "", sentence, is_error=False)
            continue
        if surplus and (why := too_wide(surplus)):
            yield from made.refuse(line, why)
            continue
        if len(row) < width:
            yield from cut.told(line, row)
        if money.is_idle:
            yield from make(line, cells)
            continue
        said = money.said(line, row, cells)
        if said.refused:
            title, value, sentence = said.refused
            yield from made.refuse(line, sentence, field=title, value=value, cells=cells)
        elif said.left_out:
            title, value, sentence = said.left_out
            yield from made.leave_out(line, sentence, field=title, value=value)
        else:
            yield from make(line, said.cells)
    if not made.count:
        raise FileError(_("Le fichier ne contient aucune facture sous la ligne de titres."))


class _Repeats:
    """Titles that come again, as at the top of each page."""

    def __init__(self, titles: list[str]) -> None:
        self._titles = titles
        self._at = next((at for at, title in enumerate(titles) if title), 0)
        self._was_said = False

    def of(self, line: int, row: list[str]) -> list[RowProblem] | None:
        """None for a row of values; what to say (once) of a row of titles."""
        at = self._at
        if at >= len(row) or row[at].strip()[:8] != self._titles[at][:8]:
            return None
        if [" ".join(cell.strip().strip('"').split()) for cell in row] != self._titles:
            return None
        if self._was_said:
            return []
        self._was_said = True
        sentence = _(
            "Les titres sont répétés dans le fichier : ces lignes ne sont pas des factures, elles sont ignorées."
        )
        return [RowProblem(line, "", "", sentence, is_error=False)]


class _CutShort:
    """Rows that end before the last titles: what they do not give is told, a few times."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._count = 0

    def told(self, line: int, row: list[str]) -> Iterator[RowProblem]:
        """A warning about the fields that the row has no cell for."""
        missing = [name for name, at in self._columns.places.items() if at >= len(row)]
        if not missing:
            return
        self._count += 1
        if self._count > MOST_SAID + 1:
            return
        labels = ", ".join(f"« {LABELS[name]} »" for name in missing)
        sentence = (
            _(
                "La ligne s'arrête avant la fin : elle ne donne pas %(labels)s. Vérifiez qu'elle n'est pas coupée."
            )
            if self._count <= MOST_SAID
            else _("D'autres lignes s'arrêtent avant la fin : elles ne sont pas toutes citées (%(labels)s).")
        )
        yield RowProblem(line, "", "", sentence % {"labels": labels}, is_error=False)


def _is_footer(cells: dict[str, str], row: list[str]) -> bool:
    """Whether it is a line of totals: it has a word for it, no payer, no PDF and no date."""
    if cells.get("payer", "").strip() or cells.get("document", "").strip():
        return False
    if any(sign.isdigit() for name in ("issued_on", "due_on") for sign in cells.get(name, "")):
        return False
    return any(fold(cell).startswith(_FOOTERS) for cell in row)
