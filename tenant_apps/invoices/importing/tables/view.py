"""What a table shows before it is imported: its columns, its first rows, and what they would become."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO

from tenant_apps.invoices.importing.records.kinds import Record, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tenant_apps.invoices.importing.tables.titles import (
    find_columns,
    guessed_columns,
    keys_of,
    kind_of_table,
    missing_of,
)
from toolkit.reading.encodings import EncodingChoice
from toolkit.reading.errors import FileError
from toolkit.reading.tables import TableError

HEAD = 200  # rows that are looked at for values to show
SHOWN = 5  # rows that are shown as they will be read
VALUES = 3  # of each column
_LONGEST = 60
_MARKED = 64 * 1024

Rows = Sequence[tuple[int, list[str]]]


@dataclass(frozen=True)
class Column:
    """One column of a file. `key` is its key in `Rules.columns`, `field` what it gives; empty when it is not read."""

    place: int
    key: str
    title: str
    values: tuple[str, ...]
    field: str


@dataclass(frozen=True)
class ColumnsView:
    """The titles and the first rows of a table. `read(titles, rows, reading)` reads rows as the import does."""

    titles: tuple[str, ...]
    rows: Rows
    read: Callable[[list[str], Iterable[tuple[int, list[str]]], Reading], Iterator[Record]] = field(
        repr=False
    )
    encoding: EncodingChoice | None = None
    mark: str = ""  # of the file: `mark_of`

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each column."""
        return tuple(keys_of(self.titles))

    def columns(self, rules: Rules) -> list[Column]:
        """Each column, with its first values and what it would give."""
        gives = guessed_columns(self.titles, rules)
        return [
            Column(place, key, title, self._values(place), gives.get(place, ""))
            for place, (key, title) in enumerate(zip(self.keys, self.titles, strict=True))
        ]

    def kind(self, rules: Rules) -> str:
        """What the rows would be: titles.INVOICES, PEOPLE or PDFS."""
        return kind_of_table(self.titles, rules)

    def missing(self, rules: Rules) -> list[str]:
        """The fields that neither a column nor a rule gives."""
        reading = reading_of(rules, self.mark)
        found = guessed_columns(self.titles, rules).values()
        return missing_of(list(found), self.kind(rules), reading)

    def first_records(self, rules: Rules) -> list[Record]:
        """The first rows as they would be read, and the problems of the whole file. Raises FileError."""
        reading = reading_of(rules, self.mark)
        find_columns(list(self.titles), reading)
        found: list[Record] = []
        lines: set[int] = set()
        for record in self.read(list(self.titles), self.rows, reading):
            if record.line is not None:
                lines.add(record.line)
                if len(lines) > SHOWN:
                    break
            found.append(record)
        return found

    def _values(self, place: int) -> tuple[str, ...]:
        values = (row[place].strip() for _line, row in self.rows if place < len(row))
        return tuple(islice((value[:_LONGEST] for value in values if value), VALUES))


def problems_of_file(records: Iterable[Record]) -> list[RowProblem]:
    """Those that are of no row."""
    return [one for one in records if isinstance(one, RowProblem) and one.line is None]


def mark_of(file: BinaryIO) -> str:
    """Sixteen signs that say which file it is: by its first bytes and its length."""
    length = file.seek(0, 2)
    file.seek(0)
    digest = hashlib.sha256(file.read(_MARKED) + str(length).encode())
    file.seek(0)
    return digest.hexdigest()[:16]


def reading_of(rules: Rules, mark: str) -> Reading:
    """How the file of that mark is read by these rules."""
    day = rules.dates.get(mark, "")
    year, month, date = f"{day}--".split("-")[:3]
    return Reading(rules, for_all={"issued_on": f"{date}/{month}/{year}"} if day else {})


def of_file(reading: Reading, file: BinaryIO) -> Reading:
    """The reading, with the date that a clerk gave for the invoices of this file."""
    if not reading.rules.dates:
        return reading
    return replace(reading, for_all={**reading_of(reading.rules, mark_of(file)).for_all, **reading.for_all})


def first_rows(rows: Iterable[tuple[int, list[str]]]) -> Rows:
    """As many as are looked at. What cannot be read ends them: the check says it in words."""
    found: list[tuple[int, list[str]]] = []
    with suppress(FileError, TableError):
        found.extend(islice(rows, HEAD))  # what came before the fault is kept
    return found
