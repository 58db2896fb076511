"""« Mes factures »: the readers of the page that is asked for most, in SQL written by hand (decision 0024).

Who may see what is not written here: `_mine` is the SQL of `residents.queries.payer_ids_of`. Every value is bound.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import connection

from shared_apps.accounts.models import Account
from tenant_apps.invoices.queries import Status
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.residents.queries import payer_ids_of

Order = Literal["-issued_on", "issued_on", "due_on", "-due_on", "-amount", "amount"]
SOON = timedelta(days=7)  # « bientôt » before the due date
_ORDERS: dict[Order, str] = {
    "-issued_on": "i.issued_on DESC, i.id DESC",
    "issued_on": "i.issued_on, i.id",
    "due_on": "i.due_on, i.id",
    "-due_on": "i.due_on DESC, i.id DESC",
    "amount": "i.amount, i.id",
    "-amount": "i.amount DESC, i.id DESC",
}
_ACCENTS = ("àâäçéèêëîïôöùûüÿñ", "aaaceeeeiioouuuyn")


@dataclass(frozen=True)
class Wanted:
    """What a resident wants to see; by default everything, newest first. `payer` is a public id."""

    status: Status = "all"
    words: str = ""
    year: int | None = None
    payer: UUID | None = None
    order: Order = "-issued_on"


class Line(NamedTuple):
    """One invoice as a list shows it; amounts in euros."""

    id: int
    uuid: UUID
    payer_id: int
    number: str
    subject: str
    issued_on: date
    due_on: date
    amount: Decimal
    paid: Decimal

    @property
    def balance(self) -> Decimal:
        return self.amount - self.paid

    @property
    def is_paid(self) -> bool:
        return self.paid >= self.amount


class Share(NamedTuple):
    """The invoices of one year (of issue) and one payer that a resident may see; amounts in euros."""

    year: int
    payer_id: int
    payer: UUID
    payer_title: str
    payer_first: str
    payer_last: str
    payer_reference: str
    number: int
    wanted: int  # those that the filters keep
    unpaid: int
    unpaid_amount: Decimal
    late: int
    soon: int
    documents: int

    @property
    def payer_name(self) -> str:
        """As `Payer.full_name` writes it."""
        names = (self.payer_title, self.payer_first, self.payer_last)
        return " ".join(filter(None, names)) or self.payer_reference


@cache
def _mine() -> str:
    """What equals the id of each payer whose invoices an account (the one %s) may see, as SQL.

    An array, because they are few: a join takes longer to plan than the whole list to read.
    """
    sql, parameters = payer_ids_of(Account(pk=1)).query.sql_with_params()
    assert parameters == (1,), "one value: the account"
    return f"ANY(ARRAY({sql}))"


def lines_of_resident(account: Account, wanted: Wanted, *, start: int = 0, size: int) -> list[Line]:
    """A page of the invoices that `account` may see and `wanted` keeps, in its order."""
    where, values = _where(wanted)
    sql = f"""
        SELECT i.id, i.uuid, i.payer_id, i.number, i.subject, i.issued_on, i.due_on, i.amount, i.paid
        FROM invoices_invoice i
        WHERE i.payer_id = {_mine()} AND i.state = %s AND {where}
        ORDER BY {_ORDERS[wanted.order]} LIMIT %s OFFSET %s"""  # noqa: S608 - only our own words are written in
    return [
        Line(*row) for row in _rows(sql, [account.pk, InvoiceState.PUBLISHED.value, *values, size, start])
    ]


def shares_of_resident(account: Account, wanted: Wanted, *, today: date) -> list[Share]:
    """How many and how much, by year and payer, latest year first: what stands around the list, in one statement."""
    where, values = _where(wanted)
    sql = f"""
        SELECT extract(year FROM i.issued_on)::int, p.id, p.uuid, p.title, p.first_name, p.last_name, p.reference,
            count(*), count(*) FILTER (WHERE {where}), count(*) FILTER (WHERE i.paid < i.amount),
            coalesce(sum(i.amount - i.paid) FILTER (WHERE i.paid < i.amount), 0.00),
            count(*) FILTER (WHERE i.paid < i.amount AND i.due_on < %s),
            count(*) FILTER (WHERE i.paid < i.amount AND i.due_on BETWEEN %s AND %s),
            count(DISTINCT i.document_id)
        FROM invoices_invoice i JOIN residents_payer p ON p.id = i.payer_id
        WHERE i.payer_id = {_mine()} AND i.state = %s
        GROUP BY 1, p.id ORDER BY 1 DESC, p.reference"""  # noqa: S608
    values = [*values, today, today, today + SOON, account.pk, InvoiceState.PUBLISHED.value]
    return [Share(*row) for row in _rows(sql, values)]


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    """What `wanted` keeps of `invoices_invoice i`: SQL and its values."""
    parts, values = ["true"], list[Any]()
    if wanted.status != "all":
        parts.append("i.paid < i.amount" if wanted.status == "unpaid" else "i.paid >= i.amount")
    if wanted.year is not None:
        parts.append("extract(year FROM i.issued_on) = %s")
        values.append(wanted.year)
    if wanted.payer is not None:
        parts.append("i.payer_id = (SELECT id FROM residents_payer WHERE uuid = %s)")
        values.append(wanted.payer)
    if wanted.words.split():
        found, more = _found(wanted.words)
        parts.append(f"({found})")
        values += more
    return " AND ".join(parts), values


def _found(words: str) -> tuple[str, list[Any]]:
    """Every word in the number, the reference or the subject; or the whole as an amount in euros."""
    each, values = list[str](), list[Any]()
    for word in words.split()[:6]:
        one = "i.number ILIKE %s OR translate(lower(i.subject), %s, %s) LIKE %s"
        values += [_like(word), *_ACCENTS, _like(word.lower().translate(str.maketrans(*_ACCENTS)))]
        bare = re.sub(r"[^A-Za-z0-9]", "", word)  # references are typed with the punctuation of the paper
        if len(bare) >= 3:
            one += " OR i.reference ILIKE %s"
            values.append(_like(bare))
        each.append(f"({one})")
    found = " AND ".join(each)
    typed = re.sub(r"[\s\u00a0\u202f€]", "", words)
    if match := re.fullmatch(r"(\d{1,8})(?:[.,](\d{1,2}))?", typed):
        euros = Decimal(match[1]) + Decimal((match[2] or "0").ljust(2, "0")) / 100
        found += " OR i.amount BETWEEN %s AND %s"  # « 64 » finds 64,20
        values += [euros, euros if match[2] else euros + Decimal("0.99")]
    return found, values


def _like(text: str) -> str:
    """`text` anywhere, its own wildcards taken as letters."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
