"""« Mes factures », the page that residents open most: its readers, in SQL written by hand (decisions 0024, 0051).

`residents.queries.payer_ids_of` decides who may see what; `_mine` takes its SQL. Every value is a bound parameter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from shared_apps.accounts.models import Account
from tenant_apps.invoices.queries import Status
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.payability.facts import COLUMNS, JOINS, PRODUCT, SITUATION, Facts
from tenant_apps.payments.payability.reading import facts_rows
from tenant_apps.payments.payability.words import SOON
from tenant_apps.residents.queries import payer_ids_of

Order = Literal["-issued_on", "issued_on", "due_on", "-due_on", "-amount", "amount", "awaited"]
_ORDERS: dict[Order, str] = {
    "-issued_on": "i.issued_on DESC, i.id DESC",
    "issued_on": "i.issued_on, i.id",
    "due_on": "i.due_on, i.id",
    "-due_on": "i.due_on DESC, i.id DESC",
    "amount": "i.amount, i.id",
    "-amount": "i.amount DESC, i.id DESC",
    "awaited": f"({SITUATION} <> 'due'), i.due_on, i.id",  # first the invoices to pay now, then the others
}
_ACCENTS = ("àâäçéèêëîïôöùûüÿñ", "aaaceeeeiioouuuyn")
AT_ONCE = 1000  # rows of a file in memory at the same time


@dataclass(frozen=True)
class Wanted:
    """The filters of a resident's list; by default everything, newest first. `payer` is a public id."""

    status: Status = "all"
    words: str = ""
    year: int | None = None
    payer: UUID | None = None
    order: Order = "-issued_on"


class Share(NamedTuple):
    """The invoices of one payer, issued in one year, that a resident may see; amounts in euros."""

    year: int
    payer_id: int
    payer: UUID
    payer_title: str
    payer_first: str
    payer_last: str
    payer_reference: str
    number: int
    wanted: int  # the invoices that match the filters
    due: int  # the invoices to pay now
    due_amount: Decimal
    late: int
    soon: int
    apart: list[str] | None  # the Situation of each unpaid invoice whose payer has nothing to do,
    apart_amounts: list[Decimal] | None  # and what remains to pay of each
    documents: int

    @property
    def payer_name(self) -> str:
        """As `Payer.full_name` writes it."""
        names = (self.payer_title, self.payer_first, self.payer_last)
        return " ".join(filter(None, names)) or self.payer_reference


@cache
def _mine() -> str:
    """SQL for the right side of `payer_id =`: the payers whose invoices an account (its only %s) may see.

    It is an array, because the payers are few: PostgreSQL needs more time to plan a join than to read the list.
    """
    sql, parameters = payer_ids_of(Account(pk=1)).query.sql_with_params()
    assert parameters == (1,), "one value: the account"
    return f"ANY(ARRAY({sql}))"


def lines_of_resident(account: Account, wanted: Wanted, *, start: int = 0, size: int) -> list[Facts]:
    """A page of the invoices that `account` may see and that match `wanted`, in its order."""
    sql, values = _lines(account, wanted)
    return facts_rows(f"{sql} LIMIT %s OFFSET %s", [*values, size, start])


def every_line_of_resident(account: Account, wanted: Wanted) -> Iterator[list[Facts]]:
    """All invoices that match, `AT_ONCE` at a time, as they were at one moment."""
    sql, values = _lines(account, wanted)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(AT_ONCE):
            yield [Facts(*row) for row in rows]


def _lines(account: Account, wanted: Wanted) -> tuple[str, list[Any]]:
    where, values = _where(wanted)
    sql = f"""SELECT {COLUMNS} FROM invoices_invoice i {PRODUCT} {JOINS}
        WHERE i.payer_id = {_mine()} AND i.state = %s AND {where}
        ORDER BY {_ORDERS[wanted.order]}"""  # noqa: S608 - only our own constants are in it
    return sql, [account.pk, InvoiceState.PUBLISHED.value, *values]


def shares_of_resident(account: Account, wanted: Wanted, *, today: date) -> list[Share]:
    """Numbers and sums per year and payer, last year first, for what is around the list. One statement."""
    where, values = _where(wanted)
    due, apart = "s.situation = 'due'", "s.situation NOT IN ('due', 'paid')"
    sql = f"""
        SELECT extract(year FROM s.issued_on)::int, p.id, p.uuid, p.title, p.first_name, p.last_name, p.reference,
            count(*), count(*) FILTER (WHERE s.is_wanted), count(*) FILTER (WHERE {due}),
            coalesce(sum(s.rest) FILTER (WHERE {due}), 0.00),
            count(*) FILTER (WHERE {due} AND s.due_on < %s),
            count(*) FILTER (WHERE {due} AND s.due_on BETWEEN %s AND %s),
            array_agg(s.situation) FILTER (WHERE {apart}), array_agg(s.rest) FILTER (WHERE {apart}),
            count(DISTINCT s.document_id)
        FROM (SELECT i.payer_id, i.issued_on, i.due_on, i.document_id, i.amount - i.paid AS rest,
                {SITUATION} AS situation, {where} AS is_wanted
            FROM invoices_invoice i {JOINS} WHERE i.payer_id = {_mine()} AND i.state = %s) s
        JOIN residents_payer p ON p.id = s.payer_id
        GROUP BY 1, p.id ORDER BY 1 DESC, p.reference"""  # noqa: S608
    values = [today, today, today + SOON, *values, account.pk, InvoiceState.PUBLISHED.value]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Share(*row) for row in cursor.fetchall()]


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    """The condition of `wanted` on `invoices_invoice i`: SQL and its values."""
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
    """The condition of a search: each word in the number, reference or subject, or the whole as an amount in euros."""
    each, values = list[str](), list[Any]()
    for word in words.split()[:6]:
        one = "i.number ILIKE %s OR translate(lower(i.subject), %s, %s) LIKE %s"
        values += [_like(word), *_ACCENTS, _like(word.lower().translate(str.maketrans(*_ACCENTS)))]
        # People type references with the punctuation of the printed invoice.
        bare = re.sub(r"[^A-Za-z0-9]", "", word)
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
    """The LIKE pattern that finds `text` anywhere, with its own wildcards escaped."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
