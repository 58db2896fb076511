"""The residents' one stylesheet: what their pages use of Bootstrap, the tokens, and our own rules, without the blanks.

Bootstrap is 230 kB, of which these pages use a twentieth. The classes are read in the templates, so a class written
there is in the sheet at the next build and nobody keeps a list. Nothing of Bootstrap is copied into the repository.
tinycss2 reads the rules (decision 59).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import tinycss2

from toolkit.forms import plain_forms

_HERE = Path(__file__).parents[1]
_ROOT = _HERE.parents[1]
NAME = "mes-factures/portal.css"
_TEMPLATES = (_HERE / "templates", _ROOT / "tenant_apps" / "portal" / "templates")
_SCRIPTS = _HERE / "static" / "mes-factures"
_LINES = _ROOT / "tenant_apps" / "portal" / "templatetags" / "invoices.py"


def build() -> str:
    """The sheet: once per process that serves files from the packages (a laptop), or once by collectstatic."""
    import bootstrap

    source = Path(bootstrap.__file__).parent / "static" / "bootstrap" / "css" / "bootstrap.css"
    own = "\n".join((_SCRIPTS / name).read_text("utf-8") for name in ("ui.css", "resident.css"))
    kept = trim(source.read_text("utf-8"), used=set(used_classes()), beside=own)
    return f"/* Bootstrap, MIT licence, and Mes factures, AGPL-3.0-or-later */\n{kept}{short(own)}\n"


def used_classes() -> Iterator[str]:
    """Every class that a resident's template or script may put on an element."""
    for folder in _TEMPLATES:
        for path in folder.rglob("*.html"):
            text = path.read_text("utf-8")
            for value in re.findall(r'class="((?:[^"{]|{{.*?}}|{%.*?%})*)"', text):
                yield from re.findall(r"[\w-]+", re.sub(r"{%.*?%}|{{.*?}}", " ", value))
    for value in re.findall(r'class="([^"]+)"', _LINES.read_text("utf-8")):
        yield from re.findall(r"[\w-]+", re.sub(r"{.*?}", " ", value))
    for path in _SCRIPTS.glob("*.js"):
        for literal in re.findall(r'"([\w -]+)"', path.read_text("utf-8")):
            yield from literal.split()
    yield from plain_forms.CLASSES


def trim(css: str, *, used: set[str], beside: str = "") -> str:
    """The rules of `css` whose every class is in `used`, and of its variables those that they or `beside` read."""
    rules = list(rules_of(css, used=used))
    known = _read(beside)
    while True:
        read = known.union(*(_read(value) for rule in rules for _name, value in rule.declarations))
        fewer = [
            rule.without({name for name, _value in rule.declarations if _unread(name, read)})
            for rule in rules
        ]
        if fewer == rules:
            return _written(rules)
        rules = fewer  # a variable that only an unread variable read goes at the next turn


def short(css: str) -> str:
    """`css` as it is, without the comments and the blanks."""
    return _written(rules_of(css))


def rules_of(css: str, *, used: set[str] | None = None) -> "Iterator[_Rule]":
    """The rules of `css` one by one, in their order; with `used`, only those whose every class is in it."""
    yield from _rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), used=used)


@dataclass(frozen=True)
class _Rule:
    """`within` is the at-rule around it (« @media (…) »), or nothing."""

    within: str
    selectors: tuple[str, ...]
    declarations: tuple[tuple[str, str], ...]

    def without(self, names: set[str]) -> "_Rule":
        return replace(self, declarations=tuple(one for one in self.declarations if one[0] not in names))


def _rules(nodes: Iterable[Any], *, used: set[str] | None = None, within: str = "") -> Iterator[_Rule]:
    for node in nodes:
        if node.type == "at-rule" and node.at_keyword in ("media", "supports"):
            inside = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            yield from _rules(inside, used=used, within=f"@{node.at_keyword} {_text(node.prelude)}")
        elif (
            node.type == "at-rule" and node.at_keyword == "keyframes" and used is None
        ):  # Bootstrap's: none is used
            yield _Rule("", (f"@keyframes {_text(node.prelude)}",), (("", _text(node.content)),))
        elif node.type == "qualified-rule":
            selectors = tuple(
                _text(one) for one in _selectors(node.prelude) if used is None or _is_used(one, used)
            )
            if selectors:
                yield _Rule(within, selectors, tuple(_declarations(node.content)))


def _declarations(content: Any) -> Iterator[tuple[str, str]]:
    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if node.type == "declaration":
            yield node.name, _text(node.value) + ("!important" if node.important else "")


def _selectors(prelude: list[Any]) -> Iterator[list[Any]]:
    """What stands between the commas; those in parentheses are in a block of their own."""
    for is_comma, tokens in groupby(prelude, key=lambda one: one == ","):
        if not is_comma:
            yield list(tokens)


def _is_used(selector: list[Any], used: set[str]) -> bool:
    if "data-bs-theme" in _text(selector):  # the scheme is the reader's (ui.css), never a switch
        return False
    return set(_classes(selector)) <= used


def _classes(tokens: list[Any]) -> Iterator[str]:
    """`.btn` is a point and a name; also in `:not(.btn)`, but not in an attribute's value."""
    for before, token in pairwise([None, *tokens]):
        if token.type == "ident" and before == ".":
            yield token.value
        elif token.type in ("function", "() block"):
            yield from _classes(getattr(token, "arguments", None) or getattr(token, "content", []))


def _unread(name: str, read: set[str]) -> bool:
    return name.startswith("--bs-") and name not in read


def _read(text: str) -> set[str]:
    """The variables that `text` reads."""
    return set(re.findall(r"var\((--[\w-]+)", text))


def _text(tokens: Any) -> str:
    return " ".join(tinycss2.serialize(tokens).split())


def _written(rules: Iterable[_Rule]) -> str:
    """The rules as text, neighbours in the same at-rule together."""
    return "".join(
        f"{within}{{{''.join(map(_one, some))}}}" if within else "".join(map(_one, some))
        for within, some in groupby(
            (rule for rule in rules if rule.declarations), key=lambda rule: rule.within
        )
    )


def _one(rule: _Rule) -> str:
    body = ";".join(f"{name}:{value}" if name else value for name, value in rule.declarations)
    return f"{','.join(rule.selectors)}{{{body}}}"
