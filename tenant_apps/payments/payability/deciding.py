"""What an invoice is, what may be done with it now, and why it cannot be paid online: decided from its facts alone."""

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
    """What an invoice is, to one reader."""

    DRAFT = "draft"
    CANCELLED = "cancelled"
    PAID = "paid"
    EXAMINED = "examined"  # an answer of the provider's is held for staff
    ANNOUNCED = "announced"  # by a return that proves nothing
    BEGUN = "begun"  # by this reader, whose page at the provider is not opened yet
    PAYING = "paying"  # by this reader
    OTHER_PAYS = "other_pays"
    DECLARED = "declared"  # « J'ai réglé »
    DEBIT = "debit"
    DISPUTE = "dispute"
    COLLECTION = "collection"
    LATE = "late"
    DUE = "due"

    @property
    def is_awaited(self) -> bool:
        """Something is to be paid now: only these are counted, reminded and offered."""
        return self in (What.LATE, What.DUE)


class Act(StrEnum):
    """What the reader can do now about its payment."""

    PAY = "pay"
    RESUME = "resume"
    FOLLOW = "follow"  # see what becomes of a payment
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
    """What `facts` come to, on `day`, for one reader."""

    facts: Facts
    day: date
    what: What
    act: Act
    why: Reason | None  # why no payment may begin now

    @property
    def can(self) -> bool:
        """A payment may begin now."""
        return self.why is None

    @property
    def offers(self) -> bool:
        """« Régler » is offered: it may begin, and nobody has paid, announced or declared it."""
        return self.act == Act.PAY

    @property
    def code(self) -> str:
        return self.why.code if self.why else ""

    @property
    def reason(self) -> str:
        """A sentence for the resident; empty when nothing stands in the way."""
        return self.why.sentence if self.why else ""

    @property
    def words(self) -> Words | None:
        """Of the reason."""
        return self.why.words if self.why else None

    @property
    def balance(self) -> Decimal:
        return self.facts.balance

    @property
    def may_declare(self) -> bool:
        """« J'ai réglé » (docs/manual.md, M10): where the service offers it, and nothing says so already."""
        if not self.facts.offers_declaration or self.facts.situation == Situation.DECLARED:
            return False
        return self.what not in (What.DRAFT, What.CANCELLED, What.PAID, What.ANNOUNCED, What.EXAMINED)

    @property
    def is_over(self) -> bool:
        """Nothing more is to be paid, by anybody."""
        return self.what in (What.PAID, What.CANCELLED)

    @property
    def is_mine(self) -> bool:
        """The reader began the payment under way."""
        return self.what in (What.BEGUN, What.PAYING)

    @property
    def free_at(self) -> str:
        """« 14:32 »: when another payment may begin; see `free_from`."""
        return free_from(self.facts.free_at)

    @property
    def resumable_until(self) -> str:
        """« 14:32 »: until when the reader's own payment page may be opened."""
        end = opening_ends(self.facts.started_at, self.facts.attempt_provider)
        return f"{timezone.localtime(end):%H:%M}" if end else ""


def decide(
    facts: Facts, *, day: date, reader: int | None = None, alone: bool = True, last_call: bool = False
) -> Payability:
    """The payability of an invoice for the account `reader` (nobody: staff, a message).

    With others in one payment (`alone` false) the provider's limits are those of the sum, which the caller looks at.
    `last_call`: the town is about to close.
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
    """The first reason in the order of `WhyNot`."""
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
    """The first day of online payment: for a titre, the Treasury must have taken it in charge."""
    return facts.issued_on + timedelta(days=facts.days_after_issue)


def last_day(facts: Facts) -> date | None:
    """The last day of online payment, or None when there is none."""
    days = facts.days_after_due
    return facts.due_on + timedelta(days=days) if days is not None else None


def beyond_limits(protocol: str, amount: Decimal) -> Reason | None:
    """Why the provider does not take `amount` euros in one payment; None when it does."""
    found = provider(protocol)
    limits = found.capabilities.limits
    if amount < limits.smallest:
        return Reason(WhyNot.TOO_SMALL, said=found.labels.too_small)
    return because(WhyNot.TOO_LARGE) if amount > limits.largest else None


def can_resume(facts: Facts) -> bool:
    """The page of the live attempt can still be opened (once, and not for long) and is not known to be."""
    if facts.situation != Situation.STARTED or not facts.has_page or facts.was_opened:
        return False
    end = opening_ends(facts.started_at, facts.attempt_provider)
    return end is not None and timezone.now() < end


def opening_ends(started_at: datetime | None, name: str | None) -> datetime | None:
    """When nobody is sent any more to the page that provider `name` opened at `started_at`."""
    return provider(name).schedule.opening_ends(started_at) if started_at and name else None


def waits_for_a_word(code: WhyNot, name: str) -> Reason:
    """Why an attempt at provider `name` that waits for somebody's word stands in the way."""
    return Reason(code, said=labels_of(name).announced) if code == WhyNot.ANNOUNCED else because(code)


def busy_until(free_at: datetime | None, name: str) -> Reason:
    """Why nobody else can pay now, and until when, to the minute (docs/manual.md, M11)."""
    time = free_from(free_at)
    if not time:
        return Reason(WhyNot.BUSY, said=labels_of(name).under_way)
    return because(WhyNot.BUSY, time=time)


def free_from(free_at: datetime | None) -> str:
    """« 14:32 », rounded up: at the minute that is shown, another attempt may begin.

    Empty once it is past: the provider is silent, and nothing is freed before it has said what became of it.
    """
    if free_at is None or free_at <= timezone.now():
        return ""
    return f"{timezone.localtime(free_at + timedelta(seconds=59)):%H:%M}"
