"""Templates whose fixed sentences are written once a language: the same page as Django's own loaders write."""

from typing import Any

import pytest
from django.template import Engine, engines
from django.template.loader import get_template
from django.test import override_settings
from django.utils.translation import override

from config.assets.loader import Loader

SENTENCES = {
    "fixed": "{% load i18n %}<p>{% trans \"Mes factures\" %}</p>{%  trans 'Se déconnecter'  %}",
    "folded": "{% load i18n %}{% blocktrans trimmed %}\n    Mes\n    factures\n  {% endblocktrans %}",
    "counted": "{% load i18n %}{% blocktrans trimmed count n=2 %}\n a\n{% plural %}\n {{ n }}{% endblocktrans %}",
    "filtered": '{% load i18n %}{% trans "Mes factures"|upper %}',
    "kept": '{% load i18n %}{% trans "Mes factures" as title %}{{ title }}',
    "variable": "{% load i18n %}{% trans word %}",
    "context": '{% load i18n %}{% trans "Mes factures" context "menu" %}',
    "unknown": '{% load i18n %}{% trans "Une phrase à 50 % que personne ne traduit" %}',
    "empty": '{% load i18n %}{% trans "" %}',
}


def engine(loader: str) -> Engine:
    inside = ("django.template.loaders.locmem.Loader", SENTENCES)
    return Engine(loaders=[(loader, [inside])], libraries=engines["django"].engine.libraries)


@pytest.mark.parametrize("name", SENTENCES)
def test_the_same_page_as_django_s(name: str) -> None:
    from django.template import Context

    ours, theirs = engine("config.assets.loader.Loader"), engine("django.template.loaders.cached.Loader")
    for language in ("fr", "en", "fr"):
        with override(language):
            written = [
                one.get_template(name).render(Context({"word": "Mes factures"})) for one in (ours, theirs)
            ]
        assert written[0] == written[1]


def test_fixed_sentences_are_plain_text_by_then() -> None:
    loader: Any = engine("config.assets.loader.Loader").template_loaders[0]
    assert isinstance(loader, Loader)
    with override("en"):
        names = [type(node).__name__ for node in loader.get_template("fixed").nodelist]
        assert names == ["LoadNode", "TextNode"]
        assert [type(node).__name__ for node in loader.get_template("folded").nodelist] == [
            "LoadNode",
            "TextNode",
        ]
        assert "TranslateNode" in [type(node).__name__ for node in loader.get_template("filtered").nodelist]


def test_the_portal_s_templates_are_read_by_it() -> None:
    with override("fr"):
        french = get_template("portal/help.html")
    with override("en"):
        assert get_template("portal/help.html").template is not french.template
    with override("fr"):
        assert get_template("portal/help.html").template is french.template


@override_settings(USE_I18N=False)
def test_without_translations_the_french_stays() -> None:
    assert "Mes factures" in engine("config.assets.loader.Loader").get_template("fixed").source
