"""When the Treasury is asked again (docs/payfip.md §2, suggested clock), and how long an attempt holds its invoice."""

from datetime import datetime, time, timedelta

from toolkit.clock import PARIS

OPENING = timedelta(minutes=15)  # an idOp not opened by then never will be (P4)
ON_THE_WAY = timedelta(seconds=30)  # for a browser to reach the Treasury before the end of that
OPENED = OPENING + timedelta(minutes=5)  # P3: opened, so somebody may be typing a card (decision 0030)
HOLD = timedelta(minutes=120)  # P5 is believed dead after that (the two hours of docs/manual.md, M11)
LOST_CALL = timedelta(minutes=2)  # a request whose answer we never got: nobody holds its idOp
ABANDON_AGAIN = timedelta(minutes=2)  # A is believed when it is said twice
AFTER_FAILURE = timedelta(minutes=30)  # the guide's spacing when the Treasury itself is in trouble
_FIRST = [timedelta(minutes=minutes) for minutes in (1, 3, 5, 10, 15, 20)]
_EVERY = timedelta(minutes=10)
_UNTIL = timedelta(minutes=150)
_WEEK = timedelta(days=7)
_MORNING = time(7, 30)


def next_check(started_at: datetime, now: datetime) -> datetime | None:
    """The next time to ask about an attempt begun at `started_at`; None once a week has gone by."""
    age = now - started_at
    for step in _FIRST:
        if age < step:
            return started_at + step
    if age < _UNTIL:
        return now + _EVERY
    if age >= _WEEK:
        return None
    return next_morning(now)


def purged_from(started_at: datetime) -> datetime:
    """When the night that follows `started_at` is over for certain: 07:30 of the next day in Paris.

    An idOp of 07:20 has not been through a night at 07:30, and one of two in the morning may have missed the purge.
    """
    day = started_at.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(day, _MORNING, PARIS)


def next_morning(now: datetime) -> datetime:
    """07:30 in Paris, after the Treasury's nightly work; never in the hour that summer time adds or removes."""
    local = now.astimezone(PARIS)
    day = local.date() if local.time() < _MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, _MORNING, PARIS)
