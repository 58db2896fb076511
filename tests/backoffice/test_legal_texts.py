"""« Textes légaux »: the proposed text stands in the box, and follows the town as long as it is left as it is."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall
from tests.backoffice.conftest import text

PAGE = "/gestion/reglages/textes/"


def boxes(browsers: SimpleNamespace) -> dict[str, Any]:
    """What a browser would send back from the page, as it shows it."""
    page = browsers.manager.get(PAGE)
    form, hidden = (
        page.context["form"],
        re.findall(r'name="(\w+_proposed)" value="(\w+)"', page.content.decode()),
    )
    sent = {name: str(form[name].value()).replace("\n", "\r\n") for name in form.fields}
    return {**sent, **dict(hidden)}


def test_the_proposal_stands_in_the_box_and_is_not_kept(browsers: SimpleNamespace) -> None:
    sent = boxes(browsers)
    assert "Directeur de la publication" in sent["legal_notice"]
    assert "Mairie de Démonstration" in sent["legal_notice"]
    assert browsers.manager.post(PAGE, sent).status_code == 302
    assert not AuditEntry.objects.filter(verb="townhall.changed").exists()


def test_a_box_left_alone_follows_what_changes_meanwhile(browsers: SimpleNamespace) -> None:
    sent = boxes(browsers)
    change_townhall(actor="system", name="Commune de Partout", phone="05 99 99 99 99")
    assert browsers.manager.post(PAGE, {**sent, "conformity": "partial"}).status_code == 302
    townhall = current_townhall()
    assert (townhall.legal_notice, townhall.accessibility_notice, townhall.conformity) == ("", "", "partial")
    assert "Commune de Partout" in boxes(browsers)["legal_notice"]
    assert "partiellement conforme" in boxes(browsers)["accessibility_notice"]


def test_an_own_text_is_kept_and_the_proposal_comes_back(browsers: SimpleNamespace) -> None:
    sent = {**boxes(browsers), "legal_notice": "## Chez nous\r\n\r\nBonjour."}
    assert "Revenir au texte proposé" not in text(browsers.manager.get(PAGE))
    browsers.manager.post(PAGE, sent)
    assert current_townhall().legal_notice == "## Chez nous\r\n\r\nBonjour."
    again = browsers.manager.post(PAGE, {**boxes(browsers), "reprendre": "legal_notice"})
    assert "Directeur de la publication" in str(again.context["form"]["legal_notice"].value())
    assert current_townhall().legal_notice.startswith("## Chez nous")  # not before « Enregistrer »
    put_back = {**boxes(browsers), "legal_notice": str(again.context["form"]["legal_notice"].value())}
    assert browsers.manager.post(PAGE, put_back).status_code == 302
    assert current_townhall().legal_notice == ""


def test_seen_as_a_page_before_it_is_saved(browsers: SimpleNamespace) -> None:
    sent = {
        **boxes(browsers),
        "legal_notice": "## Chez <b>nous</b>\r\n\r\n- un\r\n- deux",
        "voir": "legal_notice",
    }
    page = browsers.manager.post(PAGE, sent).content.decode()
    assert '<h3 id="t1">Chez &lt;b&gt;nous&lt;/b&gt;</h3>' in page
    assert "<ul><li>un</li><li>deux</li></ul>" in page
    assert current_townhall().legal_notice == ""


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("legal_notice", "x" * 20_001, "20 000 caractères au plus."),
        ("conformity", "toute", "Choisissez une réponse de la liste."),
    ],
)
def test_refused(browsers: SimpleNamespace, field: str, value: str, words: str) -> None:
    answer = browsers.manager.post(PAGE, {**boxes(browsers), field: value})
    assert (answer.status_code, words in text(answer)) == (422, True)
    assert not AuditEntry.objects.filter(verb="townhall.changed").exists()
