"""Figures as staff read them."""

from decimal import Decimal

from django import template

from tenant_apps.payments.readers import capabilities_of, evidence, labels_of
from tenant_apps.payments.standing.words import state_of
from toolkit import clock
from toolkit.money import format_euros, format_number
from toolkit.words import current_language, told

register = template.Library()


@register.filter
def euros(amount: Decimal | int) -> str:
    """`37.5` → « 37,50 € »."""
    return format_euros(Decimal(amount))


register.filter("in_words", clock.in_words)
register.filter("number", format_number)
register.filter("told", told)
register.filter("evidence", evidence)  # of a finding: names and values
register.filter("taker", labels_of)  # the words of a provider
register.filter("capabilities", capabilities_of)
register.filter("state", state_of)  # of a standing: `{% with state=invoice.standing|state %}`


@register.filter
def megabytes(size: int) -> str:
    """Bytes → « 150 Mo », “150 MB”; one decimal under ten."""
    mega = Decimal(size) / (1024 * 1024)
    words = (f"{mega:.1f}" if mega < 10 else f"{mega:.0f}") + "\u00a0Mo"
    return words.replace("Mo", "MB") if current_language() == "en" else words.replace(".", ",")
