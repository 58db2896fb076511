"""What the pages of « Réglages » show: the portal's colours, the messages as residents get them."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from shared_apps.mail import notices
from shared_apps.mail.models import OutgoingMail
from tenant_apps.townhall.services import change_townhall
from tests.backoffice.conftest import text

IDENTITY, MESSAGES = "/gestion/reglages/identite/", "/gestion/reglages/messages/"
SHEET, EXAMPLE = f"{IDENTITY}couleurs.css", f"{MESSAGES}exemple/"


def test_the_colours_typed_are_drawn_as_the_portal_would(browsers: SimpleNamespace, town: Any) -> None:
    sent = {"quoi": "couleurs", "primary_colour": "#7A1F5C", "accent_colour": "#8a4b08", "voir": "1"}
    page = browsers.manager.post(IDENTITY, sent, headers={"HX-Request": "true"})
    (address,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.content.decode())
    drawn = browsers.manager.get(address).content.decode()
    assert ".look{--town:#7A1F5C;--on-town:#ffffff;" in drawn
    change_townhall(actor="system", primary_colour="#7a1f5c")
    portal = browsers.nobody.get("/theme.css?new").content.decode()
    for scheme in (r":root\{(--town-ink[^}]+)", r":root\{(--town:[^}]+)"):
        (tones,) = re.findall(scheme, portal)
        assert tones.lower() in drawn.lower()


def test_a_pale_colour_is_shown_and_refused_in_words(browsers: SimpleNamespace) -> None:
    sent = {"quoi": "couleurs", "primary_colour": "#ffff66", "accent_colour": "#8a4b08"}
    live = browsers.manager.post(IDENTITY, {**sent, "voir": "1"}, headers={"HX-Request": "true"})
    assert live.status_code == 200
    for words in ("trop claire", "Le texte des boutons est noir", "se voient mal sur le fond clair"):
        assert words in text(live)
    assert browsers.manager.post(IDENTITY, sent).status_code == 422


@pytest.mark.parametrize("asked", ["", "?c=", "?c=zzzzzz-1", "?c=1f4e79", "?c=}body{-x", "?c=1-2-3"])
def test_no_colour_but_colours_comes_into_the_sheet(browsers: SimpleNamespace, asked: str) -> None:
    answer = browsers.manager.get(SHEET + asked)
    assert answer["Content-Type"].startswith("text/css")
    assert re.fullmatch(r"(?:\.look(?:-dark)?\{(?:--[a-z-]+:#[0-9a-f]{6};)+\}\n){2}", answer.content.decode())


def test_the_miniature_has_the_tokens_of_the_portal() -> None:
    """`.look` and `.look-dark` repeat what ui.css gives to each scheme."""
    ui, staff = (
        Path(str(finders.find(name))).read_text("utf-8")
        for name in ("mes-factures/ui.css", "backoffice/staff.css")
    )
    light, dark = ui.partition("@media (prefers-color-scheme: dark)")[::2]
    for rule, source in ((r"\.look \{[^}]*", light), (r"\.look-dark \{[^}]*", dark.partition("}")[0])):
        found = re.search(rf"(?m)^{rule}", staff)
        assert found
        tokens = re.findall(r"(--[a-z-]+): (#[0-9a-f]{6})", found[0])
        assert len(tokens) >= 7
        assert set(tokens) <= set(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6})", source))


def test_each_kind_with_settings_has_an_example() -> None:
    for notice in notices.every():
        names = {one.choice for one in notice.examples}
        assert names <= {choice.name for choice in notice.choices}
        assert bool(names) or not notice.settings, (
            f"{notice.kind}: declare an example (shared_apps.mail.notices)"
        )


def test_the_examples_are_the_messages_of_the_town(
    browsers: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    page = browsers.manager.get(MESSAGES)
    assert "2 nouvelles factures – Mairie de Démonstration" in text(page)
    assert "Rappel : une facture arrive à échéance" in text(page)
    assert "Cantine scolaire (exemple), n° EXEMPLE001 : 37,50 €, à régler avant le" in text(page)
    assert "impossible" not in text(page)  # an invoice that can be paid
    assert "frame-src" in page["Content-Security-Policy"]
    for name in re.findall(r'src="([^"]*exemple/[^"]+)"', page.content.decode()):
        mail = browsers.manager.get(name)
        assert "Mairie de Démonstration" in mail.content.decode()
        assert "EXEMPLE001" in mail.content.decode()
        assert mail["X-Frame-Options"] == "SAMEORIGIN"
        assert "default-src 'none'" in mail["Content-Security-Policy"]
        assert "sandbox" in mail["Content-Security-Policy"]
        assert "script" not in mail["Content-Security-Policy"]
    assert not OutgoingMail.objects.exists()
    with django_assert_max_num_queries(15):
        browsers.manager.get(MESSAGES)


def test_what_the_town_does_not_send_is_said(browsers: SimpleNamespace) -> None:
    def said(**sent: str) -> int:
        data = {"alert_audience": "known", "remind_before": "7", "remind_after": "7", "voir": "1", **sent}
        return text(browsers.manager.post(MESSAGES, data)).count("La commune ne l'envoie pas")

    assert said() == 0
    assert said(remind_after="") == 1
    assert said(alert_audience="nobody") == 4


def test_no_other_example(browsers: SimpleNamespace) -> None:
    assert browsers.manager.get(f"{EXAMPLE}?message=receipt").status_code == 404
    assert browsers.cashier.get(EXAMPLE).status_code == 403
