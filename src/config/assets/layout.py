"""Template filters that undo the formatter's lines where they would show."""

import re

from django import template

register = template.Library()


@register.filter(is_safe=True)
def one_line(text: str) -> str:
    """« Facture 12 – Commune » from its pieces on lines of their own. Spaces that do not break stay."""
    return re.sub(r"[ \t\n]+", " ", text).strip(" ")
