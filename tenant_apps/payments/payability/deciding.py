"""Decide the payability of an invoice from its facts, without reading the database."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from django.utils import timezone

from tenant_apps.payments.payability.facts import Facts, Situation
from tenant_apps.payments.payability.reasons import Reason, WhyNot, Words, because
from tenant_apps.payments.providers.registry import labels_of, provider
from tenant_apps.products import protocols, references
from tenant_apps.products.models import Mode, ProductKind
from toolkit import clock


class What(StrEnum):
    """What an invoice is to one reader."""

    DRAFT = "draft"
    CANCELLED = "cancelled"
    PAID = "paid"
    EXAMINED = "examined"  # staff must decide about an answer of the provider
    ANNOUNCED = "announced"  # an unsigned report says that it is paid
    BEGUN = "begun"  # this reader started a payment whose page is not opened yet
    PAYING = "paying"  # this reader is paying
    OTHER_PAYS = "other_pays"
    DECLARED = "declared"  # « J'ai réglé »
    DEBIT = "debit"
    DISPUTE = "dispute"
    COLLECTION = "collection"
    LATE = "late"
    DUE = "due"

    @property
    def is_awaited(self) -> bool:
        """Whether it must be paid now. Only these invoices are counted, reminded and offered for payment."""
        return self in (What.LATE, What.DUE)


class Act(StrEnum):
    """What the reader can do now."""

    PAY = "pay"
    RESUME = "resume"
    FOLLOW = "follow"  # see the state of a payment
    NOTHING = "nothing"


_ATTEMPT = {
    Situation.REPORTED: (What.ANNOUNCED, WhyNot.ANNOUNCED),
    Situation.REVIEW: (What.EXAMINED, WhyNot.EXAMINED),
}
_UNDER_WAY = (Situation.CREATED, Situation.STARTED)
_ENDS = {
    Situation.DRAFT: WhyNot.DRAFT,
    Situation.CANCELLED: WhyNot.CANCELLED,
    Situation.PAID: WhyNot.PAID,
}
_SAME = {
    *(Situation.DRAFT, Situation.CANCELLED, Situation.PAID, Situation.DECLARED),
    *(Situation.DEBIT, Situation.DISPUTE, Situation.COLLECTION),
}


class Payability(NamedTuple):
    """What an invoice is on `day` for one reader, decided from its `facts`."""

    facts: Facts
    day: date
    what: What
    act: Act
    why: Reason | None  # why no payment can start now; None when one can

    @property
    def can(self) -> bool:
        """Whether a payment can start now."""
        return self.why is None

    @property
    def offers(self) -> bool:
        """Whether to show « Régler »: a payment can start, and nobody has paid, announced or declared one."""
        return self.act == Act.PAY

    @property
    def code(self) -> str:
        return self.why.code if self.why else ""

    @property
    def reason(self) -> str:
        """The sentence for the resident that says why no payment can start; empty when one can."""
        return self.why.sentence if self.why else ""

    @property
    def words(self) -> Words | None:
        """The words of the reason; None without one."""
        return self.why.words if self.why else None

    @property
    def balance(self) -> Decimal:
        return self.facts.balance

    @property
    def may_declare(self) -> bool:
        """Whether to offer « J'ai réglé » (docs/manual.md, M10): the product has it and nobody announced a payment."""
        if not self.facts.offers_declaration or self.facts.situation == Situation.DECLARED:
            return False
        return self.what not in (What.DRAFT, What.CANCELLED, What.PAID, What.ANNOUNCED, What.EXAMINED)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is owed."""
        return self.what in (What.PAID, What.CANCELLED)

    @property
    def is_mine(self) -> bool:
        """Whether the reader started the live payment."""
        return self.what in (What.BEGUN, What.PAYING)

    @property
    def free_at(self) -> str:
        """« 14:32 »: when another payment can start; see `free_from`."""
        return free_from(self.facts.free_at)

    @property
    def resumable_until(self) -> str:
        """« 14:32 »: until when the reader can open their own payment page."""
        end = opening_ends(self.facts.started_at, self.facts.attempt_provider)
        return f"{timezone.localtime(end):%H:%M}" if end else ""


def decide(
    facts: Facts, *, day: date, reader: int | None = None, alone: bool = True, last_call: bool = False
) -> Payability:
    """The payability of an invoice for the account with id `reader`; None for staff and messages.

    `alone` false: the invoice is paid with others, and the caller compares the sum with the provider's limits.
    `last_call`: the town closes soon, so no payment can start.
    """
    why = _why_not(facts, day, alone=alone, last_call=last_call)
    what = _what(facts, day, reader)
    return Payability(facts, day, what, _act(what, why), why)


def _what(facts: Facts, day: date, reader: int | None) -> What:
    situation = Situation(facts.situation)
    if situation == Situation.DUE:
        return What.LATE if facts.due_on < day else What.DUE
    if situation in _SAME:
        return What(situation.value)
    if situation in _ATTEMPT:
        return _ATTEMPT[situation][0]
    if reader is None or facts.attempt_account != reader:
        return What.OTHER_PAYS
    return What.BEGUN if can_resume(facts) else What.PAYING


def _act(what: What, why: Reason | None) -> Act:
    if what.is_awaited:
        return Act.PAY if why is None else Act.NOTHING
    if what == What.BEGUN:
        return Act.RESUME
    return Act.FOLLOW if what in (What.PAYING, What.OTHER_PAYS, What.ANNOUNCED) else Act.NOTHING


def _why_not(facts: Facts, day: date, *, alone: bool, last_call: bool) -> Reason | None:
    """The first reason, in the order of `WhyNot`, why no payment can start; None when one can."""
    situation = Situation(facts.situation)
    if situation in _ENDS:
        return because(_ENDS[situation])
    if situation in _ATTEMPT:
        return waits_for_a_word(_ATTEMPT[situation][1], facts.attempt_provider or "")
    if situation in _UNDER_WAY:
        return busy_until(facts.free_at, facts.attempt_provider or "")
    if facts.online_hold:
        return because(WhyNot(facts.online_hold))
    return _not_open(facts) or _beyond(facts, alone) or _not_in_time(facts, day, last_call)


def _not_open(facts: Facts) -> Reason | None:
    if facts.protocol == protocols.NONE:
        return because(WhyNot.OFFLINE)
    if facts.is_ended:
        return because(WhyNot.ENDED)
    if facts.is_closed:
        return because(WhyNot.CLOSED)
    if facts.mode != Mode.PRODUCTION:
        return because(WhyNot.NOT_OPEN)
    if facts.paid and facts.kind != ProductKind.REGIE:
        return because(WhyNot.PARTLY_PAID)
    return None


def _beyond(facts: Facts, alone: bool) -> Reason | None:
    return beyond_limits(facts.protocol, facts.balance) if alone else None


def _not_in_time(facts: Facts, day: date, last_call: bool) -> Reason | None:
    if last_call:
        return because(WhyNot.PORTAL_CLOSES)
    first, last = first_day(facts), last_day(facts)
    if day < first:
        return because(WhyNot.TOO_EARLY, day=clock.in_words(first))
    if last and day > last:
        return because(WhyNot.TOO_LATE, day=clock.in_words(last))
    if references.problem(facts.kind, facts.reference):
        return because(WhyNot.BAD_REFERENCE)
    return None


def first_day(facts: Facts) -> date:
    """The first day of online payment. The Treasury must have registered a titre before."""
    return facts.issued_on + timedelta(days=facts.days_after_issue)


def last_day(facts: Facts) -> date | None:
    """The last day of online payment; None without a limit."""
    days = facts.days_after_due
    return facts.due_on + timedelta(days=days) if days is not None else None


def beyond_limits(protocol: str, amount: Decimal) -> Reason | None:
    """Why the provider refuses `amount` euros in one payment; None when it accepts."""
    found = provider(protocol)
    limits = found.capabilities.limits
    if amount < limits.smallest:
        return Reason(WhyNot.TOO_SMALL, said=found.labels.too_small)
    return because(WhyNot.TOO_LARGE) if amount > limits.largest else None


def can_resume(facts: Facts) -> bool:
    """Whether the payer can still open the payment page of the live attempt, and has not opened it yet."""
    if facts.situation != Situation.STARTED or not facts.has_page or facts.was_opened:
        return False
    end = opening_ends(facts.started_at, facts.attempt_provider)
    return end is not None and timezone.now() < end


def opening_ends(started_at: datetime | None, name: str | None) -> datetime | None:
    """Until when the payer can open a page of provider `name` started at `started_at`; None without one."""
    return provider(name).schedule.opening_ends(started_at) if started_at and name else None


def waits_for_a_word(code: WhyNot, name: str) -> Reason:
    """The reason when an attempt at provider `name` waits for a confirmation (ANNOUNCED) or for staff (EXAMINED)."""
    return Reason(code, said=labels_of(name).announced) if code == WhyNot.ANNOUNCED else because(code)


def busy_until(free_at: datetime | None, name: str) -> Reason:
    """The reason when another payment is live, with the time when it ends at the latest (docs/manual.md, M11)."""
    time = free_from(free_at)
    if not time:
        return Reason(WhyNot.BUSY, said=labels_of(name).under_way)
    return because(WhyNot.BUSY, time=time)


def free_from(free_at: datetime | None) -> str:
    """« 14:32 »: the minute, rounded up, when another attempt can start.

    Empty when that time is past: the provider does not answer, and the attempt stays live until it does.
    """
    if free_at is None or free_at <= timezone.now():
        return ""
    return f"{timezone.localtime(free_at + timedelta(seconds=59)):%H:%M}"
