"""Templates read well, and what makes them read well does not show."""

from pathlib import Path

import pytest
from django.template.loader import get_template

from config.assets.layout import one_line
from config.assets.loader import without_indentation

ROOT = Path(__file__).parents[2]
LONGEST = 140
OURS = sorted(
    path
    for folder in ("src", "shared_apps", "tenant_apps")
    for path in (ROOT / folder).rglob("*.html")
    if "templates" in path.parts
)


def test_there_are_templates() -> None:
    assert len(OURS) > 150


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_too_long_to_read(path: Path) -> None:
    """One element per line; a decision that does not fit is one for Python."""
    long = [n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if len(line) > LONGEST]
    assert not long


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("<p>\n    Bonjour\n  </p>\n", "<p>\nBonjour\n</p>"),
        ("{% load i18n %}\n{% if x %}\n  a\n{% endif %}\n", "{% load i18n %}{% if x %}\na\n{% endif %}"),
        (
            "{% comment %}Words\n of ours{% endcomment %}\n<p>",
            "{% comment %}Words\nof ours{% endcomment %}<p>",
        ),
        (
            '<a class="b"\n   href="{% url "c" %}"\n   {% if d > 0 %}e{% endif %}>',
            '<a class="b" href="{% url "c" %}" {% if d > 0 %}e{% endif %}>',
        ),
        ("<pre>\n  a\n</pre>\n  <p>", "<pre>\n  a\n</pre>\n<p>"),
        ("<textarea>a\n  b</textarea>", "<textarea>a\n  b</textarea>"),
        ("{% blocktrans %}a\n  b{% endblocktrans %}", "{% blocktrans %}a\n  b{% endblocktrans %}"),
        ("un\u00a0:\n  deux", "un\u00a0:\ndeux"),
        ("a b  c", "a b  c"),
    ],
)
def test_indentation_is_not_sent(source: str, sent: str) -> None:
    assert without_indentation(source) == sent


def test_pages_of_ours_are_read_without_it() -> None:
    source = get_template("portal/help.html").template.source  # type: ignore[attr-defined]
    assert "\n" in source
    assert "\n " not in source


def test_a_title_is_one_line() -> None:
    assert one_line("\n  Facture\u00a012\n\n – Saint-Jean\n") == "Facture\u00a012 – Saint-Jean"
