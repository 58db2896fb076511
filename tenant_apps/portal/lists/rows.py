"""One row of a list of invoices, with every text ready.

Fifty rows of tags, filters and includes took most of the time of the page; plain Python is faster.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tenant_apps.payments.payability.deciding import Act, Payability
from tenant_apps.payments.payability.words import State, States
from toolkit.clock import in_figures, today
from toolkit.money import format_euros
from toolkit.words import current_language

_NOBODY: Mapping[int, str] = MappingProxyType({})


class ListRow(NamedTuple):
    """Everything that the row shows, as text."""

    uuid: str
    year: int
    issued: str
    due: str
    amount: str
    number: str
    subject: str
    payer: str  # empty for a single payer
    rest: str  # the balance, when a part is paid
    is_paid: bool
    state: State
    act: Act
    tick: bool = False  # has a check box: can be paid with others at once


def rows_of(
    payabilities: Iterable[Payability], *, payers: Mapping[int, str] = _NOBODY, ticks: Collection[int] = ()
) -> list[ListRow]:
    """The rows of `payabilities`, in the same order.

    `payers`: names to show, by payer's id, when there are several. `ticks`: ids of the invoices that get a check box.
    """
    states, language = States(today()), current_language()
    return [
        ListRow(
            uuid=str(facts.uuid),
            year=facts.issued_on.year,
            issued=in_figures(facts.issued_on),
            due=in_figures(facts.due_on),
            amount=format_euros(facts.amount, language),
            number=facts.number,
            subject=facts.subject,
            payer=payers.get(facts.payer_id, ""),
            rest=format_euros(facts.amount - facts.paid, language) if facts.paid and not is_paid else "",
            is_paid=is_paid,
            state=states.of(payability),
            act=payability.act,
            tick=facts.id in ticks,
        )
        for payability, facts, is_paid in ((one, one.facts, one.facts.is_paid) for one in payabilities)
    ]
