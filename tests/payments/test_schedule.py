"""When we ask the Treasury again (docs/payfip.md §2), with summer time and midnight."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from redis import Redis

from tenant_apps.payments.providers import schedule
from tenant_apps.payments.providers.payfip.client import TREASURY_SCHEDULE
from tenants.models import Town
from tenants.work import agenda
from toolkit.clock import PARIS

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "then"),
    [(0, 1), (1, 3), (2, 3), (4, 5), (9, 10), (12, 15), (15, 20), (20, 30), (35, 45), (149, 159)],
)
def test_minutes(age: int, then: int) -> None:
    found = TREASURY_SCHEDULE.next_check(START, START + timedelta(minutes=age))
    assert found == START + timedelta(minutes=then)


def test_then_every_morning_for_a_week() -> None:
    now, asked = START + timedelta(minutes=151), 0
    while (found := TREASURY_SCHEDULE.next_check(START, now)) is not None:
        assert (found.astimezone(PARIS).hour, found.astimezone(PARIS).minute) == (7, 30)
        assert found > now
        now, asked = found, asked + 1
    assert asked == 8  # the last one is just after a week


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (
            datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
            "2026-03-29T07:30:00+02:00",
        ),  # the night summer time begins
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), "2026-10-25T07:30:00+01:00"),  # and the night it ends
        (datetime(2026, 11, 24, 5, 0, tzinfo=UTC), "2026-11-24T07:30:00+01:00"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "2027-01-01T07:30:00+01:00"),
    ],
)
def test_mornings(now: datetime, morning: str) -> None:
    assert schedule.next_morning(now).isoformat() == morning


@pytest.mark.parametrize(
    ("started", "purged"),
    [
        (
            datetime(2026, 11, 24, 6, 20, tzinfo=UTC),
            "2026-11-25T07:30:00+01:00",
        ),  # ten minutes before the morning
        (datetime(2026, 11, 24, 1, 0, tzinfo=UTC), "2026-11-25T07:30:00+01:00"),  # perhaps after the purge
        (datetime(2026, 11, 24, 22, 30, tzinfo=UTC), "2026-11-25T07:30:00+01:00"),
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), "2026-11-26T07:30:00+01:00"),  # 0:30 in Paris
    ],
)
def test_a_purge_is_a_whole_night_later(started: datetime, purged: str) -> None:
    assert schedule.purged_from(started).isoformat() == purged


def test_the_worker_is_told_once_about_a_hundred_payments(
    town: Town, django_capture_on_commit_callbacks: Any
) -> None:
    """The poller settles many attempts in one run: the broker gets one message for all receipts, at the end."""
    broker = Redis.from_url(settings.CELERY_BROKER_URL)
    before = broker.llen("celery")
    with agenda.gathered():
        for _ in range(5):
            with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
                agenda.wake("notices")
        assert broker.llen("celery") == before
    assert broker.llen("celery") == before + 1
