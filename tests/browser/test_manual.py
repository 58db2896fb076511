"""The resident's manual (docs/manual.md, M1 to M14), word for word, on a phone and on a desktop."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, link_in, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
YELLOW, WHITE = "rgb(255, 246, 207)", "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_whole_manual(
    demo: Demo, newcomers: None, open_page: Callable[..., Page], shot: Any, width: str
) -> None:
    page, email = open_page(width), f"marche-{width}@example.net"
    click = lambda role, name: page.get_by_role(role, name=name).click()  # noqa: E731

    # M14: the town tells of new invoices; M5: its address is a plain link that stays.
    told = demo.mail(email, "factures")
    assert demo.url("mairie", "").rstrip("/") in told["text"]

    # M1
    page.goto(demo.url("mairie"))
    expect(page.get_by_label("Mon adresse")).to_be_visible()
    expect(page.get_by_label("Mon mot de passe")).to_be_visible()
    expect(page.get_by_label("Se souvenir de moi")).to_be_visible()
    expect(page.get_by_role("link", name="Mot de passe oublié")).to_be_visible()
    click("button", "Connexion")
    expect(page.get_by_role("alert")).to_contain_text("Écrivez votre adresse e-mail.")

    # M2, M3
    click("link", "Activer mon compte")
    page.get_by_label("Mon adresse").fill(email)
    click("button", "Recevoir le message")
    expect(page.get_by_text("Je n'ai pas reçu le message")).to_be_visible()
    page.goto(link_in(demo, email, "Activez votre compte"))
    expect(page.get_by_text("Au moins 5 caractères.")).to_be_visible()
    page.get_by_label("Mon nouveau mot de passe").fill("coquelicot")
    click("button", "Enregistrer")
    expect(page.get_by_role("heading", name="Mon compte est activé")).to_be_visible()

    # M4
    page.goto(demo.url("mairie"))
    click("link", "Mot de passe oublié")
    page.get_by_label("Mon adresse").fill(email)
    click("button", "Recevoir le message")
    page.goto(link_in(demo, email, "Votre nouveau mot de passe"))
    page.get_by_label("Mon nouveau mot de passe").fill("tournesol")
    click("button", "Enregistrer")
    expect(page.get_by_role("heading", name="Mon mot de passe est changé")).to_be_visible()

    # M6
    sign_in(page, demo, email, "tournesol")
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    expect(page.get_by_text("Vous avez 2 factures à régler")).to_be_visible()
    heads = [cell.strip() for cell in page.locator("thead th").all_inner_texts()]
    assert [head.removesuffix(" ↓") for head in heads[:5]] == [
        "Date",
        "Echéance",
        "Montant",
        "Numéro",
        "Objet",
    ]
    for name, number in (("Factures réglées", 0), ("Factures non réglées", 2), ("Toutes les factures", 2)):
        click("link", name)
        expect(page.locator("tbody tr:not(.year)")).to_have_count(number)
    row = page.locator("tr", has_text=f"2026-{width}-1")
    ground = "e => getComputedStyle(e.matches('tr') && innerWidth > 767 ? e.cells[0] : e).backgroundColor"
    assert row.evaluate(ground) == WHITE

    # M7
    row.get_by_role("link", name=f"2026-{width}-1", exact=True).click()
    expect(page.get_by_text("37,50")).to_be_visible()
    expect(page.get_by_text("Régie cantine et périscolaire")).to_be_visible()
    expect(page.get_by_text("La facture est mise en ligne.")).to_be_visible()

    # M8, M9
    page.get_by_role("navigation", name="Menu principal").get_by_role("link", name="Mes règlements").click()
    expect(page.get_by_text("Le règlement se fait par facture")).to_be_visible()
    click("link", f"Régler la facture 2026-{width}-1")
    expect(page.get_by_role("heading", name="Informations pour le paiement TIPI")).to_be_visible()
    facts = page.locator("dl.facts")
    for label, value in (
        ("Identifiant collectivité", "001964"),
        ("Montant de la facture", "37,50"),
        ("Référence de la facture", f"2026-{width}-1"),
    ):
        expect(facts).to_contain_text(label)
        expect(facts).to_contain_text(value)
    expect(page.get_by_text("popup")).to_be_visible()
    expect(page.get_by_role("link", name="Retour sur la liste des factures")).to_be_visible()

    # M11: while it is being paid, the payer goes on with that payment instead of beginning another (somebody else
    # reads from when they may: tests/portal/test_paying_again.py); then M10: paid, and yellow.
    click("button", "Accès à l'écran de paiement TIPI")
    expect(page).to_have_url(re.compile("paiementws"))
    beside = page.context.new_page()
    beside.goto(demo.url("mairie", "/factures/"))
    beside.get_by_role("link", name=f"2026-{width}-1", exact=True).click()
    expect(beside.get_by_role("link", name="Reprendre mon paiement")).to_be_visible()
    beside.close()
    click("button", "Payer par carte")
    expect(page.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    page.goto(demo.url("mairie", "/factures/"))
    paid = page.locator("tr.paid")
    expect(paid).to_contain_text(re.compile(r"Réglée le \d\d/\d\d/\d{4}"))
    assert paid.evaluate(ground) == YELLOW
    page.get_by_role("link", name=f"2026-{width}-2", exact=True).click()
    click("button", "J'ai réglé")
    expect(page.get_by_text("avoir réglé cette facture")).to_be_visible()

    # The receipt of what was paid
    page.goto(demo.url("mairie", "/reglements/"))
    receipt = page.get_by_role("link", name="Justificatif de paiement").get_attribute("href")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    answer = requests.get(
        f"http://127.0.0.1:{demo.home.ports.front}{receipt}",
        headers={"Host": f"mairie.localhost:{demo.home.ports.front}"},
        cookies=cookies,
        timeout=20,
    )
    assert answer.content.startswith(b"%PDF-")
    shot(page, f"reglements-{width}")

    # M13
    page.goto(demo.url("mairie", "/factures/"))
    page.get_by_role("link", name=f"2026-{width}-2", exact=True).click()
    click("link", "Poser une question sur cette facture")
    page.get_by_label("Le sujet").fill(f"Garderie {width}")
    page.get_by_label("Mon message").fill("Bonjour, une question.")
    click("button", "Envoyer")
    assert f"2026-{width}-2" in demo.mail("regie@example.net", f"Garderie {width}")["text"]

    # M12
    page.goto(demo.url("mairie", "/mes-informations/"))
    page.get_by_label("Ma nouvelle adresse").fill(f"nouvelle-{width}@example.net")
    form = page.locator("form").filter(has=page.get_by_label("Ma nouvelle adresse"))
    form.get_by_label("Mon mot de passe actuel").fill("tournesol")
    click("button", "Changer mon adresse")
    page.goto(link_in(demo, f"nouvelle-{width}@example.net", "Confirmez votre nouvelle adresse"))
    click("button", "Confirmer cette adresse")
    expect(page.get_by_role("heading", name="Mon adresse est changée")).to_be_visible()
    page.goto(demo.url("mairie"))
    click("button", "Se déconnecter")
    sign_in(page, demo, f"nouvelle-{width}@example.net", "tournesol")
    expect(page.get_by_text("1 déclarée réglée (12,00")).to_be_visible()
    accessible(page)

    # The old address was told, and takes its account back.
    page.goto(demo.url("mairie"))
    click("button", "Se déconnecter")
    page.goto(link_in(demo, email, "Votre adresse a changé"))
    accessible(page)
    click("button", "Rétablir mon adresse")
    expect(page.get_by_text("Votre adresse est rétablie")).to_be_visible()
    page.get_by_label("Mon nouveau mot de passe").fill("coquelicot")
    click("button", "Enregistrer")
    sign_in(page, demo, email, "coquelicot")
    page.goto(demo.url("mairie", "/mes-informations/"))
    click("button", "Se déconnecter partout")
    expect(page.get_by_text("Vous êtes déconnecté de tous vos appareils.")).to_be_visible()


def test_the_manual_for_residents_is_a_page(demo: Demo, open_page: Callable[..., Page]) -> None:
    """Linked from the foot of every page; every picture of the text is there."""
    page = open_page("phone")
    page.goto(demo.url("mairie"))
    page.get_by_role("contentinfo").get_by_role("link", name="Aide").click()
    expect(page.get_by_role("heading", name="Activer mon compte")).to_be_visible()
    source = (Path(__file__).parents[2] / "docs" / "manuel-usager.md").read_text("utf-8")
    named = re.findall(r"images/aide/([\w-]+\.png)", source)
    assert named
    assert page.locator(".shot img").count() == len(named)
    for image in page.locator(".shot img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("e => e.naturalWidth") > 300
