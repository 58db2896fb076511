"""The console's words, in templates."""

from datetime import datetime
from decimal import Decimal

from django import template

from shared_apps.console.look import words
from toolkit.money import format_euros

register = template.Library()
register.filter("kind", words.kind)
register.filter("number", words.number)


@register.filter
def operation_tone(state: str) -> str:
    """The colour of an operation's label in a list: what has not ended waits for something."""
    return words.OPERATION_TONES.get(state, "warn")


@register.filter
def outcome_tone(what: str) -> str:
    """The colour of what became of a line of a list."""
    return words.OUTCOME_TONES.get(what, "")


@register.filter
def amount(value: Decimal) -> str:
    """`1 234,50 €`."""
    return format_euros(value)


@register.filter
def age(since: datetime) -> str:
    """How long ago, coloured once it is late."""
    return words.age(since)
