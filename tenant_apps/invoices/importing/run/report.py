"""What the reading of a file found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tenant_apps.invoices.importing.records.kinds import Record, RowProblem

MOST_KEPT = 1000  # problems, and refused rows, that are kept; all are counted

Progress = Callable[[int], None]
Records = Iterable[Record]  # what a format yields


@dataclass
class Report:
    """What the reading found. A report with an error is published only without the refused rows."""

    rows: int = 0
    new: int = 0
    unchanged: int = 0
    amended: int = 0  # online invoices that the file changes
    changes: int = 0  # known payers that the file describes differently
    questions: int = 0  # payers and invoices that a person must look at
    late: int = 0  # PDFs for invoices that are online without one
    documents: int = 0
    errors: int = 0
    warnings: int = 0
    amount: Decimal = Decimal("0.00")  # sum of the new invoices, in euros
    whole_file: bool = False  # an error is about the whole file: nothing of it can be published
    problems: list[RowProblem] = field(default_factory=list)
    refused: dict[int, Mapping[str, str]] = field(default_factory=dict)  # line → its texts
    # Ids of what its rows are of; None: a row or a PDF may be of any.
    products: set[int | None] = field(default_factory=set)

    @property
    def brings_something(self) -> bool:
        """Whether there is something to stage."""
        return bool(self.new or self.changes or self.late or self.amended)

    @property
    def known_products(self) -> list[int]:
        """The ids of the products that its rows are of; none when that is not known of every row and every PDF."""
        return [] if None in self.products else sorted(pk for pk in self.products if pk is not None)

    def add(self, problem: RowProblem) -> None:
        """Count the problem, and keep it when there are fewer than `MOST_KEPT`."""
        if problem.is_error:
            self.errors += 1
            self.whole_file |= problem.line is None
        else:
            self.warnings += 1
        if len(self.problems) < MOST_KEPT:
            self.problems.append(problem)
        if problem.is_error and problem.line is not None:
            known = self.refused.get(problem.line)
            if known is None or (not known and problem.cells):
                self.refused[problem.line] = dict(problem.cells)
