"""A new town's home page, and what staff read when a page is refused or gone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, manage, sign_in, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
CLERK = "accueil@example.net"


@pytest.fixture(scope="module")
def neuve(demo: Demo) -> str:
    """A town that was opened a minute ago."""
    manage(demo, "open_town", "neuve", "Commune Neuve", "--contact", "mairie@neuve.example.org")
    return "neuve"


def looked_at(page: Page, shot: Shot, name: str, width: str) -> None:
    """axe in both colour schemes, and nothing wider than the screen."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        shot(page, f"{name}-{width}-{scheme}")
        accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_day(
    demo: Demo, neuve: str, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    """Without scripts on the phone."""
    page = open_page(width, javascript=width == "desktop")
    sign_in_as_manager(page, demo, neuve)
    expect(page.get_by_role("heading", name="Premiers pas")).to_be_visible()
    expect(
        page.get_by_role("list").filter(has_text="Logo et couleurs").get_by_role("listitem")
    ).to_have_count(7)
    expect(page.get_by_role("heading", name="En ligne")).to_have_count(0)
    if width == "desktop":
        looked_at(page, shot, "premiers-pas", width)
    else:
        shot(page, f"premiers-pas-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0]
    if width == "phone":  # the first to come
        page.get_by_role("button", name="Rien à changer – Qui prévenir").click()
        expect(page.get_by_text("C'est noté : rien à changer.")).to_be_visible()
        expect(page.get_by_text("Gardé tel quel par chef@neuve.example.org")).to_be_visible()
    page.get_by_role("button", name="Masquer").click()
    expect(page.get_by_role("heading", name="En ligne")).to_be_visible()
    expect(page.get_by_role("heading", name="Premiers pas")).to_have_count(0)
    page.get_by_role("button", name="Afficher de nouveau la liste des premiers pas").click()
    expect(page.get_by_role("heading", name="Premiers pas")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_refused_and_gone(demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str) -> None:
    page = open_page(width)
    sign_in(page, demo, CLERK, "facture")
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()
    page.goto(demo.url("mairie", "/gestion/equipe/"))
    expect(page.get_by_role("heading", name="Votre rôle n'ouvre pas cette page")).to_be_visible()
    looked_at(page, shot, "refuse", width)
    page.get_by_role("link", name="Revenir à la gestion").click()
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()
    page.goto(demo.url("mairie", "/gestion/factrues/"))
    expect(page.get_by_role("heading", name="Cette page n'existe pas")).to_be_visible()
    looked_at(page, shot, "absent", width)
    page.get_by_label("Chercher une facture").fill("martin")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recherche")).to_be_visible()
