"""What a row of a file says, once read."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tenant_apps.reconciliation.reading.words import Said, plain


@dataclass(frozen=True)
class ReadRow:
    """One row of money. `amount` in euros, above zero; `outgoing` when the money left the account."""

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
    account: str = ""  # the account that the row itself names
    bank_reference: str = ""
    key: str = ""  # what names the operation in every file of its kind; empty: all that the row says
    outgoing: bool = False
    returned: bool = False  # money taken back: a rejected debit, an unpaid cheque, a chargeback
    return_reason: str = ""  # given by the bank, in words
    state: str = ""  # the state as the journal writes it
    said: Said = Said.PAID  # what that state means
    doubt: str = ""  # why only a person may decide, in words
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UnreadableRow:
    """A row that cannot be read. `message`: its column and why, in one sentence."""

    number: int
    message: str
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """How a row is recognised in another file: a checksum of what it says, and its rank among equal rows of its file.

    Two equal rows of one file are two operations; the same two in an overlapping file are the same two operations.
    `weak`: it has no operation, authorization or reference, only day, amount and words.
    """

    checksum: str
    rank: int
    weak: bool


class Identities:
    """The identity of each row of one file; call `of` in the order of the file. `account`: for rows that name none."""

    def __init__(self, kind: str, account: str = "") -> None:
        self._kind, self._account = kind, account
        self._seen = Counter[bytes]()

    def of(self, row: ReadRow | UnreadableRow) -> Identity:
        digest = hashlib.sha256("\x1f".join([self._kind, *self._parts(row)]).encode()).digest()
        self._seen[digest[:16]] += 1
        named = not isinstance(row, UnreadableRow) and (
            row.idop or row.key or row.authorization or row.reference or row.bank_reference
        )
        return Identity(digest.hex(), self._seen[digest[:16]], not named)

    def _parts(self, row: ReadRow | UnreadableRow) -> list[str]:
        if isinstance(row, UnreadableRow):
            cells = (f"{title}={cell}" for title, cell in sorted(row.raw.items()))
            return ["bad", account_number(self._account), *cells]
        money = [row.booked_on.isoformat(), f"{row.amount}", str(row.outgoing), plain(row.state)]
        if row.idop:
            return ["idop", row.idop, *money]
        if row.key:
            return ["key", row.key, *money]
        return [
            *(account_number(row.account or self._account), *money, row.numcli, row.reference),
            *(row.authorization, row.bank_reference, row.label.casefold(), row.payer_name.casefold()),
        ]


def account_number(text: str) -> str:
    """An account as it is compared: FR76 1007… and fr761007… are the same."""
    return "".join(sign for sign in plain(text) if sign.isalnum())
