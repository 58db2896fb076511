"""Figures as staff read them."""

from decimal import Decimal

from django import template

from toolkit.money import NARROW_NBSP, format_euros

register = template.Library()


@register.filter
def euros(amount: Decimal | int) -> str:
    """`37.5` → « 37,50 € »."""
    return format_euros(Decimal(amount))


@register.filter
def number(value: int) -> str:
    """`3000` → « 3 000 »."""
    return f"{value:,}".replace(",", NARROW_NBSP)


@register.filter
def megabytes(size: int) -> str:
    """Bytes → « 150 Mo »; one decimal under ten."""
    mega = Decimal(size) / (1024 * 1024)
    return (f"{mega:.1f}".replace(".", ",") if mega < 10 else f"{mega:.0f}") + "\u00a0Mo"
