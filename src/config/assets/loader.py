"""Templates read once a language: their fixed sentences are plain text by the time Django parses them."""

import re

from django.template.base import Origin
from django.template.loaders import cached
from django.utils.translation import get_language, gettext

_FIXED = re.compile(r"""\{%\s+trans(?:late)?\s+(?:"([^"\\%{}|]*)"|'([^'\\%{}|]*)')\s+%\}""")


class Loader(cached.Loader):
    """`{% trans "…" %}` of a literal costs nothing when the page is written; every other form goes its usual way."""

    def get_contents(self, origin: Origin) -> str:
        """The source with its fixed sentences in the language of the moment."""
        return _FIXED.sub(_said, str(super().get_contents(origin)))

    def cache_key(self, template_name: str, skip: list[Origin] | None = None) -> str:
        """One entry a language: whoever writes in two (a page and a message) asks for each."""
        return f"{get_language()}-{super().cache_key(template_name, skip)}"


def _said(match: re.Match[str]) -> str:
    sentence = match[1] or match[2]
    words = gettext(sentence) if sentence else ""
    return words if words and "{" not in words and "%" not in words else match[0]
