"""Amounts and dates in the reader's language.

`{{ invoice.amount|euros }}` → « 37,50 € »; `{{ invoice.due_on|in_words }}` → « 30 octobre 2026 ».
"""

from decimal import Decimal

from django import template

from toolkit import clock
from toolkit.money import format_euros
from toolkit.words import french, told

register = template.Library()
register.filter("euros", lambda amount: format_euros(Decimal(amount)))
register.filter("in_words", clock.in_words)
register.filter("told", told)
register.filter("french", french)
