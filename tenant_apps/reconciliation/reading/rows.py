"""What a line says, once read."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tenant_apps.reconciliation.reading.words import Said, plain


@dataclass(frozen=True)
class ReadRow:
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
    account: str = ""  # that the line itself names
    bank_reference: str = ""
    outgoing: bool = False
    returned: bool = False  # money taken back: a rejected debit, an unpaid cheque, a chargeback
    return_reason: str = ""  # the bank's, in words
    state: str = ""  # the journal's own word
    said: Said = Said.PAID  # and what it means
    doubt: str = ""  # why only a person may decide, in words
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UnreadableRow:
    """A line that cannot be read: its column and why, in one sentence."""

    number: int
    message: str
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """What makes a line itself: a checksum of what it says, and its rank among equals of its file.

    Two lines of a file that say the very same are two; the same two in an overlapping file are the same two. `weak`:
    nothing but day, amount and words tells it from another: it has no operation, authorization or reference.
    """

    checksum: str
    rank: int
    weak: bool


class Identities:
    """The identity of each line of one file, in its order. `account` is the file's own, for lines that name none."""

    def __init__(self, kind: str, account: str = "") -> None:
        self._kind, self._account = kind, account
        self._seen = Counter[bytes]()

    def of(self, row: ReadRow | UnreadableRow) -> Identity:
        digest = hashlib.sha256("\x1f".join([self._kind, *self._parts(row)]).encode()).digest()
        self._seen[digest[:16]] += 1
        named = not isinstance(row, UnreadableRow) and (
            row.idop or row.authorization or row.reference or row.bank_reference
        )
        return Identity(digest.hex(), self._seen[digest[:16]], not named)

    def _parts(self, row: ReadRow | UnreadableRow) -> list[str]:
        if isinstance(row, UnreadableRow):
            cells = (f"{title}={cell}" for title, cell in sorted(row.raw.items()))
            return ["bad", account_number(self._account), *cells]
        money = [row.booked_on.isoformat(), f"{row.amount}", str(row.outgoing), plain(row.state)]
        if row.idop:
            return ["idop", row.idop, *money]
        return [
            *(account_number(row.account or self._account), *money, row.numcli, row.reference),
            *(row.authorization, row.bank_reference, row.label.casefold(), row.payer_name.casefold()),
        ]


def account_number(text: str) -> str:
    """An account as it is compared: FR76 1007… and fr761007… are one."""
    return "".join(sign for sign in plain(text) if sign.isalnum())
