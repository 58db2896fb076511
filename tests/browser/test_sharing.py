"""Two people and one payer, and the messages that one of them refuses: the whole road, as people walk it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, activate, link_in, reach, sign_in, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


def both_schemes(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(page)
    page.emulate_media(color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


@pytest.mark.parametrize("width", list(WIDTHS))
def test_another_person_s_access(
    demo: Demo, newcomers: None, open_page: Callable[..., Page], shot: Callable[[Page, str], None], width: str
) -> None:
    owner, guest = open_page(width), open_page(width)
    email, other = f"partage-{width}@example.net", f"invite-{width}@example.net"
    activate(owner, demo, email)
    sign_in(owner, demo, email, "coquelicot")
    expect(owner.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    owner.goto(demo.url("mairie", "/mes-informations/"))
    shot(owner, f"mes-informations-{width}")
    owner.get_by_role("link", name="partage").click()
    both_schemes(owner)
    shot(owner, f"dossier-{width}")
    reach(owner, "L'adresse e-mail de cette personne")
    owner.keyboard.type(other)
    owner.keyboard.press("Enter")
    expect(owner.get_by_text("Une invitation part vers")).to_be_visible()
    owner.goto(owner.url)
    both_schemes(owner)
    shot(owner, f"dossier-invitation-{width}")

    guest.goto(link_in(demo, other, "Accès à des factures"))
    both_schemes(guest)
    shot(guest, f"invitation-{width}")
    guest.get_by_label("Mon nouveau mot de passe").fill("non")
    guest.get_by_role("button", name="Accepter").click()
    expect(guest.get_by_role("alert")).to_be_visible()
    guest.get_by_label("Mon nouveau mot de passe").fill("coquelicot")
    guest.get_by_role("button", name="Accepter").click()
    expect(guest.get_by_role("heading", name="L'accès est ouvert")).to_be_visible()
    sign_in(guest, demo, other, "coquelicot")
    expect(guest.get_by_role("link", name=f"2026-partage-{width}-1", exact=True)).to_be_visible()
    guest.goto(demo.url("mairie", "/mes-informations/"))
    guest.get_by_role("link", name="partage").click()
    both_schemes(guest)
    expect(guest.get_by_text(f"accordé par {email}")).to_be_visible()
    shot(guest, f"dossier-invite-{width}")

    demo.mail(email, "Votre invitation est acceptée")
    owner.reload()
    both_schemes(owner)
    shot(owner, f"dossier-accepte-{width}")
    staff = open_page(width)
    sign_in_as_manager(staff, demo)
    expect(staff).to_have_url(re.compile("/gestion/"))
    staff.goto(demo.url("mairie", f"/gestion/redevables/?q=partage-{width}"))
    staff.get_by_role("link", name="partage").first.click()
    expect(staff.get_by_text(f"Accordé par {email}, sur invitation")).to_be_visible()
    both_schemes(staff)
    shot(staff, f"redevable-{width}")
    staff.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    both_schemes(staff)
    shot(staff, f"commune-{width}")

    owner.get_by_role("button", name="Retirer l'accès").click()
    expect(owner.get_by_text("ne voit plus ces factures")).to_be_visible()
    guest.reload()
    expect(guest.get_by_role("heading", name="Cette page n'existe pas")).to_be_visible()


@pytest.mark.parametrize("width", list(WIDTHS))
def test_messages_refused(
    demo: Demo, newcomers: None, open_page: Callable[..., Page], shot: Callable[[Page, str], None], width: str
) -> None:
    """From the message, signed in or not; then chosen again."""
    page, email = open_page(width), "sans-script@example.net" if width == "phone" else "clavier@example.net"
    text = demo.mail(email, "ouvelle")["text"]
    found = re.search(r"Ne plus recevoir ces messages : (\S+)", text)
    assert found, text
    page.goto(found[1])
    both_schemes(page)
    shot(page, f"desabonnement-{width}")
    page.get_by_role("button", name="Ne plus recevoir ces messages").click()
    expect(page.get_by_role("heading", name="C'est enregistré")).to_be_visible()
    both_schemes(page)
    shot(page, f"desabonnement-fait-{width}")
    # The click of a mail reader: no cookies, no form.
    path = found[1].partition("/desabonnement/")[2]
    answer: Any = demo.post("mairie", f"/desabonnement/{path}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == requests.codes.ok
    sign_in(page, demo, "resident@example.net", "facture")
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    page.goto(demo.url("mairie", "/mes-informations/"))
    page.get_by_role("link", name="Choisir mes messages").click()
    both_schemes(page)
    shot(page, f"messages-{width}")
    box = page.get_by_label("une facture doit être réglée dans 7 jours")
    expect(box).to_be_checked()
    box.uncheck()
    page.get_by_role("button", name="Enregistrer mon choix").click()
    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
    page.get_by_role("link", name="Choisir mes messages").click()
    expect(box).not_to_be_checked()
    box.check()
    page.get_by_role("button", name="Enregistrer mon choix").click()
    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
