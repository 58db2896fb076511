"""The clerk's road in a real browser: send, watch, publish; each page with axe, by keyboard, without scripts."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from sandbox.samples.batch import batch, write_csv, write_zip
from tests.browser.people import sign_in_as_manager
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
PAGES = {
    "accueil": "/gestion/",
    "recherche": "/gestion/recherche/?q=a",
    "imports": "/gestion/imports/",
    "import-nouveau": "/gestion/imports/nouveau/",
    "factures": "/gestion/factures/?etat=toutes",
    "factures-aucune": "/gestion/factures/?q=introuvable",
    "redevables": "/gestion/redevables/",
    "rattachements": "/gestion/rattachements/",
    "messages": "/gestion/messages/",
    "courriels": "/gestion/courriels/",
    "commune": "/gestion/reglages/commune/",
    "regies": "/gestion/reglages/regies/",
    "equipe": "/gestion/equipe/",
    "mon-compte": "/gestion/mon-compte/",
    "donnees": "/gestion/reglages/donnees-personnelles/",
}
FIRST_OF = {"import": "imports", "facture": "factures", "redevable": "redevables", "regie": "regies"}


def accessible(page: Page) -> None:
    """axe-core finds nothing, and nothing is wider than the screen."""
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def sign_in(page: Page, demo: Demo) -> None:
    """As the staff of the second town: the first town's figures belong to the residents' tests."""
    sign_in_as_manager(page, demo, "pechabou")


def files(folder: Path, size: int, series: str) -> tuple[str, str]:
    """A CSV and its ZIP, as billing software hands them over."""
    samples = list(batch(size, series=series, start=date(2026, 11, 2)))
    rows, documents = folder / f"{series}.csv", folder / f"{series}.zip"
    with rows.open("wb") as out:
        write_csv(samples, out)
    with documents.open("wb") as out:
        write_zip(samples, out, "Commune de Pechabou")
    return str(rows), str(documents)


def send(
    page: Page, demo: Demo, rows: str, documents: str | None = None, *, chooses_source: bool = True
) -> None:
    page.goto(demo.url("pechabou", "/gestion/imports/nouveau/"))
    source = page.get_by_label("D'où vient ce fichier")
    if chooses_source and source.count():  # another walk has named one
        source.select_option(index=1)
    page.get_by_label(re.compile("^Le fichier des factures")).set_input_files(rows)
    if documents:
        page.get_by_label("Les PDF des factures").set_input_files(documents)
    page.get_by_role("button", name="Envoyer et vérifier").click()


def test_import_watched_and_published(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path
) -> None:
    page = open_page("desktop")
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    sign_in(page, demo)
    send(page, demo, *files(tmp_path, 150, "2026-901"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("Vous pouvez quitter cette page")).to_be_visible()
    publish = page.get_by_role("button", name=re.compile("Publier 150 factures"))
    expect(publish).to_be_visible(timeout=60_000)
    shot(page, "gestion-apercu-desktop")
    accessible(page)
    publish.click()
    expect(page.get_by_text(re.compile("Publié le"))).to_be_visible(timeout=60_000)
    accessible(page)
    page.get_by_role("link", name="2026-901-000001", exact=True).click()
    expect(page.get_by_text("Rien n'est encore réglé.")).to_be_visible()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Voir la facture").click()
    assert popup.value is not None
    assert not errors  # no script or style was refused by the content security policy


def test_the_same_file_again_and_a_bad_one(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path
) -> None:
    page = open_page("phone")
    sign_in(page, demo)
    rows, _documents = files(tmp_path, 3, "2026-902")
    bad = tmp_path / "faux.csv"
    bad.write_bytes(Path(rows).read_bytes().replace(b"/2026;", b"/26;"))
    send(page, demo, str(bad))
    expect(page.get_by_text("a une année sur deux chiffres").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Télécharger la liste (CSV)")).to_be_visible()
    shot(page, "gestion-erreurs-phone")
    accessible(page)
    page.get_by_text("Abandonner cet import…").click()
    page.get_by_role("button", name="Abandonner cet import").click()
    expect(page.get_by_role("status")).to_contain_text("L'import est abandonné")


def test_too_large_is_said_before_it_leaves(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path
) -> None:
    page = open_page("desktop")
    sign_in(page, demo)
    rows, _documents = files(tmp_path, 1, "2026-903")
    flood = tmp_path / "flood.zip"
    with flood.open("wb") as out:
        out.truncate(200 * 1024 * 1024)
    send(page, demo, rows, str(flood))
    expect(page.get_by_role("status")).to_contain_text("dépassent la limite de 150")
    accessible(page)


def test_the_road_without_scripts(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path
) -> None:
    page = open_page("desktop", javascript=False)
    sign_in(page, demo)
    rows, documents = files(tmp_path, 2, "2026-904")
    flood = tmp_path / "flood.zip"
    with flood.open("wb") as out:
        out.truncate(200 * 1024 * 1024)
    send(page, demo, rows, str(flood))
    expect(page.get_by_role("alert")).to_contain_text("Votre envoi pèse 200")
    expect(page.get_by_role("alert")).to_contain_text("Rien n'a été enregistré.")
    shot(page, "gestion-trop-gros-desktop")
    send(page, demo, rows, documents)
    page.wait_for_timeout(2000)
    page.reload()
    page.get_by_role("button", name=re.compile("Publier 2 factures")).click(timeout=30_000)
    expect(page.get_by_role("list", name="Étapes de l'import")).to_be_visible()


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_every_page_can_be_used_by_everybody(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    for dark in (False, True):
        page = open_page(width, dark=dark)
        sign_in(page, demo)
        paths = dict(PAGES)
        for name, of in FIRST_OF.items():
            page.goto(demo.url("pechabou", PAGES[of]))
            paths[name] = page.locator("td.main a").first.get_attribute("href") or ""
        for name, path in paths.items():
            page.goto(demo.url("pechabou", path))
            shot(page, f"gestion-{name}-{width}{'-sombre' if dark else ''}")
            accessible(page)


def test_by_keyboard(demo: Demo, open_page: Callable[..., Page]) -> None:
    page = open_page("desktop")
    sign_in(page, demo)
    page.goto(demo.url("pechabou", "/gestion/"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenu"
    page.keyboard.press("Control+k")
    page.keyboard.type("diane")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("diane")
    phone = open_page("phone")
    sign_in(phone, demo)
    menu = phone.get_by_role("button", name="Menu")
    expect(phone.get_by_role("link", name="Redevables")).to_be_hidden()
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(phone.get_by_role("link", name="Redevables")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(phone.get_by_role("link", name="Redevables")).to_be_hidden()
