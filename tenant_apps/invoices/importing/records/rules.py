"""What a source says about its files, and what a clerk has corrected in one of them (decision 71).

Plain data: formats get it, and read accordingly.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

WHO_BY_CODE, WHO_BY_NAME = "code", "name"
REFUSE, LEAVE_OUT = "refuse", "leave_out"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a source. Each has a default, so that a source without rules reads what everybody writes."""

    # Key of a column (tables.titles.keys_of) → the field that it gives; "" when it is not read.
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""  # the one that a clerk confirmed; empty: it is found in each file
    who: str = WHO_BY_CODE  # WHO_BY_NAME: the file has no code, and its names tell families apart
    subject: str = ""  # of an invoice without one
    due_days: int | None = None  # days from the date to the due date, for an invoice without one
    product: str = ""  # code of the régie, for an invoice without one
    prefix: str = ""  # before each number, in our number and in the payment reference
    negatives: str = REFUSE  # LEAVE_OUT: zero and negative amounts are left out, with a warning
    document_pattern: str = (
        ""  # names of the PDFs, with {numero}; empty: the number, or the column « Fichier PDF »
    )
    makes_documents: bool = False  # an invoice without PDF gets one made from its data
    # Mark of a file (tables.marks) → the date of its invoices (ISO), which a clerk gave because the file has none. It
    # is of that file only: the date of one month must not come back in the next one.
    dates: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_name(self) -> bool:
        """Whether names tell the families of its files apart."""
        return self.who == WHO_BY_NAME

    @classmethod
    def kept(cls, saved: Mapping[str, Any]) -> Self:
        """The rules in a source's JSON; names that no rule has any more are left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in saved.items() if name in known})

    def to_keep(self) -> dict[str, Any]:
        """For the source's JSON: only what differs from the defaults."""
        usual = type(self)()
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in asdict(self).items()
            if value != getattr(usual, name)
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """How one file is read: its source's rules, and the cells that a clerk has corrected: line → field → text.

    `for_all`: field → the text that a clerk gave for all rows of this file that have none.
    """

    rules: Rules = field(default_factory=Rules)
    corrections: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    for_all: Mapping[str, str] = field(default_factory=dict)

    def fills(self, name: str) -> bool:
        """Whether a row without this field gets it from the rules or from the clerk."""
        rules = self.rules
        filled = {"subject": rules.subject, "product": rules.product, "due_on": rules.due_days is not None}
        return bool(self.for_all.get(name) or filled.get(name))


USUAL = Reading()
