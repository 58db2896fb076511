"""When a provider is asked again, and how long an attempt holds its invoice."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from toolkit.clock import PARIS

MORNING = time(7, 30)


@dataclass(frozen=True)
class Schedule:
    """The clock of a provider; every field has a default that a provider may change."""

    opening: timedelta = timedelta(minutes=15)  # how long a payment page may be opened
    on_the_way: timedelta = timedelta(seconds=30)  # for a browser to reach the page before the end of that
    # A page opened so long ago, and still « used »: nobody is typing.
    opened: timedelta = timedelta(minutes=20)
    # Without an answer, the attempt is over after that (the two hours of docs/manual.md, M11).
    reserved_for: timedelta = timedelta(minutes=120)
    # A request whose answer we never got: nobody holds its operation.
    lost_call: timedelta = timedelta(minutes=2)
    abandon_again: timedelta = timedelta(minutes=2)  # « abandoned » is believed when it is said twice
    after_failure: timedelta = timedelta(minutes=30)  # the spacing when the provider itself is in trouble
    first: tuple[timedelta, ...] = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 5, 10, 15, 20))
    every: timedelta = timedelta(minutes=10)  # after the first ones
    often_until: timedelta = timedelta(minutes=150)  # then every morning
    last: timedelta = timedelta(days=7)
    forgets_overnight: bool = False  # an operation that nobody opened is purged in the night

    def next_check(self, started_at: datetime, now: datetime) -> datetime | None:
        """The next time to ask about an attempt begun at `started_at`; None once `last` has gone by."""
        age = now - started_at
        for step in self.first:
            if age < step:
                return started_at + step
        if age < self.often_until:
            return now + self.every
        if age >= self.last:
            return None
        return next_morning(now)

    def is_purged(self, started_at: datetime, now: datetime) -> bool:
        """Whether an operation that the provider does not know any more was purged, and not only late."""
        return self.forgets_overnight and now >= purged_from(started_at)

    def opening_ends(self, started_at: datetime) -> datetime:
        """When nobody is sent to the page any more: a little before the provider's own end."""
        return started_at + self.opening - self.on_the_way


def purged_from(started_at: datetime) -> datetime:
    """When the night that follows `started_at` is over for certain: 07:30 of the next day in Paris.

    An operation of 07:20 has not been through a night at 07:30, and one of two in the morning may have missed the
    purge.
    """
    day = started_at.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(day, MORNING, PARIS)


def next_morning(now: datetime) -> datetime:
    """07:30 in Paris, after the nightly work; never in the hour that summer time adds or removes."""
    local = now.astimezone(PARIS)
    day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, PARIS)
