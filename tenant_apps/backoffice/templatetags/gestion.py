"""Figures as staff read them."""

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from toolkit import clock
from toolkit.money import format_euros, format_number
from toolkit.words import current_language, told

register = template.Library()


@register.filter
def euros(amount: Decimal | int) -> str:
    """`37.5` → « 37,50 € »."""
    return format_euros(Decimal(amount))


@register.filter
def in_words(moment: date | None) -> str:
    """« 1er octobre 2026 »; of a moment, the day in Paris."""
    if moment is None:
        return ""
    return clock.in_words(timezone.localtime(moment).date() if isinstance(moment, datetime) else moment)


register.filter("number", format_number)
register.filter("told", told)


@register.filter
def megabytes(size: int) -> str:
    """Bytes → « 150 Mo », “150 MB”; one decimal under ten."""
    mega = Decimal(size) / (1024 * 1024)
    words = (f"{mega:.1f}" if mega < 10 else f"{mega:.0f}") + "\u00a0Mo"
    return words.replace("Mo", "MB") if current_language() == "en" else words.replace(".", ",")
