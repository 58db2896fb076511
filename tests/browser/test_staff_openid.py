"""A town offers a provider to its staff: a colleague joins and signs in without a password, with both steps, in a real
browser (decision 67)."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import link_in, sign_in_as_manager
from tests.browser.test_openid import HEARD, over_there
from tests.browser.test_two_steps import codes_of, look
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
PAGE = "/gestion/reglages/connexion-agents/"


@pytest.fixture
def manager(demo: Demo, issuer: str, open_page: Callable[..., Page]) -> Iterator[Page]:
    """A manager's page of the settings, saved with a provider, which goes again afterwards."""
    page = open_page("desktop")
    sign_in_as_manager(page, demo)
    page.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    page.get_by_role("link", name="Connexion des agents").click()
    expect(page.get_by_role("heading", name="Connexion des agents", level=1)).to_be_visible()
    page.get_by_label("L'adresse du fournisseur").fill(issuer)
    page.get_by_label("L'identifiant client").fill("la-commune")
    page.get_by_label("La clé secrète").fill("un-secret")
    page.get_by_label("Le proposer aux agents").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les réglages de connexion des agents sont enregistrés.")).to_be_visible()
    page.wait_for_timeout(HEARD)  # another process may still show the page without the button
    yield page
    page.goto(demo.url("mairie", PAGE))
    page.get_by_label("Le proposer aux agents").uncheck()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les réglages de connexion des agents sont enregistrés.")).to_be_visible()
    page.wait_for_timeout(HEARD)


def test_the_whole_road(demo: Demo, manager: Page, open_page: Callable[..., Page], shot: Shot) -> None:
    manager.get_by_role("button", name="Essayer").click()
    expect(manager.get_by_text("L'adresse est la bonne")).to_be_visible()
    look(manager, shot, "oidc-settings")
    manager.get_by_label("Les agents se connectent seulement ainsi").check()
    manager.get_by_role("button", name="Enregistrer").click()
    expect(manager.get_by_text("tous ne sont pas reliés").first).to_be_visible()  # nobody is locked out
    look(manager, shot, "oidc-settings-refused")
    for width in WIDTHS:
        joined(demo, manager, open_page(width), shot, width)
        linked(demo, manager, shot, width)


def joined(demo: Demo, manager: Page, page: Page, shot: Shot, width: str) -> None:
    """The invitation without a password, the second factor, then both steps."""
    email, subject = f"oidc-{width}@example.net", f"agent-{width}"
    manager.goto(demo.url("mairie", "/gestion/equipe/"))
    manager.get_by_label("Prénom et nom").fill(f"Noa {width}")
    manager.get_by_label("Adresse e-mail professionnelle").fill(email)
    manager.get_by_label("Responsable").check()
    manager.get_by_role("button", name="Envoyer l'invitation").click()
    page.goto(link_in(demo, email, "Vous rejoignez la gestion des factures"))
    look(page, shot, f"oidc-join-{width}")
    page.get_by_role("link", name="Continuer avec ProConnect").click()
    over_there(page, subject)
    expect(page.get_by_text("ProConnect vous a reconnu")).to_be_visible()
    look(page, shot, f"oidc-recognised-{width}")
    page.get_by_role("button", name="C'est moi : ouvrir mon compte").click()
    expect(page.get_by_text("Bienvenue : votre compte est ouvert.")).to_be_visible()
    assert "ProConnect ouvre votre compte" in demo.mail(email, "ProConnect ouvre")["subject"]
    page.goto(demo.url("mairie", "/gestion/reglages/commune/"))
    expect(page.get_by_role("heading", name="Protégez votre compte")).to_be_visible()
    page.get_by_role("link", name="Utiliser une application").click()
    secret = page.locator("code.secret").inner_text()
    codes = codes_of(demo, secret)
    page.get_by_label("Le code que l'application affiche").fill(codes["code"])
    page.get_by_role("button", name="Protéger mon compte").click()
    page.goto(demo.url("mairie", "/gestion/mon-compte/"))
    look(page, shot, f"oidc-account-{width}")
    if width == "phone":
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Se déconnecter", exact=True).click()
    page.wait_for_url("**/oauth2/end_session**")  # over there too, where one confirms
    page.goto(demo.url("mairie"))
    look(page, shot, f"oidc-sign-in-{width}")
    page.get_by_role("link", name="Se connecter avec ProConnect").click()
    over_there(page, f"inconnu-{width}")
    expect(page.get_by_role("heading", name="Vous n'êtes pas encore de l'équipe")).to_be_visible()
    look(page, shot, f"oidc-unknown-{width}")
    page.goto(demo.url("mairie", "/?suite=/gestion/equipe/"))
    page.get_by_role("link", name="Se connecter avec ProConnect").click()
    over_there(page, subject)
    expect(page.get_by_role("heading", name="Confirmez que c'est bien vous")).to_be_visible()
    page.get_by_label("Mon code").fill(codes_of(demo, secret)["next"])
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Équipe", level=1)).to_be_visible()


def linked(demo: Demo, page: Page, shot: Shot, width: str) -> None:
    """The manager links the account that has a password, and unlinks it."""
    page.set_viewport_size({"width": WIDTHS[width][0], "height": WIDTHS[width][1]})
    page.goto(demo.url("mairie", "/gestion/mon-compte/"))
    page.get_by_role("link", name="Relier ProConnect à mon compte").click()
    look(page, shot, f"oidc-own-{width}")
    page.get_by_role("link", name="Relier ProConnect à mon compte").click()
    over_there(page, "chef@ailleurs.example.org")
    expect(page.get_by_text("ProConnect vous a reconnu")).to_be_visible()
    look(page, shot, f"oidc-link-{width}")
    page.get_by_role("button", name="C'est moi : relier mon compte").click()
    expect(page.get_by_text("Votre compte est relié à ProConnect.").first).to_be_visible()
    look(page, shot, f"oidc-linked-{width}")
    page.get_by_role("button", name="Supprimer ce lien").click()
    expect(page.get_by_text("ProConnect n'est plus relié à votre compte.")).to_be_visible()
