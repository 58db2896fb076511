"""Templates read once per language: their fixed sentences are plain text, and their indentation is gone."""

import re
from pathlib import Path

from django.template.base import Origin
from django.template.loaders import cached
from django.utils.translation import get_language, gettext

_ROOT = Path(__file__).resolve().parents[3]
_OURS = tuple(str(_ROOT / folder) for folder in ("src", "shared_apps", "tenant_apps"))
_FIXED = re.compile(
    r"""\{%\s+trans(?:late)?\s+(?:"([^"\\%{}|]*)"|'([^'\\%{}|]*)')\s+%\}"""
    r"""|\{%\s+blocktrans(?:late)?\s+trimmed\s+%\}([^{}%]*)\{%\s+endblocktrans(?:late)?\s+%\}"""
)
# A line break with its indentation, except where it counts: in what is written as it stands, and in sentences.
_LAYOUT = re.compile(
    r"(?P<kept><(pre|textarea|script|style)\b.*?</\2>"
    r"|\{%\s*blocktrans(?:late)?\b.*?\{%\s*endblocktrans(?:late)?\s*%\})"
    r"""|(?P<tag><[a-zA-Z](?:\{%.*?%\}|\{\{.*?\}\}|"(?:\{%.*?%\}|[^"])*"|'(?:\{%.*?%\}|[^'])*'|[^>"'])*>)"""
    r"|[ \t]*\n[ \t\n]*",
    re.S,
)
_BREAK = re.compile(r"[ \t]*\n[ \t\n]*")
_SAYS_NOTHING = re.compile(
    r"(\{%\s*(?:load|extends)\b[^%]*%\}|\{%\s*comment\s*%\}.*?\{%\s*endcomment\s*%\})\s+", re.S
)


class Loader(cached.Loader):
    """Translates `{% trans "…" %}` of a literal at load time; every other form works as usual."""

    def get_contents(self, origin: Origin) -> str:
        """The source with its fixed sentences in the current language."""
        source = str(super().get_contents(origin))
        if origin.name.endswith(".html") and origin.name.startswith(_OURS):
            source = without_indentation(source)
        return _FIXED.sub(_said, source)

    def cache_key(self, template_name: str, skip: list[Origin] | None = None) -> str:
        """One cache entry per language."""
        return f"{get_language()}-{super().cache_key(template_name, skip)}"


def without_indentation(source: str) -> str:
    """The template as it is sent: the formatter's lines and indentation are for its readers, not for browsers.

    A line break stays one (it may stand for a space between words), except where it cannot be meant: at the ends of a
    file, and after `{% load %}`. Between the attributes of a tag it is a space.
    """
    source = _SAYS_NOTHING.sub(r"\1", source.strip(" \t\n"))
    return _LAYOUT.sub(lambda match: match["kept"] or _BREAK.sub(" ", match["tag"] or "") or "\n", source)


def _said(match: re.Match[str]) -> str:
    folded = match[3] or ""
    sentence = match[1] or match[2] or re.sub(r"\s*\n\s*", " ", folded.strip())  # as `trimmed` does
    words = gettext(sentence) if sentence else ""
    return words if words and "{" not in words and "%" not in words else match[0]
