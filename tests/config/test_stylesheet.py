"""The residents' stylesheet: what is used is in it, the rest is not."""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from config.assets import stylesheet

CSS = """:root{--bs-a:1;--bs-b:var(--bs-a);--bs-c:2}
.used{color:var(--bs-b)} .unused{color:var(--bs-c)}
.used.unused,.used > p{margin:0}
@media (min-width:9px){.unused{a:b}.used{c:d}} @media print{.unused{a:b}}
h1{font:x} [data-bs-theme=dark] .used{e:f} .used:not(.unused){g:h}
@keyframes spin{to{x:y}}"""


def test_only_what_is_used() -> None:
    kept = re.sub(r"\s", "", stylesheet.trim(CSS, used={"used"}))
    assert kept == (
        ":root{--bs-a:1;--bs-b:var(--bs-a)}.used{color:var(--bs-b)}.used>p{margin:0}"
        "@media(min-width:9px){.used{c:d}}h1{font:x}"
    )


def test_only_classes_are_classes() -> None:
    """A point in an attribute's value or in a number names no class; one in a parenthesis does."""
    css = "a[href$='.js']{x:.5em} a:is(.used, .unused){x:y} .used:where(b > i){x:y!important}"
    assert stylesheet.trim(css, used={"used"}) == 'a[href$=".js"]{x:.5em}.used:where(b > i){x:y!important}'


def test_our_own_rules_are_all_kept() -> None:
    css = "/* words */ @media print { .a, .b { x: y; --c: 1 } }\n@keyframes d { to { x: y } }"
    assert stylesheet.short(css) == "@media print{.a,.b{x:y;--c:1}}@keyframes d{to { x: y }}"


@pytest.mark.parametrize(
    "name", ["form-control", "form-check-input", "visually-hidden", "mt-3", "btn-town", "bills"]
)
def test_what_pages_wear(name: str) -> None:
    assert f".{name}" in stylesheet.build()


def test_small_and_whole() -> None:
    sheet = stylesheet.build()
    assert len(sheet) < 40_000
    assert sheet.count("{") == sheet.count("}")
    assert ".carousel" not in sheet
    undefined = set(re.findall(r"var\((--[\w-]+)\)", sheet)) - set(re.findall(r"(--[\w-]+):", sheet))
    assert not {name for name in undefined if not name.startswith("--bs-")}, undefined


def test_what_residents_and_staff_share_is_written_once() -> None:
    """A declaration that both need is in ui.css; what differs in size only is a variable there."""
    root = Path(__file__).parents[2]
    sheets = {
        "ui": root / "src/config/static/mes-factures/ui.css",
        "resident": root / "src/config/static/mes-factures/resident.css",
        "staff": root / "tenant_apps/backoffice/static/backoffice/staff.css",
    }
    found = {name: set(said(path)) for name, path in sheets.items()}
    assert min(map(len, found.values())) > 100
    assert {one: two for one, two in combinations(found, 2) if found[one] & found[two]} == {}


def said(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """(at-rule, selector, property, value) of each declaration."""
    for rule in stylesheet.rules_of(path.read_text("utf-8")):
        for selector in rule.selectors:
            yield from ((rule.within, selector, *declaration) for declaration in rule.declarations)
