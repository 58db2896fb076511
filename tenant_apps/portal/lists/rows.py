"""One line of a list of invoices, ready to be written: the template only writes it down.

Fifty lines of tags, filters and includes were most of the time of the page; this is the same in plain Python.
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
    """Everything that stands on the line, as text."""

    uuid: str
    year: int
    issued: str
    due: str
    amount: str
    number: str
    subject: str
    payer: str  # empty unless several payers must be told apart
    rest: str  # what remains to pay when a part is paid
    is_paid: bool
    state: State
    act: Act
    tick: bool = False  # may be paid at once with others


def rows_of(
    payabilities: Iterable[Payability], *, payers: Mapping[int, str] = _NOBODY, ticks: Collection[int] = ()
) -> list[ListRow]:
    """The rows of `payabilities`, in their order.

    `payers`: names, by their ids, of those that must be told apart; `ticks`: the ids that get a box to tick.
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
