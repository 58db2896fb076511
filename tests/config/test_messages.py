"""The catalogues: every sentence of the code is in English, and nothing that it must hold is lost on the way."""

import ast
import gettext
import re
from pathlib import Path
from typing import Any, cast

import polib
import pytest
from django.utils import translation
from django.utils.translation import ngettext

from sandbox import messages
from sandbox.messages import FOLDERS, ROOT, Sentence, compiled, faults, merged, po_path

LANGUAGES = list(messages.PLURALS)
TEMPLATES = sorted(
    file
    for folder in ("src/config", "tenant_apps")
    for file in (ROOT / folder).rglob("templates/**/*.*")
    if "notices" not in file.parts  # each language has its own files
)
SAME_EVERYWHERE = {"PDF", "PayFiP", "TIPI"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_in_the_catalogue(language: str) -> None:
    kept = polib.pofile(str(po_path(language)))
    known = {(e.msgctxt, e.msgid, e.msgid_plural) for e in kept}
    wanted = {(e.msgctxt, e.msgid, e.msgid_plural) for e in merged(language)}
    assert known == wanted, f"run `make messages`: {sorted(str(one) for one in known ^ wanted)}"
    assert not kept.obsolete_entries()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_and_whole(language: str) -> None:
    wrong = {entry.msgid: found for entry in merged(language) if (found := faults(entry))}
    assert not wrong, f"{po_path(language)}: translate, then `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_is_what_is_written(language: str) -> None:
    """A clone needs no gettext: the compiled file is kept beside the other."""
    po = po_path(language)
    assert po.with_suffix(".mo").read_bytes() == compiled(po), "run `make messages`"


def test_a_sentence_with_a_plural_is_found_alone_by_every_python() -> None:
    """« règlement » is a name of a model, and counted elsewhere; not every Python 3.11 looks in both places."""
    with po_path("en").with_suffix(".mo").open("rb") as file:
        known: dict[Any, str] = cast(Any, gettext.GNUTranslations(file))._catalog
    assert (known["règlement"], known["règlement", 0]) == ("payment", "payment")


def test_the_french_catalogue_says_what_the_code_says() -> None:
    for entry in polib.pofile(str(po_path("fr"))):
        assert entry.msgstr_plural == {0: entry.msgid, 1: entry.msgid_plural}


@pytest.mark.parametrize(
    ("french", "english", "fault"),
    [
        ("Bonjour %(name)s", "Hello %(name)s", ""),
        ("Bonjour %(name)s", "Hello", "il manque %(name)s"),
        ("Bonjour", "Hello %(name)s", "il y a en trop %(name)s"),
        ("Page {nb}", "Page", "il manque {nb}"),
        ("<strong>Oui</strong>", "<strong>Yes", "il manque </strong>"),
        (" n°", "no.", "l'espace au bord n'est pas la même"),
        ("Bonjour", "", "pas traduite, ou « fuzzy »"),
    ],
)
def test_faults(french: str, english: str, fault: str) -> None:
    assert "".join(faults(polib.POEntry(msgid=french, msgstr=english))) == fault


def test_a_doubtful_translation_is_none() -> None:
    assert faults(polib.POEntry(msgid="Oui", msgstr="Yes", flags=["fuzzy"]))


def test_a_plural_that_loses_its_number() -> None:
    entry = polib.POEntry(msgid="%(n)s jour", msgid_plural="%(n)s jours")
    entry.msgstr_plural = {0: "%(n)s day", 1: "days"}
    assert faults(entry) == ["il manque %(n)s"]


def test_how_code_and_templates_are_read(tmp_path: Path) -> None:
    code, page = tmp_path / "code.py", tmp_path / "page.html"
    code.write_text('_("Un")\nngettext("%(n)d an", "%(n)d ans", n)\npgettext("mois", "mai")\nother("Rien")\n')
    page.write_text(
        '<p>\n  {% trans "Deux" %}{% blocktrans trimmed count n=years %}\n  {{ n }} an\n'
        '  {% plural %}\n  {{ n }} ans\n{% endblocktrans %}\n    {% trans "L\'heure" context "temps" %}</p>'
    )
    assert list(messages._read(code)) == [
        *(Sentence(None, "Un", ""), Sentence(None, "%(n)d an", "%(n)d ans"), Sentence("mois", "mai", ""))
    ]
    assert list(messages._read(page)) == [
        *(
            Sentence(None, "Deux", ""),
            Sentence(None, "%(n)s an", "%(n)s ans"),
            Sentence("temps", "L'heure", ""),
        )
    ]


@pytest.mark.parametrize(("language", "zero"), [("fr", "0 règlement"), ("en", "0 payments")])
def test_nothing_counts_as_the_language_wants(language: str, zero: str) -> None:
    with translation.override(language):
        assert ngettext("%(n)d règlement", "%(n)d règlements", 0) % {"n": 0} == zero


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_words_of_a_page_are_outside_gettext(file: Path) -> None:
    text = file.read_text("utf-8")
    text = re.sub(r"{% (blocktrans|comment).*?{% end\1 %}", " ", text, flags=re.DOTALL)
    text = re.sub(r"{% block main_class %}.*?{% endblock %}", " ", text)
    text = re.sub(r"{[%{#].*?[%}#]}", " ", text, flags=re.DOTALL)
    text = re.sub(r"www\.\S+", " ", text)
    spoken = re.findall(r'(?:title|alt|placeholder|aria-label|data-label)="([^"]*)"', text)
    words = re.findall(r"[^\W\d_]{3,}", " ".join([re.sub(r"<[^>]*>", " ", text), *spoken]))
    assert not set(words) - SAME_EVERYWHERE


def test_no_sentence_is_translated_when_its_module_is_read() -> None:
    """It would keep the language of whoever came first: `gettext_lazy` there."""
    early = [
        f"{file.relative_to(ROOT)}:{line}"
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for line in _translated_early(ast.parse(file.read_text("utf-8")))
    ]
    assert not early


def _translated_early(tree: ast.Module) -> list[int]:
    now = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in ("gettext", "ngettext", "pgettext", "npgettext")
    }

    def calls(node: ast.AST) -> list[int]:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            return []
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        found = [node.lineno] if isinstance(node, ast.Call) and name in now else []
        return found + [line for child in ast.iter_child_nodes(node) for line in calls(child)]

    return calls(tree)


def test_a_sentence_translated_too_early_is_seen() -> None:
    head = "from django.utils.translation import gettext as _\n"
    assert _translated_early(ast.parse(head + 'A = _("Un")')) == [2]
    assert _translated_early(ast.parse(head + 'def f():\n    return _("Un")')) == []
