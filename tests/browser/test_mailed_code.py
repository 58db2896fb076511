"""Sign in with a code received by mail: on a phone without JavaScript, on a desktop with the keyboard alone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, reach
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
EMAIL = "resident@example.net"


def code_of(demo: Demo, to: str = EMAIL) -> str:
    return re.findall(r"^(\d{6})\r?$", demo.mail(to, "Votre code de connexion")["text"], re.M)[0]


def everywhere(page: Page) -> None:
    """axe finds nothing in either scheme, and nothing scrolls sideways."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        accessible(page)
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], wide


def test_on_a_phone_without_javascript(demo: Demo, open_page: Callable[..., Page], shot: Any) -> None:
    page = open_page("phone", javascript=False)
    page.goto(demo.url("mairie", "/?suite=/contact/"))
    shot(page, "code-connexion-phone")
    page.get_by_label("Mon adresse").fill(EMAIL)
    page.get_by_label("Se souvenir de moi").check()
    page.get_by_role("button", name="Recevoir un code par e-mail").click()
    expect(page.get_by_role("heading", name="Recevoir un code par e-mail")).to_be_visible()
    expect(page.get_by_label("Mon adresse")).to_have_value(EMAIL)
    expect(page.get_by_label("Se souvenir de moi")).to_be_checked()
    shot(page, "code-demande-phone")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_role("heading", name="Regardez vos messages")).to_be_visible()
    shot(page, "code-saisie-phone")
    field = page.get_by_label("Mon code")
    expect(field).to_have_attribute("autocomplete", "one-time-code")
    expect(field).to_have_attribute("inputmode", "numeric")
    page.get_by_role("button", name="Connexion").click()
    expect(page.get_by_role("alert")).to_contain_text("Écrivez le code du message.")
    code = code_of(demo)
    page.get_by_label("Mon code").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Connexion").click()
    expect(page).to_have_url(re.compile("/contact/$"))
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
    lasting = {cookie["name"]: cookie["expires"] for cookie in page.context.cookies()}
    assert lasting["session"] > 0


def test_on_a_desktop_with_the_keyboard(demo: Demo, open_page: Callable[..., Page], shot: Any) -> None:
    page, email = open_page("desktop"), "inconnue@example.net"
    page.goto(demo.url("mairie"))
    reach(page, "Mon adresse")
    page.keyboard.type(email)
    shot(page, "code-connexion-desktop")
    everywhere(page)
    reach(page, "Recevoir un code par e-mail")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recevoir un code par e-mail")).to_be_visible()
    everywhere(page)
    reach(page, "Recevoir le code")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Regardez vos messages")).to_be_visible()
    shot(page, "code-saisie-desktop")
    everywhere(page)
    for left in (4, 3, 2, 1):
        reach(page, "Mon code")
        page.keyboard.type("123456")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(f"Il vous reste {left} essai")
    shot(page, "code-faux-desktop")
    everywhere(page)
    reach(page, "Mon code")
    page.keyboard.type("123456")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Trop d'essais")
    shot(page, "code-trop-desktop")
    everywhere(page)
    reach(page, "Recevoir un autre code")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Regardez vos messages")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_enter_on_the_sign_in_page_still_signs_in(demo: Demo, open_page: Callable[..., Page]) -> None:
    """The button of the code is in the same form: Enter must press « Connexion »."""
    page = open_page("desktop")
    page.goto(demo.url("mairie"))
    page.get_by_label("Mon adresse").fill(EMAIL)
    page.get_by_label("Mon mot de passe").fill("facture")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()


def test_the_message_as_it_is_read(demo: Demo, open_page: Callable[..., Page], shot: Any) -> None:
    page = open_page("phone")
    page.goto(demo.url("mairie", "/code/"))
    page.get_by_label("Mon adresse").fill(EMAIL)
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.get_by_label("Mon code")).to_be_visible()
    html = demo.mail(EMAIL, "Votre code de connexion")["html"]
    page = open_page("phone")  # of no address, so without the portal's policy
    page.set_content(html)
    shot(page, "code-message-phone")
    for words in ("valable 10 minutes", "aucun agent de la mairie"):
        expect(page.get_by_text(words)).to_be_visible()
