"""One record of a file while it is read: its texts, and the problems found in them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from tenant_apps.invoices.importing.records.kinds import LABELS, RowProblem
from toolkit.reading.errors import FieldError

T = TypeVar("T")


class Cells:
    """Reads the texts of one record, field by field, and collects its problems."""

    def __init__(self, line: int, cells: Mapping[str, str]) -> None:
        self.problems: list[RowProblem] = []
        self._line = line
        self._cells = cells

    def refuse(self, name: str, value: str, sentence: str) -> None:
        """Add a problem of the field `name`. The first one carries the texts of the whole record."""
        shown = {} if self.problems else self._cells
        self.problems.append(RowProblem(self._line, LABELS[name], value[:80], sentence, cells=shown))

    def read(self, name: str, convert: Callable[[str], T]) -> T | None:
        """The value of a field; None, with its problem, when it cannot be read."""
        raw = self._cells.get(name, "")
        try:
            return convert(raw)
        except FieldError as error:
            self.refuse(name, raw.strip(), f"« {LABELS[name]} » {error}")
            return None
