"""Euros as Decimal; cents only for the Treasury."""

from decimal import ROUND_HALF_UP, Decimal

from toolkit.words import current_language

CENT = Decimal("0.01")
NBSP = "\u00a0"
NARROW_NBSP = "\u202f"


def euros(value: str | int | Decimal) -> Decimal:
    """`value` as euros with two decimals. Raises ValueError for more decimals instead of rounding."""
    amount = Decimal(value)
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    if rounded != amount:
        raise ValueError(f"{value} has more than two decimals")
    return rounded


def to_cents(amount: Decimal) -> int:
    """Euros → integer cents. Raises ValueError when the amount is not a whole number of cents."""
    return int(euros(amount) * 100)


def from_cents(cents: int) -> Decimal:
    """Integer cents → euros."""
    return (Decimal(cents) / 100).quantize(CENT)


def format_euros(amount: Decimal, language: str = "") -> str:
    """« 1 234,50 € » with non-breaking spaces (docs/look.md), “€1,234.50” in English; whole euros keep their decimals.

    `language`: of the page, if the caller knows it (faster for a list).
    """
    figure, sign = f"{abs(amount):,.2f}", "-" if amount < 0 else ""
    if (language or current_language()) == "en":
        return f"{sign}€{figure}"
    whole, cents = figure.split(".")
    return f"{sign}{whole.replace(',', NARROW_NBSP)},{cents}{NBSP}€"


def format_number(value: int) -> str:
    """« 3 000 », “3,000”."""
    figure = f"{value:,}"
    return figure if current_language() == "en" else figure.replace(",", NARROW_NBSP)
