"""Time: UTC inside, Europe/Paris on the screen and at the Treasury's door."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The date on the wall of a French town hall."""
    return datetime.now(PARIS).date()
