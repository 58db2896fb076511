"""Checks in every test that each transaction locks the tables about money in one order (payments.books.locking).

A violation is stored, because code that catches errors would hide an exception; each test checks the list at its end.
Locks that triggers take are not seen, but the rows that they change are locked already.
"""

import re
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created
from django.db.transaction import Atomic

# The step of each table in the order. The first lock on a table of an earlier step is a violation.
STEPS = {
    "accounts_account": 1,
    "invoices_batch": 1,
    "reconciliation_statement": 1,
    "reconciliation_line": 2,
    "invoices_invoice": 3,
    "payments_attempt": 4,
    "payments_payment": 5,
    "payments_allocation": 6,
    "payments_refund": 6,
    "products_product": 7,
    "payments_trial": 7,
    "payments_finding": 8,
    "tenants_agendaitem": 9,
}
MONEY = {"invoices_invoice", "payments_attempt", "payments_payment", "payments_finding", "payments_trial"}
_LOCKING = re.compile(r'FOR (NO KEY )?UPDATE(?: OF ([\w", ]+?))?( SKIP LOCKED| NOWAIT)?$')
_FROM = re.compile(r'FROM (?:public\.)?"?(\w+)"?')
_WRITING = re.compile(r'^(?:UPDATE|DELETE FROM) (?:public\.)?"?(\w+)"?')
violations: list[str] = []


def locked_by(sql: str) -> list[str]:
    """The tables whose rows a statement locks, and what is wrong with the kind of lock, if anything."""
    sql = " ".join(sql.split())
    if match := _WRITING.match(sql):
        return [match[1]]
    if "INSERT INTO public.tenants_agendaitem" in sql:
        return ["tenants_agendaitem"]
    match = _LOCKING.search(sql)
    if match is None:
        return []
    found = re.findall(r"\w+", match[2] or "") or _FROM.findall(sql)[:1]
    for table in set(found) & MONEY:
        if not match[1]:
            violations.append(f"FOR UPDATE of {table} makes foreign keys wait; use no_key: {sql[:200]}")
        one = re.search(r'WHERE "?\w+"?(\."id")? = \S+ ', sql + " ") or "LIMIT 21" in sql
        if not (one or match[3] or "ORDER BY" in sql) and len(found) == 1:
            violations.append(f"rows of {table} locked in no order: {sql[-300:]}")
    return found


def _listen(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    connection = context["connection"]
    locked: list[str] | None = getattr(connection, "locks_taken", None)
    # Statements of the test itself, outside of the transactions of the code, are ignored.
    if locked is not None and any(not block._from_testcase for block in connection.atomic_blocks):
        for table in locked_by(str(sql)):
            step = STEPS.get(table)
            if step is None or table in locked:
                continue
            later = [other for other in locked if STEPS[other] > step]
            if later:
                violations.append(f"{table} locked after {later}: {' '.join(str(sql).split())[:300]}")
            locked.append(table)
    return execute(sql, params, many, context)


def _connected(sender: Any, connection: Any, **_: Any) -> None:
    if _listen not in connection.execute_wrappers:
        connection.execute_wrappers.append(_listen)


def install() -> None:
    """Watch every connection for the whole session. Each outermost transaction starts without locks."""
    connection_created.connect(_connected, dispatch_uid="tests.lock_order")
    entered = Atomic.__enter__

    def enter(self: Any) -> None:
        found = connections["default" if self.using is None else self.using]
        if not self._from_testcase and all(block._from_testcase for block in found.atomic_blocks):
            found.locks_taken = []
        entered(self)

    Atomic.__enter__ = enter  # type: ignore[method-assign]
