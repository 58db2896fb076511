"""Time: UTC inside, Europe/Paris on the screen and at the Treasury's door."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The date on the wall of a French town hall."""
    return datetime.now(PARIS).date()


def in_words(day: date) -> str:
    """« 1er octobre 2026 », “1 October 2026”: the first of a month is an ordinal in French."""
    words = date_format(day, "j F Y")
    return words.replace("1 ", "1er ", 1) if day.day == 1 and get_language() == "fr" else words
