"""The town's published invoices in one look."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from tenant_apps.payments.payability.facts import JOINS, SITUATION


class Figures(NamedTuple):
    """Amounts in euros. `unpaid` are to be paid now; `apart` are unpaid and await nothing of their payer."""

    published: int
    unpaid: int
    unpaid_amount: Decimal
    late: int
    late_amount: Decimal
    apart: int
    apart_amount: Decimal


def figures(*, today: date) -> Figures:
    """What is online and what remains to pay on `today`, in one statement."""
    due, late, apart = (
        f"FILTER (WHERE s.situation {which})"
        for which in ("= 'due'", "= 'due' AND s.due_on < %(today)s", "NOT IN ('due', 'paid')")
    )
    sql = f"""SELECT count(*), count(*) {due}, coalesce(sum(s.rest) {due}, 0.00), count(*) {late},
            coalesce(sum(s.rest) {late}, 0.00), count(*) {apart}, coalesce(sum(s.rest) {apart}, 0.00)
        FROM (SELECT i.due_on, i.amount - i.paid AS rest, {SITUATION} AS situation
            FROM invoices_invoice i {JOINS} WHERE i.state = 'published') s"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, {"today": today})
        return Figures(*cursor.fetchone())
