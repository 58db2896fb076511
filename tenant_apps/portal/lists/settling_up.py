"""« Mes règlements »: invoices to pay, payments under way, payments made; each list has its own pages."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from shared_apps.accounts.models import Account
from tenant_apps.payments.models import Allocation
from tenant_apps.payments.payability.reading import decided
from tenant_apps.payments.payability.resident_list import Wanted, lines_of_resident, shares_of_resident
from tenant_apps.payments.queries import payments_of_resident
from tenant_apps.payments.readers import offered_together
from tenant_apps.portal.lists.listing import A_PAGE, Pages, Sum, distinct_names, sum_of
from tenant_apps.portal.lists.rows import ListRow, rows_of
from tenant_apps.residents.queries import payers_of
from toolkit import clock

UNPAID, PAID = "page", "recus"  # the query string names the page of each of the two lists


@dataclass(frozen=True)
class SettlingUp:
    """What the page shows."""

    number: int  # invoices in any state
    sum: Sum
    due: list[ListRow]
    apart: list[ListRow]
    several: bool  # at least one row has a check box
    unpaid: Pages
    payments: list[Allocation]
    paid: Pages


def settling_up(account: Account, address: QueryDict) -> SettlingUp:
    """The page that the query string `address` asks for, in six statements however long the lists are."""
    shares = shares_of_resident(account, Wanted("unpaid"), today=clock.today())
    unpaid = _pages(address, UNPAID, sum(share.wanted for share in shares))
    lines = lines_of_resident(
        account, Wanted("unpaid", order="awaited"), start=(unpaid.number - 1) * A_PAGE, size=A_PAGE
    )
    payabilities = decided(lines, reader=account)
    ticks = offered_together(decided(lines, reader=account, alone=False).values())
    payers = distinct_names((p.full_name, p.reference, p.pk) for p in payers_of(account))
    due = [one for one in payabilities.values() if one.what.is_awaited]
    rest = [one for one in payabilities.values() if not one.what.is_awaited]
    allocations = payments_of_resident(account)
    paid = _pages(address, PAID, allocations.count())
    start = (paid.number - 1) * A_PAGE
    return SettlingUp(
        number=sum(share.number for share in shares),
        sum=sum_of(shares),
        due=rows_of(due, payers=payers, ticks=ticks),
        apart=rows_of(rest, payers=payers),
        several=bool(ticks),
        unpaid=unpaid,
        payments=list(allocations[start : start + A_PAGE]),
        paid=paid,
    )


def _pages(address: QueryDict, name: str, number: int) -> Pages:
    last = max(1, -(-number // A_PAGE))
    asked = address.get(name, "")
    here = min(int(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 1, last) or 1
    newer = _address(address, name, here - 1) if here > 1 else ""
    return Pages(here, last, newer, _address(address, name, here + 1) if here < last else "")


def _address(address: QueryDict, name: str, page: int) -> str:
    """The address of another page of one list; the other list stays on its page."""
    kept: dict[str, Any] = {one: address[one] for one in (UNPAID, PAID) if one in address}
    return "?" + urlencode(kept | {name: page})
