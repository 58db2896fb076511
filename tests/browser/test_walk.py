"""The resident's road in a real browser: activation → sign-in → list → PDF → pay → yellow row (docs/manual.md)."""

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, Response, expect

from tests.browser.people import accessible, link_in, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]


def is_the_pdf(response: Response) -> bool:
    return "/invoices/" in response.url and response.status == 200


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_sign_in_asks_for_what_is_missing(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    page = open_page(width)
    page.goto(demo.url("mairie"))
    shot(page, f"connexion-{width}")
    accessible(page)
    for words in ("Se souvenir de moi", "Activer mon compte", "Mot de passe oublié"):
        expect(page.get_by_text(words)).to_be_visible()
    page.get_by_role("button", name="Connexion").click()
    expect(page.get_by_role("alert")).to_contain_text("Écrivez votre adresse e-mail.")
    expect(page.get_by_role("alert")).to_contain_text("Écrivez votre mot de passe.")
    shot(page, f"connexion-vide-{width}")
    accessible(page)
    sign_in(page, demo, "resident@example.net", "faux")
    expect(page.get_by_role("alert")).to_contain_text("ne correspond pas")


def test_activation_to_yellow_row(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("phone")
    page.goto(demo.url("mairie"))
    page.get_by_role("link", name="Activer mon compte").click()
    shot(page, "activation-phone")
    accessible(page)
    page.get_by_label("Mon adresse").fill("nouveau@example.net")
    page.get_by_role("button", name="Recevoir le message").click()
    expect(page.get_by_role("heading", name="Regardez vos messages")).to_be_visible()
    shot(page, "message-envoye-phone")
    accessible(page)

    text = demo.mail("nouveau@example.net", "Activez votre compte")["text"]
    link = re.search(r"http://mairie\.localhost:\d+/\?LIEN=X[0-9a-f]{32}", text)
    assert link, text
    page.goto(link[0])
    expect(page.get_by_text("Au moins 5 caractères.")).to_be_visible()
    shot(page, "mot-de-passe-phone")
    accessible(page)
    page.get_by_label("Mon nouveau mot de passe").fill("abcd")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("au moins 5 caractères")
    page.get_by_label("Mon nouveau mot de passe").fill("coquelicot")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", name="Mon compte est activé")).to_be_visible()
    page.goto(link[0])
    expect(page.get_by_text("Ce lien a déjà servi")).to_be_visible()
    shot(page, "lien-deja-servi-phone")
    accessible(page)

    sign_in(page, demo, "nouveau@example.net", "coquelicot")
    expect(page.get_by_text("Vous avez 2 factures à régler")).to_be_visible()
    expect(page.get_by_text("70,60")).to_be_visible()
    shot(page, "factures-phone")
    accessible(page)
    page.get_by_role("link", name="Voir la facture 2026-001-00101").click()
    shot(page, "facture-phone")
    accessible(page)

    expect(page.get_by_role("link", name="Voir et imprimer la facture")).to_be_visible()
    with page.expect_event("popup"), page.context.expect_event("response", is_the_pdf) as signed:
        page.get_by_role("link", name="Voir et imprimer la facture").click()
    assert signed.value.url.startswith(f"http://127.0.0.1:{demo.home.ports['s3']}/")
    assert requests.get(signed.value.url, timeout=10).content.startswith(b"%PDF-")

    page.get_by_role("link", name="Régler cette facture").click()
    expect(page.get_by_role("heading", name="Informations pour le paiement TIPI")).to_be_visible()
    expect(page.get_by_text("001964")).to_be_visible()
    shot(page, "payer-phone")
    accessible(page)
    page.get_by_role("button", name="Accès à l'écran de paiement TIPI").click()
    expect(page).to_have_url(re.compile(r"//payfip\.localhost:\d+/tpa/paiementws\.web\?idop="))
    shot(page, "simulateur-phone")
    page.get_by_role("button", name="Payer par carte").click()
    expect(page.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    shot(page, "paye-phone")
    accessible(page)
    page.get_by_role("link", name="Retour sur la liste des factures").click()
    paid = page.locator("tr.paid")
    expect(paid).to_contain_text("2026-001-00101")
    expect(paid).to_contain_text("Réglée")
    assert paid.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 246, 207)"
    shot(page, "factures-payee-phone")
    assert demo.mail("nouveau@example.net", "Votre règlement est enregistré")
    assert len([m for m in demo.mails("nouveau@example.net") if "règlement" in m["subject"]]) == 1


def test_the_manual_s_list(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("desktop")
    sign_in(page, demo, "resident@example.net", "facture")
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    shot(page, "factures-desktop")
    accessible(page)
    heads = [cell.strip(" ↓") for cell in page.locator("thead th").all_inner_texts()]
    assert heads[:5] == ["Date", "Echéance", "Montant", "Numéro", "Objet"]
    row = page.get_by_role("row").filter(has_text="2016-001-000096")
    for cell in ("19/10/2015", "30/10/2015", "32,00", "FACTURATION"):
        expect(row).to_contain_text(cell)
    page.get_by_role("link", name="Factures réglées").click()
    expect(page.locator("tbody tr:not(.year)")).to_have_count(2)
    expect(page.locator("tbody tr.paid")).to_have_count(2)
    assert (
        page.locator("tr.paid td").first.evaluate("e => getComputedStyle(e).backgroundColor")
        == "rgb(255, 246, 207)"
    )
    page.get_by_role("link", name="Factures non réglées").click()
    expect(page.locator("tbody tr:not(.year)")).to_have_count(4)
    assert (
        page.locator("tbody td").first.evaluate("e => getComputedStyle(e).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    page.get_by_role("link", name="2015-RS-00-8001516").click()
    shot(page, "facture-desktop")
    accessible(page)


def test_my_details_and_contact(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("phone")
    sign_in(page, demo, "resident@example.net", "facture")
    for name, picture in (
        ("Mes règlements", "reglements"),
        ("Mes informations", "informations"),
        ("Contact", "contact"),
    ):
        page.get_by_role("navigation", name="Menu principal").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        shot(page, f"{picture}-phone")
        accessible(page)
    page.get_by_label("Le sujet").fill("Ma facture de cantine")
    page.get_by_label("Mon message").fill("Bonjour,\nmon fils n'a pas mangé le 12.\nMerci")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("Votre message est envoyé")).to_be_visible()
    mail = demo.mail("regie@example.net", "Ma facture de cantine")
    assert "mon fils n'a pas mangé le 12." in mail["text"]


@pytest.mark.parametrize("choice", ["Carte refusée", "Abandonner"])
def test_not_paid(demo: Demo, open_page: Callable[..., Page], shot: Shot, choice: str) -> None:
    page = open_page("desktop")
    sign_in(page, demo, "resident@example.net", "facture")
    number = {"Carte refusée": "2016-001-000096", "Abandonner": "2015-001-001078"}[choice]
    page.get_by_role("link", name=number).click()
    page.get_by_role("link", name="Régler cette facture").click()
    shot(page, "payer-desktop")
    page.get_by_role("button", name="Accès à l'écran de paiement TIPI").click()
    page.get_by_role("button", name=choice).click()
    words = {
        "Carte refusée": "Le paiement a été refusé",
        "Abandonner": "Vous avez quitté la page de paiement",
    }[choice]
    expect(page.locator("#outcome")).to_contain_text(words)
    shot(page, f"non-paye-{choice.split()[0].lower()}-desktop")
    accessible(page)


def test_another_town_knows_nobody_of_here(demo: Demo, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, demo, "resident@example.net", "facture", host="pechabou")
    expect(page.get_by_role("alert")).to_contain_text("ne correspond pas")


def test_tipi_in_a_new_window(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    """Pay by the redirect: a popup, the warning about it, a way without it, and an answer that nothing proves."""
    page = open_page("desktop")
    sign_in(page, demo, "resident@example.net", "facture")
    page.get_by_role("link", name="2026-EAU-0042").click()
    page.get_by_role("link", name="Régler cette facture").click()
    expect(page.get_by_text("autorisez les fenêtres")).to_be_visible()
    expect(page.get_by_role("button", name="Continuer sans nouvelle fenêtre")).to_be_visible()
    shot(page, "payer-tipi-desktop")
    accessible(page)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Accès à l'écran de paiement TIPI").click()
    popup = opened.value
    expect(popup).to_have_url(re.compile(r"//payfip\.localhost:\d+/tpa/paiement\.web\?numcli=001966&"))
    popup.get_by_role("button", name="Payer par carte").click()
    expect(popup.get_by_text("revenir au portail")).to_be_visible()
    page.get_by_role("link", name="J'ai terminé le paiement").click()
    expect(page.get_by_role("heading", name="Votre paiement est annoncé")).to_be_visible()
    shot(page, "annonce-tipi-desktop")
    accessible(page)
    page.get_by_role("link", name="Retour sur la liste des factures").click()
    paid = page.locator("tr.paid").filter(has_text="2026-EAU-0042")
    expect(paid).to_have_count(0)

    clerk = open_page("desktop")
    sign_in(clerk, demo, "agent@example.net", "facture")
    clerk.goto(demo.url("mairie", "/gestion/factures/?q=2026-EAU-0042"))
    clerk.get_by_role("link", name="2026-EAU-0042").click()
    shot(clerk, "gestion-annonce-desktop")
    accessible(clerk)
    clerk.get_by_role("button", name="L'argent est arrivé").click()
    expect(clerk.get_by_text("Le paiement est enregistré.")).to_be_visible()
    page.reload()
    expect(paid).to_have_count(1)


def test_new_address_and_forgotten_password(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    """« Mes informations » and a forgotten password, with Pechabou's Diane: the other walks keep their people."""
    page = open_page("phone")
    sign_in(page, demo, "diane@example.org", "facture", host="pechabou")
    page.goto(demo.url("pechabou", "/mes-informations/"))
    page.get_by_label("Ma nouvelle adresse").fill("diane.durand@example.org")
    form = page.locator("form").filter(has=page.get_by_label("Ma nouvelle adresse"))
    form.get_by_label("Mon mot de passe actuel").fill("facture")
    page.get_by_role("button", name="Changer mon adresse").click()
    expect(page.get_by_text("Un message part vers diane.durand@example.org")).to_be_visible()
    page.goto(link_in(demo, "diane.durand@example.org", "Confirmez votre nouvelle adresse"))
    shot(page, "confirmer-adresse-phone")
    accessible(page)
    page.get_by_role("button", name="Confirmer cette adresse").click()
    expect(page.get_by_role("heading", name="Mon adresse est changée")).to_be_visible()
    assert demo.mail("diane@example.org", "Votre adresse a changé")

    page.get_by_role("link", name="Aller à la connexion").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.get_by_role("link", name="Mot de passe oublié").click()
    page.get_by_label("Mon adresse").fill("diane.durand@example.org")
    page.get_by_role("button", name="Recevoir le message").click()
    page.goto(link_in(demo, "diane.durand@example.org", "Votre nouveau mot de passe"))
    page.get_by_label("Mon nouveau mot de passe").fill("court")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("au moins 12 caractères")
    page.get_by_label("Mon nouveau mot de passe").fill("le lac gelé en février")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", name="Mon mot de passe est changé")).to_be_visible()
    sign_in(page, demo, "diane.durand@example.org", "le lac gelé en février", host="pechabou")
    expect(page.get_by_text("Vous avez 1 facture à régler")).to_be_visible()
