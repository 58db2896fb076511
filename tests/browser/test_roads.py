"""The main road, sign-in to payment, with nothing but a keyboard, and with scripts off."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, activate, reach, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


def test_keyboard_only_from_sign_in_to_paid(
    demo: Demo, newcomers: None, open_page: Callable[..., Page]
) -> None:
    page = open_page("desktop")
    activate(page, demo, "clavier@example.net")
    page.goto(demo.url("mairie"))
    reach(page, "Aller au contenu")
    reach(page, "Mon adresse")
    page.keyboard.type("clavier@example.net")
    reach(page, "Mon mot de passe")
    page.keyboard.type("coquelicot")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    reach(page, "Chercher, trier, télécharger")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Numéro, objet ou montant")).to_be_visible()
    reach(page, "Numéro, objet ou montant")
    page.keyboard.type("bibliotheque")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 facture correspond.")).to_be_visible()
    reach(page, "2026-clavier-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bibliothèque")).to_be_visible()
    reach(page, "Régler cette facture")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Informations pour le paiement TIPI")).to_be_visible()
    reach(page, "Accès à l'écran de paiement TIPI")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("paiementws"))
    page.get_by_role("button", name="Payer par carte").focus()  # the Treasury's page is not ours
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    reach(page, "Retour sur la liste des factures")
    page.keyboard.press("Enter")
    expect(page.locator("tr.paid")).to_have_count(1)


def test_without_javascript_from_sign_in_to_paid(
    demo: Demo, newcomers: None, open_page: Callable[..., Page]
) -> None:
    page = open_page("phone", javascript=False)
    activate(page, demo, "sans-script@example.net")
    sign_in(page, demo, "sans-script@example.net", "coquelicot")
    page.locator("summary").click()
    page.get_by_label("Trier par").select_option(label="Montant, grands d'abord")
    page.get_by_role("button", name="Chercher").click()
    expect(page).to_have_url(re.compile("tri=montant-fort"))
    page.get_by_role("link", name="Mes règlements").click()
    page.get_by_role("link", name="Régler la facture 2026-sans-script-1").click()
    page.get_by_role("button", name="Accès à l'écran de paiement TIPI").click()
    page.get_by_role("button", name="Payer par prélèvement").click()
    expect(page.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    page.goto(demo.url("mairie", "/reglements/"))
    expect(page.get_by_role("link", name="Justificatif de paiement")).to_be_visible()


def test_accessible_while_filled_and_wrong(demo: Demo, open_page: Callable[..., Page]) -> None:
    """Pages in the states that a visit to their address does not show: errors, an open search, nothing found."""
    page = open_page("phone")
    page.goto(demo.url("mairie"))
    page.get_by_role("button", name="Connexion").click()
    expect(page.get_by_role("alert")).to_be_focused()  # read out first, and the first Tab leads to the field
    expect(page).to_have_title(re.compile("^À corriger : "))
    accessible(page)
    sign_in(page, demo, "resident@example.net", "facture")
    for path in ("/factures/?q=introuvable", "/factures/?tri=montant&annee=2015", "/factures/?imprimer=1"):
        page.goto(demo.url("mairie", path))
        accessible(page)
