"""A manager adds two régies, and takes one through its tests and activation into service, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
LIST = "/gestion/reglages/regies/"


def fits(page: Page) -> None:
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def add(page: Page, demo: Demo, label: str, kind: str, number: str) -> None:
    """From the list to « Est-ce bien vous ? », by keyboard from the second box on."""
    page.goto(demo.url("pechabou", LIST))
    page.get_by_role("link", name="Ajouter une régie").click()
    fits(page)
    page.get_by_label("Le nom que lisent les usagers").fill(label)
    page.get_by_label("La nature des factures").select_option(label=kind)
    page.get_by_label("Le moyen de paiement en ligne").select_option(label="PayFiP (service web)")
    page.get_by_label("L'identifiant au Trésor public").fill(number)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"« {label} » est ajoutée.")).to_be_visible()


def pay(page: Page, button: str, by: str) -> None:
    """A test payment at the simulator, and back."""
    page.get_by_role("button", name=button).click()
    expect(page).to_have_url(re.compile(r"//payfip\.localhost:\d+/tpa/paiementws\.web\?idop="))
    page.get_by_role("button", name=by, exact=True).click()
    expect(page.get_by_role("heading", name="Mise en service du paiement en ligne")).to_be_visible()


def test_two_are_added_and_one_goes_into_service(
    demo: Demo, open_page: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page, label = open_page("desktop"), "Régie bibliothèque"
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", "/gestion/reglages/commune/"))
    page.get_by_role("link", name="Régies et PayFiP").click()
    fits(page)
    add(page, demo, "Titres de la commune", "Titres de recettes", "001964")
    expect(page.locator("address")).to_contain_text("REGIE CANTINE ET PERISCOLAIRE")
    add(page, demo, label, "Régie", "001966")
    expect(page.locator("address")).to_contain_text("BUDGET EAU")
    shot(page, "regie-est-ce-vous")
    fits(page)
    page.get_by_role("button", name="C'est bien nous").click()
    expect(page.get_by_text("Le numéro est vérifié.")).to_be_visible()
    pay(page, "Faire un paiement de test", "Payer par carte")
    page.get_by_role("button", name="Passer à l'activation (X)").click()
    pay(page, "Faire un paiement d'activation", "Payer par carte")
    expect(page.get_by_text("Il manque un paiement d'activation par prélèvement.")).to_be_visible()
    pay(page, "Faire un paiement d'activation", "Payer par prélèvement")
    page.get_by_role("button", name="Mettre en service (W)").click()
    expect(page.get_by_text("Cette régie est en service")).to_be_visible()
    fits(page)
    page.goto(demo.url("pechabou", LIST))
    shot(page, "regies")
    expect(page.get_by_role("row", name=re.compile(label))).to_contain_text("En service")
    expect(page.get_by_role("row", name=re.compile("Titres de la commune"))).to_contain_text(
        "Numéro à vérifier"
    )
    fits(page)


@pytest.mark.parametrize(("width", "dark"), [("phone", False), ("phone", True), ("desktop", True)])
def test_every_page_of_it(
    demo: Demo, open_page: Callable[..., Page], shot: Callable[[Page, str], None], width: str, dark: bool
) -> None:
    page = open_page(width, dark=dark)
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", LIST))
    page.get_by_role("link", name="Budget eau").click()
    regie = page.url
    for name, address in (
        ("liste", demo.url("pechabou", LIST)),
        ("ajouter", demo.url("pechabou", f"{LIST}ajouter/")),
        ("regie", regie),
        ("identifiant", f"{regie}identifiant/"),
        ("mise-en-service", f"{regie}mise-en-service/?verifier=1"),
    ):
        page.goto(address)
        shot(page, f"regies-{name}-{width}{'-dark' if dark else ''}")
        fits(page)
    page.goto(f"{regie}identifiant/")
    page.get_by_label("L'identifiant au Trésor public").fill("999902")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    shot(page, f"regies-inconnu-{width}{'-dark' if dark else ''}")
    fits(page)
    page.get_by_label("L'identifiant au Trésor public").fill("001964")
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("heading", name="Est-ce bien vous ?").or_(page.get_by_role("alert"))
    ).to_be_visible()
    shot(page, f"regies-est-ce-vous-{width}{'-dark' if dark else ''}")
    fits(page)
