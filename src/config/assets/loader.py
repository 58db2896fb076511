"""Load templates once per language: fixed sentences are translated before Django parses them."""

import re

from django.template.base import Origin
from django.template.loaders import cached
from django.utils.translation import get_language, gettext

_FIXED = re.compile(r"""\{%\s+trans(?:late)?\s+(?:"([^"\\%{}|]*)"|'([^'\\%{}|]*)')\s+%\}""")


class Loader(cached.Loader):
    """Translates `{% trans "…" %}` of a literal at load time; every other form works as usual."""

    def get_contents(self, origin: Origin) -> str:
        """The source with its fixed sentences in the current language."""
        return _FIXED.sub(_said, str(super().get_contents(origin)))

    def cache_key(self, template_name: str, skip: list[Origin] | None = None) -> str:
        """One cache entry per language."""
        return f"{get_language()}-{super().cache_key(template_name, skip)}"


def _said(match: re.Match[str]) -> str:
    sentence = match[1] or match[2]
    words = gettext(sentence) if sentence else ""
    return words if words and "{" not in words and "%" not in words else match[0]
