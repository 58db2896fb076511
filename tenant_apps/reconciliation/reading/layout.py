"""Find the titles and the separator of a table: banks write lines above the titles, and commas in labels."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading.cells import looks_like_amount, looks_like_day
from tenant_apps.reconciliation.reading.columns import FIELDS
from toolkit.reading.errors import FileError
from toolkit.reading.tables import encoding_of_table, key_of_title, split_line
from toolkit.reading.text import Lines

HEAD = 30  # the titles are looked for in these first lines
DELIMITERS = (";", "\t", ",", "|")
_KNOWN = {key for fields in FIELDS.values() for _label, met in fields.values() for key in met}
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_ACCOUNT = re.compile(r"\b(?:compte|cpte|rib)\b[^0-9\n]{0,30}([0-9][0-9 ]{6,25}[0-9])", re.IGNORECASE)
# not a time written AAAAMMJJHHMMSS
_IN_A_NAME = re.compile(r"(?<![0-9])(?!20[0-9]{12}(?![0-9]))[0-9]{10,23}(?![0-9])")


@dataclass(frozen=True)
class Layout:
    """How the table is written. `titles` are made unique. `line` is the line of the titles, 0 without titles."""

    encoding: str
    delimiter: str
    line: int
    titles: tuple[str, ...]
    account: str = ""  # named in the lines above the titles
    samples: tuple[tuple[str, ...], ...] = ()  # the first rows under the titles

    @property
    def fingerprint(self) -> str:
        """A hash of the titles: the same for every file that has them."""
        return hashlib.sha256("\x1f".join(self.titles).encode()).hexdigest()


def layout_of(stream: BinaryIO, *, delimiter: str = "", line: int | None = None) -> Layout:
    """Find the titles, or use the separator and the line of titles that a person gives. Raises CannotRead."""
    try:
        encoding = encoding_of_table(stream)
        lines = Lines(stream, encoding)
        try:
            head = [text for _n, text in zip(range(HEAD), lines, strict=False)]
        finally:
            lines.release()
    except FileError as error:
        raise CannotRead(str(error)) from None
    tables = {
        one: [split_line(text, one) for text in head] for one in ([delimiter] if delimiter else DELIMITERS)
    }
    if line is not None:
        chosen = _most_filled({one: rows[max(line - 1, 0) :][:1] for one, rows in tables.items()})[0]
        return _layout(encoding, chosen, min(line, len(head)), tables[chosen], head)
    chosen, number = _by_known_titles(tables) or _by_first_row(tables) or _most_filled(tables)
    return _layout(encoding, chosen, number, tables[chosen], head)


def _layout(encoding: str, delimiter: str, line: int, rows: list[list[str]], head: list[str]) -> Layout:
    cells = rows[line - 1] if line else [""] * max((len(row) for row in rows), default=0)
    if len(cells) < 2:
        raise CannotRead(
            _(
                "Ce fichier n'est pas un tableau : il faut des colonnes séparées par « ; », tabulation ou virgule."
            )
        )
    titles: list[str] = []
    for place, cell in enumerate(cells, 1):
        title = " ".join(cell.split())[:60] or gettext_noop("Colonne %(n)d") % {"n": place}
        titles.append(title if title not in titles else f"{title} ({place})")
    samples = tuple(tuple(row) for row in rows[line:] if any(cell.strip() for cell in row))
    return Layout(encoding, delimiter, line, tuple(titles), account_in("\n".join(head[:line])), samples)


def _by_known_titles(tables: dict[str, list[list[str]]]) -> tuple[str, int] | None:
    """Separator and line with the most titles that we know, at least two."""
    best: tuple[int, str, int] = (1, "", 0)
    for delimiter, rows in tables.items():
        for number, row in enumerate(rows, 1):
            known = len({key_of_title(cell) for cell in row} & _KNOWN)
            if known > best[0]:
                best = (known, delimiter, number)
    return (best[1], best[2]) if best[1] else None


def _by_first_row(tables: dict[str, list[list[str]]]) -> tuple[str, int] | None:
    """The titles are just above the first row with a date and an amount. Line 0: the file has none."""
    best: tuple[int, str, int] | None = None
    for delimiter, rows in tables.items():
        data = [number for number, row in enumerate(rows, 1) if _is_data(row)]
        if not data:
            continue
        width = Counter(len(rows[number - 1]) for number in data).most_common(1)[0]
        above = [
            number
            for number in range(1, data[0])
            if sum(bool(cell.strip()) for cell in rows[number - 1]) > 1 and not _has_value(rows[number - 1])
        ]
        agreeing = width[1] if width[0] > 1 else 0
        if best is None or agreeing > best[0]:
            best = (agreeing, delimiter, above[-1] if above else 0)
    return (best[1], best[2]) if best and best[0] else None


def _is_data(row: list[str]) -> bool:
    return any(looks_like_day(cell) for cell in row) and any(looks_like_amount(cell) for cell in row)


def _has_value(row: list[str]) -> bool:
    return any(looks_like_day(cell) or looks_like_amount(cell) for cell in row)


def _most_filled(tables: dict[str, list[list[str]]]) -> tuple[str, int]:
    best: tuple[int, str, int] = (0, next(iter(tables)), 1)
    for delimiter, rows in tables.items():
        for number, row in enumerate(rows, 1):
            filled = sum(bool(cell.strip()) for cell in row)
            if filled > best[0]:
                best = (filled, delimiter, number)
    return best[1], best[2]


def account_in(text: str) -> str:
    """The account that a text names: an IBAN, or the number after « compte ». Empty when there is none."""
    if found := _IBAN.search(text.upper()):
        return found[0].replace(" ", "")
    number = _ACCOUNT.search(text)
    return number[1].replace(" ", "") if number else ""


def account_in_name(name: str) -> str:
    """The account in a file name: an IBAN, or a number too long for a date or a time. Empty when there is none."""
    found = _IBAN.search(re.sub(r"[_.-]", " ", name.upper())) or _IN_A_NAME.search(name)
    return found[0].replace(" ", "") if found else ""
