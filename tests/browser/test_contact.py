"""A conversation in a real browser: the resident on a phone, the town at its desk, a stranger; each page with axe."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, reach, sign_in
from tests.contact.sent_files import HEIC, pdf, picture
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]


def paper(folder: Path, name: str, content: bytes) -> str:
    file = folder / name
    file.write_bytes(content)
    return str(file)


def look(page: Page, shot: Shot, name: str) -> None:
    """A picture, axe, and nothing wider than the screen."""
    shot(page, name)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_conversation(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path, width: str
) -> None:
    subject = f"Une attestation ({width})"
    page = open_page(width, dark=width == "phone")
    sign_in(page, demo, "resident@example.net", "facture")
    page.get_by_role("navigation", name="Menu principal").get_by_role("link", name="Contact").click()
    page.get_by_label("Le sujet").fill(subject)
    page.get_by_label("Mon message").fill("Bonjour,\nvoici l'attestation.")
    page.get_by_text("Joindre des fichiers").click()
    page.get_by_label("Premier fichier").set_input_files(paper(tmp_path, "attestation.pdf", pdf()))
    page.get_by_label("Deuxième fichier").set_input_files(paper(tmp_path, "IMG_1.HEIC", HEIC))
    page.get_by_label("Recevoir une copie").check()
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("alert")).to_contain_text("« IMG_1.HEIC » est une photo au format HEIC")
    expect(page.get_by_label("Mon message")).to_have_value(re.compile("voici l'attestation."))
    look(page, shot, f"contact-refuse-{width}")
    page.get_by_label("Premier fichier").set_input_files(paper(tmp_path, "attestation.pdf", pdf()))
    page.get_by_label("Deuxième fichier").set_input_files(paper(tmp_path, "photo.jpg", picture(exif=True)))
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("Votre message est envoyé")).to_be_visible()
    look(page, shot, f"contact-merci-{width}")
    assert "attestation.pdf, photo.jpg" in demo.mail("resident@example.net", subject)["text"]
    page.get_by_role("link", name="Voir mes messages").click()
    look(page, shot, f"mes-messages-{width}")

    staff = open_page(width)
    sign_in(staff, demo, "agent@example.net", "facture")
    staff.goto(demo.url("mairie", "/gestion/messages/"))
    look(staff, shot, f"gestion-messages-{width}")
    staff.get_by_role("link", name=subject).click()
    with staff.expect_download() as download:
        staff.get_by_role("link", name="photo.jpg").click()
    assert download.value.suggested_filename == "photo.jpg"
    staff.get_by_role("button", name="Envoyer la réponse").click()
    expect(staff.get_by_role("alert")).to_contain_text("Écrivez votre réponse.")
    staff.get_by_label("Votre réponse").fill("Bonjour,\nc'est noté.")
    look(staff, shot, f"gestion-message-{width}")
    staff.get_by_role("button", name="Envoyer la réponse").click()
    expect(staff.get_by_text("Votre réponse est envoyée.")).to_be_visible()
    look(staff, shot, f"gestion-message-repondu-{width}")

    told = demo.mail("resident@example.net", f"Réponse à votre message : {subject}")["text"]
    link = re.search(r"http://\S+/contact/messages/\S+/", told)
    assert link
    page.goto(link[0])
    expect(page.get_by_text("c'est noté.")).to_be_visible()
    look(page, shot, f"mon-message-{width}")
    page.get_by_label("Mon message").fill("Merci !")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("status")).to_contain_text("Votre message est envoyé.")
    staff.goto(demo.url("mairie", "/gestion/messages/"))
    expect(staff.get_by_role("row", name=subject)).to_contain_text("À traiter")
    staff.get_by_role("link", name=subject).click()
    staff.get_by_role("button", name="Marquer comme traité").click()


def test_a_stranger_and_what_looks_like_spam(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("phone")
    page.goto(demo.url("mairie", "/contact/"))
    opened = time.monotonic()
    look(page, shot, "contact-sans-compte-phone")
    page.get_by_label("Mon adresse").fill("passante@example.net")
    page.get_by_label("Le sujet").fill("Gagnez gros")
    page.get_by_label("Mon message").fill("https://a.example https://b.example https://c.example")
    page.wait_for_timeout(max(0, 3.2 - (time.monotonic() - opened)) * 1000)
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("Votre message est envoyé")).to_be_visible()
    staff = open_page("desktop")
    sign_in(staff, demo, "agent@example.net", "facture")
    staff.get_by_role("link", name="message à vérifier").click()
    look(staff, shot, "gestion-a-verifier-desktop")
    staff.get_by_role("link", name="Gagnez gros").click()
    expect(staff.get_by_text("N'ouvrez pas ces liens")).to_be_visible()
    look(staff, shot, "gestion-message-a-verifier-desktop")
    staff.get_by_role("button", name="Marquer comme traité").click()
    assert not demo.mails("regie@example.net") or all(
        "Gagnez" not in mail["subject"] for mail in demo.mails("regie@example.net")
    )


def test_by_keyboard(demo: Demo, open_page: Callable[..., Page]) -> None:
    page = open_page("desktop", javascript=False)
    sign_in(page, demo, "resident@example.net", "facture")
    page.goto(demo.url("mairie", "/contact/"))
    reach(page, "Le sujet")
    page.keyboard.type("Au clavier")
    reach(page, "Mon message")
    page.keyboard.type("Bonjour")
    reach(page, "Joindre des fichiers (facultatif)")
    page.keyboard.press("Enter")
    reach(page, "Premier fichier")
    reach(page, "Recevoir une copie par e-mail")
    reach(page, "Envoyer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Votre message est envoyé")).to_be_visible()
