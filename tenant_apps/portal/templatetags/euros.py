"""`{{ invoice.amount|euros }}` → « 37,50 € »."""

from decimal import Decimal

from django import template

from toolkit.money import format_euros

register = template.Library()
register.filter("euros", lambda amount: format_euros(Decimal(amount)))
