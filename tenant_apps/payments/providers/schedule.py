"""When we ask a provider again, and how long an attempt reserves its invoice."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from toolkit.clock import PARIS

MORNING = time(7, 30)


@dataclass(frozen=True)
class Schedule:
    """The times of a provider. Every field has a default, which a provider may change."""

    opening: timedelta = timedelta(minutes=15)  # how long a payment page can be opened
    on_the_way: timedelta = timedelta(seconds=30)  # the time that a browser needs to reach the page
    # An attempt whose page was opened (USED) expires this long after it started.
    opened: timedelta = timedelta(minutes=20)
    # An attempt without a result expires after this time (the two hours of docs/manual.md, M11).
    reserved_for: timedelta = timedelta(minutes=120)
    # An attempt whose call got no answer expires after this time: nobody got its operation.
    lost_call: timedelta = timedelta(minutes=2)
    abandon_again: timedelta = timedelta(
        minutes=2
    )  # « abandoned » counts if the provider says it again after this
    after_failure: timedelta = timedelta(minutes=30)  # the longest wait after a failed call
    first: tuple[timedelta, ...] = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 5, 10, 15, 20))
    every: timedelta = timedelta(minutes=10)  # after the times of `first`
    often_until: timedelta = timedelta(minutes=150)  # after this age, every morning
    last: timedelta = timedelta(days=7)
    forgets_overnight: bool = False  # at night the provider deletes operations that nobody opened

    def next_check(self, started_at: datetime, now: datetime) -> datetime | None:
        """The next time to ask about an attempt started at `started_at`; None when it is older than `last`."""
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
        """Whether an operation that the provider does not know was deleted at night, and does not just come late."""
        return self.forgets_overnight and now >= purged_from(started_at)

    def opening_ends(self, started_at: datetime) -> datetime:
        """The last time when we send a payer to the page, a little before the provider refuses it."""
        return started_at + self.opening - self.on_the_way


def purged_from(started_at: datetime) -> datetime:
    """When the provider has certainly deleted an unopened operation of `started_at`: 07:30 of the next day in Paris.

    At 07:30 of the same day it is too early: an operation of 07:20 has seen no night, and one of 02:00 may have
    come after the deletion.
    """
    day = started_at.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(day, MORNING, PARIS)


def next_morning(now: datetime) -> datetime:
    """The next 07:30 in Paris. It comes after the nightly work and is never in an hour that summer time changes."""
    local = now.astimezone(PARIS)
    day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, PARIS)
