"""A manager invites a colleague, who opens the message, chooses a password and works; axe on the way."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, link_in, reach, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]


def looked_at(page: Page, shot: Shot, name: str, width: str) -> None:
    """axe in both colour schemes, and nothing wider than the screen."""
    shot(page, f"{name}-{width}")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0]


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_invitation_to_the_work(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    """Without scripts on the phone; by keyboard on the desktop."""
    name, email = f"Lou Faure {width}", f"equipe-{width}@example.net"
    manager = open_page(width, javascript=width == "desktop")
    sign_in_as_manager(manager, demo)
    manager.goto(demo.url("mairie", "/gestion/equipe/"))
    manager.get_by_role("button", name="Envoyer l'invitation").click()
    expect(manager.get_by_text("Choisissez un rôle.").first).to_be_visible()
    if width == "desktop":
        looked_at(manager, shot, "equipe-erreurs", width)
    manager.get_by_label("Prénom et nom").fill(name)
    manager.get_by_label("Adresse e-mail professionnelle").fill(email)
    manager.get_by_label("Caissier").check()
    if width == "desktop":
        manager.get_by_label("Caissier").focus()
        reach(manager, "Envoyer l'invitation")
        manager.keyboard.press("Enter")
    else:
        manager.get_by_role("button", name="Envoyer l'invitation").click()
    expect(manager.get_by_text(f"L'invitation part à {email}.")).to_be_visible()
    row = manager.get_by_role("row").filter(has_text=email)
    expect(row.get_by_text("Invité le")).to_be_visible()
    guest = open_page(width)
    guest.goto(link_in(demo, email, "Vous rejoignez la gestion des factures"))
    expect(guest.get_by_text("chef@mairie.example.org vous invite")).to_be_visible()
    looked_at(guest, shot, "equipe-rejoindre", width)
    guest.get_by_label("Mon nouveau mot de passe").fill("des girafes en hiver")
    guest.get_by_role("button", name="Ouvrir mon compte").click()
    expect(guest.get_by_text("Bienvenue : votre compte est ouvert.")).to_be_visible()
    assert guest.url == demo.url("mairie", "/gestion/")
    guest.goto(demo.url("mairie", "/gestion/encaissements/"))
    expect(guest.get_by_role("link", name="Nouvel encaissement")).to_be_visible()
    manager.reload()
    expect(row.get_by_text("Actif")).to_be_visible()
    if width == "desktop":
        looked_at(manager, shot, "equipe", width)
    row.get_by_role("link", name=name).click()
    expect(manager.get_by_role("heading", name="Nom et rôle")).to_be_visible()
    if width == "desktop":
        looked_at(manager, shot, "equipe-membre", width)
    manager.get_by_text("Retirer…").click()
    manager.get_by_role("button", name="Retirer de l'équipe").click()
    expect(manager.get_by_text(f"{name} ne fait plus partie de l'équipe.")).to_be_visible()
    guest.goto(demo.url("mairie", "/gestion/"))
    expect(guest.get_by_role("button", name="Connexion")).to_be_visible()
