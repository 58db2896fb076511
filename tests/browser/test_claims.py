"""A paper invoice, from nobody to the list: axe, keyboard and no scripts on the way."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, link_in, publish, reach, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]


def rows() -> Iterator[str]:
    for width in WIDTHS:
        who = f"PAPIER-{width};Mme;PAPIER;Odette;;REGIE"
        yield f"2026-papier-{width};01/11/2026;31/12/2026;37,50;Cantine scolaire;2026;{who}"


@pytest.fixture(scope="module")
def papers(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two households of which billing knows no address."""
    publish(demo, rows(), tmp_path_factory.mktemp("papers"))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_whole_road(
    demo: Demo, papers: None, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    """Without scripts on the phone; by keyboard on the desktop."""
    email, number = f"papier-{width}@example.net", f"2026-papier-{width}"
    page = open_page(width, javascript=width == "desktop")
    page.goto(demo.url("mairie"))
    page.get_by_role("link", name="Utilisez une facture papier").click()
    expect(page.get_by_role("heading", name="Rattacher un dossier")).to_be_visible()
    shot(page, f"rattacher-{width}")
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.get_by_text("Écrivez le numéro de la facture.").first).to_be_visible()
    shot(page, f"rattacher-erreurs-{width}")
    if width == "desktop":
        accessible(page)
    page.get_by_label("Le numéro de la facture").fill(number.upper())
    page.get_by_label("Le montant de la facture").fill("37,5 €")
    page.get_by_label("La référence de paiement").fill(f"2026 papier-{width}")
    page.get_by_label("Mon adresse").fill(email)
    if width == "desktop":
        page.get_by_label("Le numéro de la facture").focus()
        reach(page, "Envoyer ma demande")
        page.keyboard.press("Enter")
    else:
        page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.get_by_role("heading", name="Regardez vos messages")).to_be_visible()
    shot(page, f"rattacher-envoye-{width}")
    page.goto(link_in(demo, email, "Rattachez votre dossier"))
    shot(page, f"rattacher-lien-{width}")
    page.get_by_label("Mon nouveau mot de passe").fill("coquelicot")
    page.get_by_role("button", name="Enregistrer et confirmer").click()
    expect(page.get_by_role("heading", name="Votre demande est envoyée")).to_be_visible()
    shot(page, f"rattacher-confirme-{width}")
    sign_in(page, demo, email, "coquelicot")
    expect(page.get_by_text("attend la réponse du service de facturation")).to_be_visible()
    shot(page, f"rattacher-liste-vide-{width}")
    page.get_by_role("link", name="Voir ma demande").click()
    expect(page.get_by_role("button", name="Retirer ma demande")).to_be_visible()
    shot(page, f"rattacher-attente-{width}")
    page.goto(demo.url("mairie", "/mes-informations/"))
    shot(page, f"rattacher-informations-{width}")
    decide(open_page(width), demo, shot, width, email)
    demo.mail(email, "Votre dossier est rattaché")
    page.goto(demo.url("mairie", "/factures/"))
    expect(page.get_by_text(number).first).to_be_visible()


def decide(clerk: Page, demo: Demo, shot: Shot, width: str, email: str) -> None:
    """The clerk finds it in the menu, reads what billing knows, and accepts."""
    sign_in(clerk, demo, "agent@example.net", "facture")
    clerk.goto(demo.url("mairie", "/gestion/"))
    if width == "phone":
        clerk.get_by_role("button", name="Menu").click()
    clerk.get_by_role("link", name="Rattachements", exact=False).first.click()
    shot(clerk, f"gestion-rattachements-{width}")
    for scheme in ("light", "dark"):
        clerk.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(clerk)
    clerk.get_by_role("link", name=email).click()
    expect(clerk.get_by_role("heading", name="Demande de rattachement")).to_be_visible()
    shot(clerk, f"gestion-rattachement-{width}")
    for scheme in ("light", "dark"):
        clerk.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(clerk)
    assert clerk.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0]
    clerk.get_by_role("button", name="Refuser").click()  # without a reason
    expect(clerk.get_by_text("Écrivez à cette personne pourquoi vous refusez.").first).to_be_visible()
    accessible(clerk)
    clerk.get_by_role("button", name="Accepter et rattacher le dossier").click()
    expect(clerk.get_by_text(f"Le dossier est rattaché ; {email} en est prévenu.")).to_be_visible()
