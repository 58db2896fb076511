"""One line of a list of invoices, ready to be written: the template only writes it down.

Fifty lines of tags, filters and includes were most of the time of the page; this is the same in plain Python.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.resident_list import SOON, Line
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.queries import days_paid
from toolkit.money import format_euros


class State(NamedTuple):
    """A state in words, its icon (partials/icons.html) and its class: never colour alone."""

    words: str
    icon: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
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
    payers: Mapping[str, str] | None = None,
    ticks: Collection[int] = (),
) -> list[Row]:
    """The rows of `lines`; `payers` names those that must be told apart, `ticks` the ids that get a box to tick."""
    paid_on = days_paid(line.id for line in lines if line.is_paid)
    return [
        Row(
            uuid=str(line.uuid),
            year=line.issued_on.year,
            issued=line.issued_on.strftime("%d/%m/%Y"),
            due=line.due_on.strftime("%d/%m/%Y"),
            amount=format_euros(line.amount),
            number=line.number,
            subject=line.subject,
            payer=payers.get(str(line.payer), "") if payers else "",
            rest=format_euros(line.balance) if line.paid and not line.is_paid else "",
            is_paid=line.is_paid,
            state=state_of(line, today=today, paid_on=paid_on.get(line.id)),
            tick=line.id in ticks,
        )
        for line in lines
    ]


def state_of(invoice: Invoice | Line, *, today: date, paid_on: date | None = None) -> State:
    """« Réglée le 12/03/2026 », « En retard », « À régler dans 3 jours », « À régler »."""
    if isinstance(invoice, Invoice) and invoice.state == InvoiceState.CANCELLED:
        return State(_("Annulée"), "check", "due")
    if invoice.is_paid:
        words = _("Réglée le %(day)s") % {"day": f"{paid_on:%d/%m/%Y}"} if paid_on else _("Réglée")
        return State(words, "check", "paid")
    if invoice.due_on < today:
        return State(_("En retard"), "late", "late")
    days = (invoice.due_on - today).days
    if days == 0:
        return State(_("À régler aujourd'hui"), "soon", "soon")
    if days <= SOON.days:
        words = ngettext("À régler dans %(n)s jour", "À régler dans %(n)s jours", days) % {"n": days}
        return State(words, "soon", "soon")
    return State(_("À régler"), "clock", "due")
