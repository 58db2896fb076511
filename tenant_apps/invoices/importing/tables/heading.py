"""Where the titles of a CSV are, and what stands between its cells."""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tenant_apps.invoices.importing.tables.titles import known_in
from toolkit.reading.tables import key_of_title

DELIMITERS = (";", "\t", ",")
MOST_ABOVE = (
    30  # rows among which the titles are looked for: a name, an address and a period may stand above them
)
_MOST_LINES = 60  # titles may have line breaks
_MOST_SIGNS = 64 * 1024


@dataclass(frozen=True)
class Heading:
    """The sign between the cells, the titles, and the lines of the file up to and with the titles."""

    delimiter: str
    titles: list[str]
    lines: int
    above: int = 0  # rows above the titles that say something


def first_lines(lines: Iterator[str]) -> list[str]:
    """As many lines as the titles may be in."""
    found: list[str] = []
    signs = 0
    for line in islice(lines, _MOST_LINES):
        found.append(line)
        signs += len(line)
        if signs > _MOST_SIGNS:
            break
    return found


def find_heading(head: Sequence[str], also: Collection[str] = ()) -> Heading | None:
    """The first row that names the most fields, at least two, with the sign that gives the most of them.

    A first line `sep=;` says the sign. `also`: keys of titles that a source's rules know.
    """
    given = _given(head)
    best, most = None, 1
    for delimiter in (given,) if given else DELIMITERS:
        above = 0
        for lines, row in _rows(head, delimiter):
            titles = [" ".join(cell.strip().strip('"').split()) for cell in row]
            known = len({*known_in(titles), *(key for key in map(key_of_title, titles) if key in also)})
            if known > most:
                best, most = Heading(delimiter, titles, lines, above), known
            above += any(titles) and lines > bool(given)
    return best


def _rows(head: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The first rows, and the number of the last line of each."""
    reader = csv.reader(head, delimiter=delimiter)
    try:
        for row in islice(reader, MOST_ABOVE):
            yield reader.line_num, row
    except csv.Error:
        return


def _given(head: Sequence[str]) -> str:
    """The sign that Excel's line `sep=;` gives."""
    first = head[0].strip('\r\n\ufeff" ').lower() if head else ""
    sign = first[4:5] or "\t"
    return sign if first.startswith("sep=") and sign in DELIMITERS else ""


def likely_heading(head: Sequence[str], also: Collection[str] = ()) -> Heading | None:
    """As `find_heading`; when nobody knows the titles, the first of the rows with the most filled cells."""
    if (found := find_heading(head, also)) is not None:
        return found
    best, most = None, 1
    for delimiter in (given,) if (given := _given(head)) else DELIMITERS:
        above = 0
        for lines, row in _rows(head, delimiter):
            titles = [" ".join(cell.strip().strip('"').split()) for cell in row]
            if (filled := sum(map(bool, titles))) > most:
                best, most = Heading(delimiter, titles, lines, above), filled
            above += any(titles) and lines > bool(given)
    return best
