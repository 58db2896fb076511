"""A manager protects the account, signs out, and signs in with both steps; then with a passkey alone (decision 65)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, give_manager, sign_in
from tests.browser.test_passkeys import Finger
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
KEY = "Se connecter avec une clé d'accès"


def look(page: Page, shot: Shot, name: str) -> None:
    """axe in both schemes, pictures of both, and no sideways scroll at 320 px."""
    size = page.viewport_size
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(page)
        shot(page, f"{name}-{scheme}")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    assert size
    page.set_viewport_size(size)
    page.emulate_media(color_scheme="light")


def codes_of(demo: Demo, secret: str) -> dict[str, str]:
    """What the page of the demonstration shows for a typed secret: the code of now and the next one."""
    found: dict[str, str] = demo.get("mail", f"/code.json?cle={secret.replace(' ', '%20')}").json()
    return found


def test_the_password_of_the_demo_s_agent_reaches_the_back_office(
    demo: Demo, open_page: Callable[..., Page]
) -> None:
    page = open_page("desktop")
    sign_in(page, demo, "agent@example.net", "facture")
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()
    page.get_by_role("link", name="Réglages", exact=True).click()
    expect(page.get_by_role("heading", name="Protégez votre compte", level=1)).to_be_visible()


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_protected_and_signed_in_again(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    page, who = open_page(width), f"protege-{width}@example.net"
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    finger = Finger(page)
    give_manager(demo, "mairie", who, [])
    sign_in(page, demo, who, "facture")
    page.goto(demo.url("mairie", "/gestion/mon-compte/"))
    look(page, shot, f"account-none-{width}")
    page.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    expect(page.get_by_role("heading", name="Protégez votre compte", level=1)).to_be_visible()
    expect(page.get_by_text("il faut JavaScript")).to_be_hidden()
    look(page, shot, f"protect-{width}")
    page.get_by_role("link", name="Utiliser une application").click()
    secret = page.locator("code.secret").inner_text()
    look(page, shot, f"application-{width}")
    codes = codes_of(demo, secret)
    page.get_by_label("Le code que l'application affiche").fill(codes["code"])
    page.get_by_role("button", name="Protéger mon compte").click()
    expect(page.get_by_role("heading", name="Rangez vos codes de secours")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    expect(page.get_by_role("button", name="Imprimer")).to_be_visible()
    look(page, shot, f"codes-{width}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger").click()
    kept = download.value.path().read_text(encoding="utf-8")
    assert page.locator(".codes li").first.inner_text() in kept
    page.get_by_role("link", name="Je les ai rangés, continuer").click()
    expect(page.get_by_role("heading", name="Commune", level=1)).to_be_visible()  # what was wanted first

    sign_out(page, width)
    sign_in(page, demo, who, "facture")
    expect(page.get_by_role("heading", name="Confirmez que c'est bien vous")).to_be_visible()
    page.get_by_label("Mon code").fill("000000")
    page.get_by_role("button", name="Continuer").click()
    look(page, shot, f"second-step-{width}")
    page.get_by_label("Mon code").fill(codes_of(demo, secret)["next"])
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()

    page.goto(demo.url("mairie", "/gestion/mon-compte/"))
    page.get_by_role("button", name="Ajouter une clé d'accès").click()
    expect(page.get_by_text("La clé d'accès est ajoutée.")).to_be_visible()
    assert len(finger.keys()) == 1
    look(page, shot, f"account-{width}")
    sign_out(page, width)
    page.get_by_role("button", name=KEY).click()  # both steps at once
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()
    page.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    expect(page.get_by_role("heading", name="Commune", level=1)).to_be_visible()
    sign_out(page, width)
    sign_in(page, demo, who, "facture")
    look(page, shot, f"second-step-key-{width}")
    page.get_by_role("button", name="Utiliser ma clé d'accès").click()
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()
    refused = [line for line in complaints if "422" not in line]  # the wrong code, which was meant
    assert not refused


def sign_out(page: Page, width: str) -> None:
    if width == "phone":
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Se déconnecter", exact=True).click()
    expect(page.get_by_role("button", name="Connexion")).to_be_visible()
