"""FranceConnect's road in a real browser: linked once, then one click, then out, at both widths, by keyboard too."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, activate, reach, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
PASSWORD = "coquelicot"
HEARD = 6_000  # milliseconds: more than TOWN_CACHE_SECONDS


@pytest.fixture
def manager(demo: Demo, issuer: str, open_page: Callable[..., Page]) -> Iterator[Page]:
    """A manager's page of the settings, saved with a provider, which goes again afterwards."""
    page = open_page("desktop")
    sign_in_as_manager(page, demo)
    page.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    page.get_by_role("link", name="FranceConnect").click()
    expect(page.get_by_role("heading", name="Connexion par FranceConnect")).to_be_visible()
    page.get_by_label("L'adresse du fournisseur").fill(issuer)
    page.get_by_label("L'identifiant client").fill("la-commune")
    page.get_by_label("La clé secrète").fill("un-secret")
    page.get_by_label("Le proposer aux usagers").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les réglages de connexion sont enregistrés.")).to_be_visible()
    page.wait_for_timeout(HEARD)  # another process may still show the page without the button
    yield page
    page.goto(demo.url("mairie", "/gestion/reglages/franceconnect/"))
    page.get_by_label("Le proposer aux usagers").uncheck()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les réglages de connexion sont enregistrés.")).to_be_visible()
    page.wait_for_timeout(HEARD)


def both(page: Page) -> None:
    """axe in both schemes, and no sideways scroll at 320 px."""
    size = page.viewport_size
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    assert size
    page.set_viewport_size(size)
    page.emulate_media(color_scheme="light")


def over_there(page: Page, subject: str) -> None:
    """The provider's own page."""
    page.locator("input[name=sub]").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def test_the_whole_road(demo: Demo, newcomers: None, manager: Page, open_page: Callable[..., Page]) -> None:
    manager.get_by_role("button", name="Essayer").click()
    expect(manager.get_by_text("L'adresse est la bonne")).to_be_visible()
    both(manager)
    for width in WIDTHS:
        email, subject = f"fc-{width}@example.net", f"personne-{width}"
        activate(open_page(width), demo, email)
        page = open_page(width)
        page.goto(demo.url("mairie", "/?suite=/reglements/"))
        both(page)
        reach(page, "S'identifier avec FranceConnect")
        page.keyboard.press("Enter")
        over_there(page, subject)
        expect(page.get_by_role("heading", name="Relier FranceConnect à mon compte")).to_be_visible()
        both(page)
        page.get_by_role("button", name="Relier et continuer").click()
        expect(page.get_by_role("alert")).to_be_visible()
        both(page)
        page.get_by_label("Mon adresse").fill(email)
        page.get_by_label("Mon mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Relier et continuer").click()
        expect(page.get_by_role("heading", name="Mes règlements")).to_be_visible()
        assert "est relié à votre compte" in demo.mail(email, "FranceConnect est relié")["subject"]

        page.get_by_role("button", name="Se déconnecter").click()  # and over there, where one confirms
        page.wait_for_url("**/oauth2/end_session**")
        page.goto(demo.url("mairie"))
        expect(page.get_by_text("Vous êtes déconnecté.")).to_be_visible()

        page.get_by_role("link", name="S'identifier avec FranceConnect").click()
        over_there(page, subject)
        expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
        page.goto(demo.url("mairie", "/mes-informations/"))
        both(page)
        page.get_by_role("link", name="Voir ou supprimer ce lien").click()
        expect(page.get_by_text("Votre compte est relié à FranceConnect.")).to_be_visible()
        both(page)
        page.get_by_role("button", name="Supprimer ce lien").click()
        expect(page.get_by_text("n'est plus relié à votre compte.")).to_be_visible()
        both(page)
        assert "n'est plus relié" in demo.mail(email, "n'est plus relié")["subject"]
        page.goto(demo.url("mairie", "/connexion/fc/retour/?state=x"))
        expect(page.get_by_role("heading", name="Cette demande n'est pas connue")).to_be_visible()
        both(page)


def test_given_up_without_script(demo: Demo, manager: Page, open_page: Callable[..., Page]) -> None:
    page = open_page("phone", javascript=False)
    page.goto(demo.url("mairie"))
    page.get_by_role("link", name="S'identifier avec FranceConnect").click()
    over_there(page, "sans-script")
    page.get_by_role("button", name="Ne pas relier").click()
    expect(page.get_by_role("heading", name="Voir et régler mes factures")).to_be_visible()
    page.goto(demo.url("mairie", "/connexion/fc/relier/"))
    expect(page.get_by_role("heading", name="Cette demande a expiré")).to_be_visible()
