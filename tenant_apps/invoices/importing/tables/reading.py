"""For formats that are tables: titles and rows of cells → invoices and problems."""

from collections.abc import Callable, Iterable, Iterator

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.identity import MAY_BE_NAMES
from tenant_apps.invoices.importing.records.kinds import OF_PAYER, Record, RowProblem
from tenant_apps.invoices.importing.records.rows import Rows
from tenant_apps.invoices.importing.records.rules import Reading
from tenant_apps.invoices.importing.tables.titles import INVOICES, PDFS, PEOPLE, find_columns
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
    payer = columns.title_of("payer")
    made = Rows(reading, payer_title=payer, payer_may_be_name=key_of_title(payer) in MAY_BE_NAMES)
    make = {INVOICES: made.make, PEOPLE: made.person, PDFS: made.document}[columns.gives]
    for line, row in rows:
        cells, surplus = columns.cells(row), row[columns.width :]
        if not blank_is_sure:
            cells = {name: cell for name, cell in cells.items() if cell.strip() or name not in OF_PAYER}
        if [cell.strip() for cell in row[: columns.width]] == titles:
            continue
        if _is_footer(cells, row):
            sentence = _("Cette ligne de total n'est pas une facture : elle est laissée de côté.")
            yield RowProblem(line, "", "", sentence, is_error=False)
        elif surplus and (why := too_wide(surplus)):
            yield from made.refuse(line, why)
        else:
            yield from make(line, cells)
    if not made.count:
        raise FileError(_("Le fichier ne contient aucune facture sous la ligne de titres."))


def _is_footer(cells: dict[str, str], row: list[str]) -> bool:
    """Whether it is a line of totals: it has a word for it, no payer, no PDF and no date."""
    if cells.get("payer", "").strip() or cells.get("document", "").strip():
        return False
    if any(sign.isdigit() for name in ("issued_on", "due_on") for sign in cells.get(name, "")):
        return False
    return any(fold(cell).startswith(_FOOTERS) for cell in row)
