"""Read the payability of invoices, for other rooms. The caller checks who may see the invoices."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.payability.deciding import Payability, decide
from tenant_apps.payments.payability.facts import AWAITED, COLUMNS, JOINS, PRODUCT, Facts
from tenants.current import current_town
from tenants.life import town_closure
from toolkit import clock

_BY_IDS = f"SELECT {COLUMNS} FROM invoices_invoice i {PRODUCT} {JOINS} WHERE i.id = ANY(%s)"  # noqa: S608


def facts_of(ids: Collection[int]) -> dict[int, Facts]:
    """The facts of each invoice by its id, read by one statement; no statement without ids."""
    if not ids:
        return {}
    return {row.id: row for row in facts_rows(_BY_IDS, [list(ids)])}


def facts_rows(sql: str, values: Sequence[Any]) -> list[Facts]:
    """The rows of an SQL statement that selects `COLUMNS`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Facts(*row) for row in cursor.fetchall()]


def decided(
    facts: Iterable[Facts], *, reader: Account | None = None, alone: bool = True
) -> dict[int, Payability]:
    """The payability today of each invoice by its id, for `reader` (None: staff, a message)."""
    day, last_call, account = (
        clock.today(),
        town_closure.is_last_call(current_town()),
        reader.pk if reader else None,
    )
    return {one.id: decide(one, day=day, reader=account, alone=alone, last_call=last_call) for one in facts}


def payabilities_of(
    invoices: Iterable[Invoice], *, reader: Account | None = None, alone: bool = True
) -> dict[int, Payability]:
    """The payability now of each invoice by its id. One statement reads them all again from the database."""
    facts = facts_of([invoice.pk for invoice in invoices])
    return decided(facts.values(), reader=reader, alone=alone)


def payability_of(invoice: Invoice, *, reader: Account | None = None) -> Payability:
    """The payability now of one invoice, for `reader`."""
    return payabilities_of([invoice], reader=reader)[invoice.pk]


def with_payabilities(invoices: Iterable[Invoice]) -> list[Invoice]:
    """The same invoices, each with an attribute `payability`, for the lists of staff."""
    rows = list(invoices)
    known = payabilities_of(rows)
    for row in rows:
        row.payability = known[row.pk]  # type: ignore[attr-defined]
    return rows


def awaited() -> Q:
    """The filter for invoices that must be paid now."""
    return Q(pk__in=RawSQL(AWAITED, []))  # noqa: S611 - it contains no value from outside


def total(payabilities: Iterable[Payability]) -> Decimal:
    """The sum of what remains to pay, in euros."""
    return sum((one.balance for one in payabilities), Decimal("0.00"))
