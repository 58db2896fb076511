"""When the Treasury is asked again (payfip.md §2), summer time and midnight included."""

from datetime import UTC, datetime, timedelta

import pytest

from tenant_apps.payments import schedule
from toolkit.clock import PARIS

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "then"),
    [(0, 1), (1, 3), (2, 3), (4, 5), (9, 10), (12, 15), (15, 20), (20, 30), (35, 45), (149, 159)],
)
def test_minutes(age: int, then: int) -> None:
    found = schedule.next_check(START, START + timedelta(minutes=age))
    assert found == START + timedelta(minutes=then)


def test_then_every_morning_for_a_week() -> None:
    now, asked = START + timedelta(minutes=151), 0
    while (found := schedule.next_check(START, now)) is not None:
        assert (found.astimezone(PARIS).hour, found.astimezone(PARIS).minute) == (7, 30)
        assert found > now
        now, asked = found, asked + 1
    assert asked == 8  # the last one just after the week is over


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (
            datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
            "2026-03-29T07:30:00+02:00",
        ),  # the night summer time begins
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), "2026-10-25T07:30:00+01:00"),  # and the one it ends
        (datetime(2026, 11, 24, 5, 0, tzinfo=UTC), "2026-11-24T07:30:00+01:00"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "2027-01-01T07:30:00+01:00"),
    ],
)
def test_mornings(now: datetime, morning: str) -> None:
    assert schedule.next_morning(now).isoformat() == morning
