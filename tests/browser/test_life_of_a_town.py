"""A town's whole life as people meet it: invited, suspended, at another address, leaving, gone."""

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from sandbox.home import REPOSITORY
from tests.browser.test_walk import Shot, accessible, sign_in
from tests.demo import Demo, wait

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
PASSWORD = "un mot de passe bien long"


def manage(demo: Demo, *words: str) -> str:
    result = subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), *words],
        env={**os.environ, **demo.home.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def shows(page: Page, url: str, words: str) -> None:
    """Every process knows of it within five seconds."""

    def there() -> bool:
        page.goto(url)
        return page.get_by_text(words).first.is_visible()

    wait(there, 20)


def test_from_the_invitation_to_the_last_page(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    said = manage(demo, "create_town", "lauzerte", "Commune de Lauzerte", "--manager", "maire@example.org")
    assert demo.url("lauzerte", "") in said
    mail = demo.mail("maire@example.org", "Vous rejoignez")["text"]
    link = re.search(r"http\S+LIEN=X[0-9a-f]{32}", mail)
    assert link

    # At another address before the link was followed: it still serves.
    manage(demo, "rename_town", "lauzerte", "ville-de-lauzerte")
    page = open_page("phone")
    shows(page, demo.url("lauzerte"), "Voir et régler mes factures")
    wait(lambda: page.goto(link[0]) and page.url.startswith(demo.url("ville-de-lauzerte", "")), 20)
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.get_by_role("button", name="Ouvrir mon compte").click()
    expect(page.get_by_text("Bienvenue : votre compte est ouvert.")).to_be_visible()
    page = open_page("phone")
    sign_in(page, demo, "maire@example.org", PASSWORD, host="lauzerte")  # whose form is at the new address
    expect(page).to_have_url(demo.url("ville-de-lauzerte", "/gestion/"))

    manage(demo, "suspend_town", "ville-de-lauzerte", "--reason", "essai")
    shows(page, demo.url("ville-de-lauzerte", "/gestion/"), "momentanément fermé")
    accessible(page)
    shot(page, "commune-suspendue-phone")
    manage(demo, "resume_town", "ville-de-lauzerte")
    shows(page, demo.url("ville-de-lauzerte", "/gestion/"), "Importer des factures")  # still signed in

    manage(demo, "close_town", "ville-de-lauzerte", "--reason", "regroupement")
    shows(page, demo.url("ville-de-lauzerte", "/gestion/"), "Ce portail ferme")
    accessible(page)
    visitor = open_page("phone", dark=True)
    shows(visitor, demo.url("lauzerte"), "Ce portail ferme")
    accessible(visitor)
    shot(visitor, "commune-qui-ferme-phone")
