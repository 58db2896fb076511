"""The payability of an invoice in words: a few words for a list, a sentence for a page or a message."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenant_apps.payments.payability.deciding import Payability, What
from toolkit import clock
from toolkit.clock import in_figures
from toolkit.money import format_euros

SOON = timedelta(days=7)  # « bientôt » before the due date


class State(NamedTuple):
    """A state in words, its icon (partials/icons.html) and its CSS class, so that colour is never alone."""

    words: str
    icon: str
    kind: str
    note: str = ""  # in small letters below


_FIXED = {
    What.DRAFT: (gettext_lazy("En préparation"), "clock", "wait"),
    What.CANCELLED: (gettext_lazy("Annulée"), "check", "due"),
    What.EXAMINED: (gettext_lazy("Paiement en cours d'examen"), "clock", "wait"),
    What.ANNOUNCED: (gettext_lazy("Paiement annoncé, à confirmer"), "clock", "wait"),
    What.BEGUN: (gettext_lazy("Votre paiement est commencé"), "clock", "wait"),
    What.PAYING: (gettext_lazy("Votre paiement est en cours"), "clock", "wait"),
    What.OTHER_PAYS: (gettext_lazy("Paiement en cours"), "clock", "wait"),
    What.DISPUTE: (gettext_lazy("Contestation en cours"), "clock", "wait"),
    What.COLLECTION: (gettext_lazy("Transmise au recouvrement"), "late", "wait"),
}


class States:
    """Makes the states of a list on one day. It translates each sentence once per list."""

    def __init__(self, day: date) -> None:
        self.day, self.last = day, day + SOON
        self.late, self.due = _("En retard"), _("À régler")
        self.paid_some_day, self.paid_that_day = _("Réglée"), _("Réglée le %(day)s")

    def of(self, payability: Payability) -> State:
        """The state of one invoice: « Réglée le 12/03/2026 », « En retard », « À régler »…"""
        what, facts = payability.what, payability.facts
        if what == What.PAID:
            return self.paid(facts.paid_on)
        if what.is_awaited:
            return self._awaited(facts.due_on, payability.why.short if payability.why else "")
        if what == What.DECLARED:
            day = timezone.localtime(facts.declared_at).date() if facts.declared_at else self.day
            return State(_("Déclarée réglée le %(day)s") % {"day": in_figures(day)}, "clock", "wait")
        if what == What.DEBIT:
            return State(self._debit(facts.due_on), "clock", "wait")
        words, icon, kind = _FIXED[what]
        return State(str(words), icon, kind)

    def paid(self, day: date | None) -> State:
        words = self.paid_that_day % {"day": in_figures(day)} if day else self.paid_some_day
        return State(words, "check", "paid")

    def _debit(self, due_on: date) -> str:
        sentence = (
            _("Prélevée le %(day)s, à confirmer") if due_on < self.day else _("Sera prélevée le %(day)s")
        )
        return sentence % {"day": in_figures(due_on)}

    def _awaited(self, due_on: date, note: str) -> State:
        if due_on < self.day:
            return State(self.late, "late", "late", note)
        if due_on > self.last:
            return State(self.due, "clock", "due", note)
        days = (due_on - self.day).days
        if days == 0:
            return State(_("À régler aujourd'hui"), "soon", "soon", note)
        words = ngettext("À régler dans %(n)s jour", "À régler dans %(n)s jours", days) % {"n": days}
        return State(words, "soon", "soon", note)


def state_of(payability: Payability) -> State:
    """The state of one invoice, in a few words."""
    return States(payability.day).of(payability)


def headline(payability: Payability) -> str:
    """The state with the day in words, for the page of the invoice."""
    what, facts = payability.what, payability.facts
    if what == What.PAID and facts.paid_on:
        return _("Réglée le %(day)s") % {"day": clock.in_words(facts.paid_on)}
    if what == What.LATE:
        return _("En retard : à régler depuis le %(due)s") % {"due": clock.in_words(facts.due_on)}
    if what == What.DUE:
        return _("À régler avant le %(due)s") % {"due": clock.in_words(facts.due_on)}
    return state_of(payability).words


def told_in_mail(payability: Payability) -> str:
    """The end of a line like « Cantine, n° 12 : 37,50 €, » in a message: what the reader must do."""
    what, facts = payability.what, payability.facts
    if not what.is_awaited:
        words = state_of(payability).words
        return words[:1].lower() + words[1:]
    due = _("à régler avant le %(due)s") % {"due": clock.in_words(facts.due_on)}
    short = payability.why.short if payability.why else ""
    return f"{due} ({short})" if short else due


class Apart(NamedTuple):
    """Unpaid invoices whose payer has nothing to do: their number, and words with their sum."""

    number: int
    words: str


_GROUPS = (
    ("created", "started"),
    ("reported",),
    ("review",),
    ("declared",),
    ("debit",),
    ("dispute",),
    ("collection",),
)


def apart(found: Iterable[tuple[str, Decimal]]) -> list[Apart]:
    """« 1 en cours de paiement (37,50 €) », « 2 prélevées (20,00 €) »…

    `found` has the Situation of each invoice, and what remains to pay of it in euros.
    """
    told, known = [], list(found)
    for place, situations in enumerate(_GROUPS):
        rests = [rest for situation, rest in known if situation in situations]
        if rests:
            words = _counted(place, len(rests))
            total = format_euros(sum(rests, Decimal("0.00")))
            told.append(Apart(len(rests), _("%(what)s (%(total)s)") % {"what": words, "total": total}))
    return told


def _counted(place: int, n: int) -> str:
    words = (
        ngettext("%(n)s en cours de paiement", "%(n)s en cours de paiement", n),
        ngettext("%(n)s annoncée payée", "%(n)s annoncées payées", n),
        ngettext("%(n)s en cours d'examen", "%(n)s en cours d'examen", n),
        ngettext("%(n)s déclarée réglée", "%(n)s déclarées réglées", n),
        ngettext("%(n)s prélevée", "%(n)s prélevées", n),
        ngettext("%(n)s contestée", "%(n)s contestées", n),
        ngettext("%(n)s transmise au recouvrement", "%(n)s transmises au recouvrement", n),
    )
    return words[place] % {"n": n}
