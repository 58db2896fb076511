"""A passkey from one end to the other, with Chromium's own virtual authenticator in the place of a finger."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.people import accessible, reach, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

WHO, PAGE = "resident@example.net", "/mes-informations/cles/"
ADD, USE = "Ajouter une clé d'accès", "Se connecter avec une clé d'accès"
# A browser that has passkeys but not the newer way to read what the server sends.
OLDER = (
    "delete PublicKeyCredential.parseCreationOptionsFromJSON;"
    "delete PublicKeyCredential.parseRequestOptionsFromJSON"
)


class Finger:
    """The virtual authenticator of a page; it answers by itself, as long as it recognises the person."""

    def __init__(self, page: Page) -> None:
        self.wire: CDPSession = page.context.new_cdp_session(page)
        self.wire.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
        able = dict.fromkeys(("hasResidentKey", "hasUserVerification", "isUserVerified"), True)
        made = self.wire.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, **able}})
        self.id = made["authenticatorId"]

    def recognises(self, person: bool) -> None:
        self.wire.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": person})

    def keys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.wire.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_add_use_remove(
    demo: Demo, open_page: Callable[..., Page], shot: Callable[[Page, str], None], width: str
) -> None:
    page = open_page(width)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    if width == "phone":
        page.add_init_script(OLDER)
    finger = Finger(page)
    sign_in(page, demo, WHO, "facture")
    page.get_by_role("link", name="Mes informations").click()
    shot(page, f"keys-details-{width}")
    page.get_by_role("link", name="Voir mes clés d'accès").click()
    expect(page.get_by_text("Vous n'avez pas encore de clé d'accès.")).to_be_visible()
    expect(page.get_by_text("il faut JavaScript")).to_be_hidden()
    look(page, shot, f"keys-none-{width}")

    finger.recognises(person=False)
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("status")).to_have_text("Aucune clé d'accès n'a été ajoutée.")
    finger.recognises(person=True)
    reach(page, ADD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("La clé d'accès est ajoutée.")).to_be_visible()
    expect(page.get_by_text("jamais utilisée")).to_be_visible()
    look(page, shot, f"keys-one-{width}")
    (key,) = finger.keys()
    assert key["isResidentCredential"]
    assert key["rpId"] == "mairie.localhost"
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_text("Cet appareil a déjà une clé d'accès")).to_be_visible()
    demo.mail(WHO, "Une clé d'accès a été ajoutée")

    page.get_by_role("button", name="Se déconnecter").click()
    page.goto(demo.url("mairie", "/?suite=/reglements/"))
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    look(page, shot, f"keys-sign-in-{width}")
    finger.recognises(person=False)
    page.get_by_role("button", name=USE).click()
    expect(page.get_by_role("status")).to_contain_text("Aucune clé d'accès n'a été utilisée.")
    look(page, shot, f"keys-cancelled-{width}")
    finger.recognises(person=True)
    page.get_by_label("Se souvenir de moi").check()
    reach(page, USE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Mes règlements")).to_be_visible()
    (session,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "session"]
    assert session["expires"] > 0  # remembered

    page.goto(demo.url("mairie", PAGE))
    expect(page.get_by_text(", utilisée le")).to_be_visible()
    page.get_by_role("link", name="Renommer ou retirer").click()
    look(page, shot, f"keys-key-{width}")
    page.get_by_label("Le nom de cette clé").fill("Mon téléphone")
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("link", name="Renommer ou retirer la clé Mon téléphone").click()
    page.get_by_role("button", name="Retirer cette clé").click()
    expect(page.get_by_text("La clé d'accès est retirée")).to_be_visible()
    look(page, shot, f"keys-removed-{width}")
    demo.mail(WHO, "Une clé d'accès a été retirée")

    page.get_by_role("button", name="Se déconnecter").click()
    page.get_by_role("button", name=USE).click()  # the device still offers it
    expect(page.get_by_text("Cette clé d'accès n'a pas été reconnue.")).to_be_visible()
    look(page, shot, f"keys-refused-{width}")
    refused = [text for text in complaints if "422" not in text]  # Chromium itself reports those
    assert not refused


def look(page: Page, shot: Callable[[Page, str], None], name: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    accessible(page)
    shot(page, name)


def test_nothing_is_offered_where_it_cannot_work(demo: Demo, open_page: Callable[..., Page]) -> None:
    """Without JavaScript, or in a browser without passkeys, the password is all there is."""
    without, older = open_page("phone", javascript=False), open_page("phone")
    older.add_init_script("delete window.PublicKeyCredential")
    for page in (without, older):
        sign_in(page, demo, WHO, "facture")
        page.goto(demo.url("mairie", PAGE))
        expect(page.get_by_text("il faut JavaScript")).to_be_visible()
        expect(page.get_by_role("button", name=ADD)).to_be_hidden()
        page.get_by_role("button", name="Se déconnecter").click()
        expect(page.get_by_role("button", name="Connexion")).to_be_visible()
        expect(page.get_by_role("button", name=USE)).to_be_hidden()
