"""Time: UTC in the code, Europe/Paris on screens and with the Treasury."""

from calendar import monthrange
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today's date in Paris."""
    return datetime.now(PARIS).date()


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and hour that many months later (negative: earlier), or the last day of a shorter month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def in_figures(day: date) -> str:
    """« 01/10/2026 », in both languages. Five times as fast as strftime, for lists."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def in_words(day: date | None) -> str:
    """« 1er octobre 2026 », “1 October 2026”: the first of a month is an ordinal in French.

    For an aware moment, its day in Paris. An empty string for None, for templates.
    """
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = day.astimezone(PARIS)
    words = date_format(day, "j F Y")
    return words.replace("1 ", "1er ", 1) if day.day == 1 and get_language() == "fr" else words
