"""The residents' one stylesheet: what their pages use of Bootstrap, the tokens, and our own rules, without the blanks.

Bootstrap is 230 kB, of which these pages use a twentieth. The classes are read in the templates, so a class written
there is in the sheet at the next build and nobody keeps a list. Nothing of Bootstrap is copied into the repository.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_HERE = Path(__file__).parents[1]
_ROOT = _HERE.parents[1]
NAME = "mes-factures/portal.css"
_TEMPLATES = (_HERE / "templates", _ROOT / "tenant_apps" / "portal" / "templates")
_SCRIPTS = _HERE / "static" / "mes-factures"
_LINES = _ROOT / "tenant_apps" / "portal" / "templatetags" / "bills.py"
# Put by Python.
_FORMS = ("form-control", "form-select", "form-check-input", "form-check-label", "is-invalid")


def build() -> str:
    """The sheet. Some 50 ms: once a process that serves files from the packages, or once by collectstatic."""
    import bootstrap

    source = Path(bootstrap.__file__).parent / "static" / "bootstrap" / "css" / "bootstrap.css"
    own = "\n".join((_SCRIPTS / name).read_text("utf-8") for name in ("tokens.css", "resident.css"))
    kept = trim(source.read_text("utf-8"), used=set(used_classes()), beside=own)
    return f"/* Bootstrap, MIT licence, and Mes factures, AGPL-3.0-or-later */\n{_short(kept)}{_short(own)}\n"


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
    yield from _FORMS


def trim(css: str, *, used: set[str], beside: str = "") -> str:
    """The rules of `css` whose every class is in `used`, and of its variables those that they or `beside` read."""
    css = re.sub(r"/\*.*?\*/|@charset[^;]*;", "", css, flags=re.S)
    kept = "".join(_kept(css, used))
    while (fewer := _without_unread(kept, beside)) != kept:
        kept = fewer  # a variable that only an unread variable read goes at the next turn
    return re.sub(r"[^{}]+{\s*}", "", kept)


def _without_unread(css: str, beside: str) -> str:
    read = set(re.findall(r"var\((--[\w-]+)", css + beside))
    return re.sub(r"(--bs-[\w-]+):[^;{}]*;?", lambda match: match[0] if match[1] in read else "", css)


def _kept(css: str, used: set[str]) -> Iterator[str]:
    for head, body in _rules(css):
        if head.startswith(("@media", "@supports")):
            if inner := "".join(_kept(body, used)):
                yield f"{head}{{{inner}}}"
        elif head.startswith("@keyframes"):
            continue  # Bootstrap's own motions: none is used
        else:
            selectors = [one for one in _selectors(head) if _is_used(one, used)]
            if selectors:
                yield f"{','.join(selectors)}{{{body}}}"


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """(selector or at-rule, what stands in its braces) of the outermost level."""
    start = depth = 0
    head = ""
    for match in re.finditer(r"[{}]", css):
        if match[0] == "{":
            if depth == 0:
                head, start = css[start : match.start()].strip(), match.end()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                yield head, css[start : match.start()]
                start = match.end()


def _selectors(head: str) -> Iterable[str]:
    """Split at the commas that stand in no parenthesis."""
    return (part.strip() for part in re.split(r",(?![^(]*\))", head))


def _is_used(selector: str, used: set[str]) -> bool:
    if "data-bs-theme=dark" in selector:  # the scheme is the reader's (tokens.css), never a switch
        return False
    bare = re.sub(r"\[[^\]]*\]", "", selector)  # ".js" in an attribute's value is no class
    return set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", bare)) <= used


def _short(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,]) ?", r"\1", css).replace(": ", ":").replace(";}", "}").strip()
