"""« Réglages » in a real browser: every page with axe in both schemes, and previews with and without scripts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]


def look(page: Page, shot: Shot, name: str) -> None:
    """axe in both schemes, and no sideways scroll."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        shot(page, f"{name}-{scheme}")
        accessible(page)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"


@pytest.mark.parametrize("width", list(WIDTHS))
def test_every_page(demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str) -> None:
    page = open_page(width)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", "/gestion/reglages/commune/"))
    links = page.get_by_role("navigation", name="Réglages").get_by_role("link")
    addresses = [str(link.get_attribute("href")) for link in links.all()]
    assert len(addresses) >= 10
    for address in addresses:
        page.goto(demo.url("pechabou", address))
        for frame in page.locator("iframe").all():
            frame.scroll_into_view_if_needed()
            expect(frame.content_frame.get_by_role("heading", level=1)).to_be_visible()
        look(page, shot, f"settings-{address.strip('/').rpartition('/')[2]}-{width}")
    assert not complaints  # no frame or style was refused by the content security policy


def test_a_colour_is_shown_as_it_is_chosen(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("desktop")
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", "/gestion/reglages/identite/"))
    button = page.locator(".look .btn").first
    before = button.evaluate("e => getComputedStyle(e).backgroundColor")
    page.get_by_label("La couleur principale").fill("#7a1f5c")
    expect(button).to_have_css("background-color", "rgb(122, 31, 92)")
    page.get_by_label("La couleur principale").fill("#ffff66")
    expect(page.locator("#apercu")).to_contain_text("trop claire")
    look(page, shot, "settings-identite-pale")
    page.reload()
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") == before  # nothing was saved


def test_without_scripts(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("phone", javascript=False)
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", "/gestion/reglages/identite/"))
    page.get_by_label("La couleur principale").evaluate("e => { e.value = '#7a1f5c' }")
    page.get_by_role("button", name="Voir", exact=True).click()
    expect(page.locator(".look .btn").first).to_have_css("background-color", "rgb(122, 31, 92)")
    page.goto(demo.url("pechabou", "/gestion/reglages/textes/"))
    box = page.get_by_role("textbox", name="Mentions légales")
    proposed = box.input_value()
    box.fill("## Chez nous\n\n- un\n- deux")
    page.get_by_role("button", name=re.compile("Voir Mentions légales")).click()
    expect(page.get_by_role("heading", name="Chez nous")).to_be_visible()
    shot(page, "settings-textes-vu-phone")
    page.get_by_role("button", name=re.compile("Revenir au texte proposé")).click()
    expect(page.get_by_role("textbox", name="Mentions légales")).to_have_value(proposed)


@pytest.mark.parametrize("width", list(WIDTHS))
def test_from_one_town_to_another(demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str) -> None:
    page = open_page(width)
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", "/gestion/reglages/echange/"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Exporter les réglages").click()
    written = download.value.path().read_text(encoding="utf-8")
    changed = written.replace('"garder_alertes_mois": 12', '"garder_alertes_mois": 13')
    assert changed != written
    file = {"name": "reglages.json", "mimeType": "application/json", "buffer": changed.encode()}
    page.get_by_label("Le fichier des réglages").set_input_files(file)
    page.get_by_role("button", name="Importer des réglages").click()
    expect(page.get_by_role("checkbox")).to_have_count(1)
    look(page, shot, f"settings-compare-{width}")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("1 réglage est changé.")).to_be_visible()
    look(page, shot, f"settings-taken-{width}")
    page.get_by_role("button", name=re.compile("Annuler")).click()
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("13 → 12")).to_be_visible()
