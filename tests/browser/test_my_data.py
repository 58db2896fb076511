"""A resident takes a copy of their data and has their account erased, without scripts; a manager answers."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, activate, reach, sign_in, sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
WHO = "effacement@example.net"
Shot = Callable[[Page, str], None]


def test_a_copy_then_the_erasure(
    demo: Demo, newcomers: None, open_page: Callable[..., Page], shot: Shot, tmp_path: Path
) -> None:
    page = open_page("phone", javascript=False)
    activate(page, demo, WHO)
    sign_in(page, demo, WHO, "coquelicot")
    page.get_by_role("link", name="Mes informations").click()
    page.get_by_role("link", name="Voir mes données").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger mes données").click()
    copy = tmp_path / "copy.zip"
    download.value.save_as(copy)
    with zipfile.ZipFile(copy) as archive:
        assert archive.testzip() is None
        assert WHO in archive.read("json/compte.json").decode()
    page.get_by_role("link", name="Demander l'effacement").click()
    page.get_by_role("button", name="Demander l'effacement").click()
    expect(page.get_by_role("link", name="Cochez la case pour confirmer votre demande.")).to_be_visible()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Demander l'effacement").click()
    expect(page.get_by_role("button", name="Annuler ma demande")).to_be_visible()
    demo.mail(WHO, "Votre demande d'effacement")
    answer(demo, open_page("desktop"), shot)
    demo.mail(WHO, "Vos données sont effacées")
    page.goto(demo.url("mairie", "/factures/"))
    expect(page.get_by_role("button", name="Connexion")).to_be_visible()
    sign_in(page, demo, WHO, "coquelicot")
    expect(page.get_by_text("ne correspond pas").first).to_be_visible()


def answer(demo: Demo, staff: Page, shot: Shot) -> None:
    """With nothing but the keyboard."""
    sign_in_as_manager(staff, demo)
    expect(staff.get_by_role("heading", name="Accueil", level=1)).to_be_visible()
    staff.get_by_role("link", name="demande d'effacement").click()
    for scheme in ("light", "dark"):
        staff.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(staff)
    shot(staff, "gestion-donnees-personnelles")
    reach(staff, WHO)
    staff.keyboard.press("Enter")
    expect(staff.get_by_role("heading", name="Demande d'effacement", level=1)).to_be_visible()
    for scheme in ("light", "dark"):
        staff.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        accessible(staff)
    shot(staff, "gestion-effacement")
    reach(staff, "J'ai vérifié : ceci ne peut pas être annulé")
    staff.keyboard.press("Space")
    reach(staff, "Effacer cette personne")
    staff.keyboard.press("Enter")
    expect(staff.get_by_text("Un dernier message part vers elle.")).to_be_visible()
