"""The residents' stylesheet: what is used is in it, the rest is not."""

import re

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
        ":root{--bs-a:1;--bs-b:var(--bs-a);}.used{color:var(--bs-b)}.used>p{margin:0}"
        "@media(min-width:9px){.used{c:d}}h1{font:x}"
    )


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
