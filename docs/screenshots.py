"""`make screenshots`: the pictures of the documentation, taken from a running demo so that they cannot go stale."""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from sandbox.chromium import on_path  # noqa: E402
from sandbox.messages import merged  # noqa: E402
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.demo import Demo, running_demo  # noqa: E402

IMAGES = Path(__file__).parent / "images"
DESKTOP, PHONE = (1100, 620), (390, 760)
Say = Callable[[str], str]  # the French → what stands on the page


def main() -> None:
    """The demonstration's resident, page by page: the README's picture and those of the manual, in each language."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder) / "home") as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=on_path(), args=FLAGS)
        for language, locale in (("fr", "fr-FR"), ("en", "en-GB")):
            _language(browser, demo, language, locale)
        browser.close()


def _language(browser: Browser, demo: Demo, language: str, locale: str) -> None:
    say, folder = _words(language), IMAGES / "aide" / ("" if language == "fr" else language)
    folder.mkdir(exist_ok=True)
    _desktop(_page(browser, DESKTOP, locale), demo, say, folder)
    phone = _page(browser, PHONE, locale)
    _sign_in(phone, demo, say)
    phone.locator("tr.paid").first.scroll_into_view_if_needed()
    _keep(phone, folder / "liste-telephone.png")


def _words(language: str) -> Say:
    """From the catalogue, so that a label that changes is still found."""
    known = {entry.msgid: entry.msgstr for entry in merged(language)}
    return lambda french: known.get(french, french)


def _desktop(page: Page, demo: Demo, say: Say, folder: Path) -> None:
    page.goto(demo.url("mairie"))
    _keep(page, folder / "connexion.png", full=True)
    page.goto(demo.url("mairie", "/activation/"))
    _keep(page, folder / "activation.png")
    _sign_in(page, demo, say)
    page.set_viewport_size({"width": DESKTOP[0], "height": 900})  # down to a paid row
    if folder == IMAGES / "aide":
        page.screenshot(path=str(IMAGES / "factures.png"))
    _keep(page, folder / "liste.png")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.get_by_role("link", name="2026-EAU-0042", exact=True).click()
    page.get_by_role("link", name=say("Régler cette facture")).wait_for()
    _keep(page, folder / "facture.png")
    page.goto(demo.url("mairie", "/reglements/"))
    page.get_by_role("heading", name=say("Règlements enregistrés")).scroll_into_view_if_needed()
    _keep(page, folder / "reglements.png", full=True)
    page.locator("a.btn[href$='/payer/']", has_text="2015-RS-00-8001516").click()
    page.get_by_role("button", name=say("Accès à l'écran de paiement TIPI")).wait_for()
    _keep(page, folder / "paiement.png")
    page.goto(demo.url("mairie", "/contact/"))
    page.get_by_role("heading", name=say("Contact"), exact=True).wait_for()
    _keep(page, folder / "contact.png", full=True)


def _sign_in(page: Page, demo: Demo, say: Say) -> None:
    page.goto(demo.url("mairie"))
    page.get_by_label(say("Mon adresse")).fill("resident@example.net")
    page.get_by_label(say("Mon mot de passe")).fill("facture")
    page.get_by_role("button", name=say("Connexion"), exact=True).click()
    page.get_by_role("heading", name=say("Mes factures"), exact=True).wait_for()


def _page(browser: Browser, size: tuple[int, int], locale: str) -> Page:
    return browser.new_page(
        viewport={"width": size[0], "height": size[1]}, locale=locale, color_scheme="light"
    )


def _keep(page: Page, file: Path, *, full: bool = False) -> None:
    """In 64 colours: the manual is read on phones, and these are flat pictures."""
    with Image.open(io.BytesIO(page.screenshot(full_page=full))) as picture:
        small = picture.convert("RGB").quantize(64)
        small.save(file, optimize=True)


if __name__ == "__main__":
    main()
