"""One line of a list of invoices, ready to be written: the template only writes it down.

Fifty lines of tags, filters and includes were most of the time of the page; this is the same in plain Python.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.resident_list import SOON, Line
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.queries import days_paid
from toolkit.clock import in_figures
from toolkit.money import format_euros
from toolkit.words import current_language

_NOBODY: Mapping[int, str] = MappingProxyType({})


class State(NamedTuple):
    """A state in words, its icon (partials/icons.html) and its class: never colour alone."""

    words: str
    icon: str
    kind: str


class Row(NamedTuple):
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
    tick: bool = False  # may be paid at once with others


def rows_of(
    lines: Sequence[Line],
    *,
    today: date,
    payers: Mapping[int, str] = _NOBODY,
    ticks: Collection[int] = (),
) -> list[Row]:
    """The rows of `lines`.

    `payers`: names, by their ids, of those that must be told apart; `ticks`: the ids that get a box to tick.
    """
    paid_on = days_paid(line.id for line in lines if line.is_paid)
    states, language = _States(today), current_language()
    return [
        Row(
            uuid=str(line.uuid),
            year=line.issued_on.year,
            issued=in_figures(line.issued_on),
            due=in_figures(line.due_on),
            amount=format_euros(line.amount, language),
            number=line.number,
            subject=line.subject,
            payer=payers.get(line.payer_id, ""),
            rest=format_euros(line.balance, language) if line.paid and not is_paid else "",
            is_paid=is_paid,
            state=states.paid(paid_on.get(line.id)) if is_paid else states.unpaid(line.due_on),
            tick=line.id in ticks,
        )
        for line, is_paid in ((line, line.is_paid) for line in lines)
    ]


def state_of(invoice: Invoice | Line, *, today: date, paid_on: date | None = None) -> State:
    """« Réglée le 12/03/2026 », « En retard », « À régler dans 3 jours », « À régler »."""
    if isinstance(invoice, Invoice) and invoice.state == InvoiceState.CANCELLED:
        return State(_("Annulée"), "check", "due")
    states = _States(today)
    return states.paid(paid_on) if invoice.is_paid else states.unpaid(invoice.due_on)


class _States:
    """The states of a day in the reader's language, each sentence looked up once for a list."""

    def __init__(self, today: date) -> None:
        self.today, self.last = today, today + SOON
        self.late = State(_("En retard"), "late", "late")
        self.due = State(_("À régler"), "clock", "due")
        self.paid_some_day, self.paid_that_day = _("Réglée"), _("Réglée le %(day)s")

    def paid(self, day: date | None) -> State:
        words = self.paid_that_day % {"day": in_figures(day)} if day else self.paid_some_day
        return State(words, "check", "paid")

    def unpaid(self, due_on: date) -> State:
        if due_on < self.today:
            return self.late
        if due_on > self.last:
            return self.due
        days = (due_on - self.today).days
        if days == 0:
            return State(_("À régler aujourd'hui"), "soon", "soon")
        words = ngettext("À régler dans %(n)s jour", "À régler dans %(n)s jours", days) % {"n": days}
        return State(words, "soon", "soon")
