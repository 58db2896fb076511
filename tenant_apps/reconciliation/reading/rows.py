"""What a line says, once read."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Row:
    """One line of money. `amount` in euros, above zero; `outgoing` when it left the account."""

    number: int
    booked_on: date
    amount: Decimal
    idop: str = ""
    reference: str = ""
    authorization: str = ""
    numcli: str = ""
    means: str = ""
    payer_name: str = ""
    label: str = ""
    bank_reference: str = ""
    outgoing: bool = False
    no_money: bool = False  # an attempt that was refused or abandoned, which some journals list too
    doubt: str = ""  # why a person should look, in words
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """A line that cannot be read: its column and why, in one sentence."""

    number: int
    message: str
    raw: Mapping[str, str] = field(default_factory=dict)


class Checksums:
    """The checksum of each line of one file, in its order.

    Two lines that say the very same are two (the second one is "… 2"); the same two in another file are the same.
    """

    def __init__(self, kind: str) -> None:
        self._kind, self._seen = kind, Counter[str]()

    def of(self, row: Row | BadRow) -> str:
        if isinstance(row, BadRow):
            parts = ["bad", *(f"{title}={cell}" for title, cell in sorted(row.raw.items()))]
        elif row.idop:
            parts = ["idop", row.idop, f"{row.amount}", *(["outgoing"] if row.outgoing else [])]
        else:
            parts = [
                *(row.booked_on.isoformat(), f"{row.amount}", str(row.outgoing), row.numcli, row.reference),
                *(row.authorization, row.bank_reference, row.label.casefold(), row.payer_name.casefold()),
            ]
        base = "\x1f".join([self._kind, *parts])
        self._seen[base] += 1
        return hashlib.sha256(f"{base}\x1f{self._seen[base]}".encode()).hexdigest()
