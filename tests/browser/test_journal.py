"""A manager reads the journal, follows a line to its object and comes back, on a phone and at a desk."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


def fits(page: Page) -> None:
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


@pytest.mark.parametrize(("width", "dark"), [("phone", False), ("phone", True), ("desktop", False)])
def test_from_the_town_to_the_history_and_back(
    demo: Demo, open_page: Callable[..., Page], shot: Callable[[Page, str], None], width: str, dark: bool
) -> None:
    page = open_page(width, dark=dark)
    name = f"{width}{'-dark' if dark else ''}"
    sign_in_as_manager(page, demo)
    page.goto(demo.url("mairie", "/gestion/factures/?reglement=a-regler"))
    page.locator("td.main a").first.click()
    page.get_by_text("Permettre ou suspendre").click()
    hold = page.locator("#hold")
    choice = "dispute" if hold.input_value() != "dispute" else "collection"
    hold.select_option(choice)
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    page.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    page.get_by_role("link", name="Journal", exact=True).click()
    expect(page.get_by_role("heading", name="Journal", exact=True)).to_be_visible()
    fits(page)
    shot(page, f"journal-{name}")
    page.get_by_label("Action").select_option(label="Paiement en ligne d'une facture changé")
    page.get_by_role("button", name="Chercher", exact=True).last.click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text(re.compile("Facture"))
    fits(page)
    shot(page, f"journal-filtre-{name}")
    row.get_by_role("link").click()
    page.get_by_text("Historique", exact=True).click()
    expect(page.locator("details.history")).to_contain_text("Paiement en ligne d'une facture changé")
    fits(page)
    shot(page, f"historique-{name}")
    page.get_by_role("link", name="Voir dans le journal").click()
    expect(page.get_by_text("Seulement ce qui touche")).to_be_visible()
    fits(page)
    shot(page, f"journal-objet-{name}")
    page.goto(demo.url("mairie", "/gestion/encaissements/"))
    fits(page)
    shot(page, f"encaissements-{name}")
    page.locator("td.main a").first.click()
    expect(page.get_by_text("Enregistré par")).to_be_visible()
    fits(page)
    shot(page, f"reglement-{name}")
