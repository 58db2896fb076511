"""`make screenshots`: the pictures of the documentation, taken from a running demo so that they cannot go stale."""

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from sandbox.chromium import on_path  # noqa: E402
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.browser.people import sign_in  # noqa: E402
from tests.demo import Demo, running_demo  # noqa: E402

IMAGES = Path(__file__).parent / "images"
DESKTOP, PHONE = (1100, 620), (390, 760)


def main() -> None:
    """The demonstration's resident, page by page: the README's picture and those of the resident's manual."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder) / "home") as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=on_path(), args=FLAGS)
        _desktop(_page(browser, DESKTOP), demo)
        phone = _page(browser, PHONE)
        sign_in(phone, demo, "resident@example.net", "facture")
        phone.get_by_role("heading", name="Mes factures", exact=True).wait_for()
        phone.locator("tr.paid").first.scroll_into_view_if_needed()
        _keep(phone, "liste-telephone")
        browser.close()


def _desktop(page: Page, demo: Demo) -> None:
    page.goto(demo.url("mairie"))
    _keep(page, "connexion")
    page.goto(demo.url("mairie", "/activation/"))
    _keep(page, "activation")
    sign_in(page, demo, "resident@example.net", "facture")
    page.get_by_role("heading", name="Mes factures", exact=True).wait_for()
    page.set_viewport_size({"width": DESKTOP[0], "height": 900})  # down to a paid row
    page.screenshot(path=str(IMAGES / "factures.png"))
    _keep(page, "liste")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.get_by_role("link", name="2026-EAU-0042", exact=True).click()
    page.get_by_role("link", name="Régler cette facture").wait_for()
    _keep(page, "facture")
    page.goto(demo.url("mairie", "/reglements/"))
    page.get_by_role("heading", name="Règlements enregistrés").scroll_into_view_if_needed()
    _keep(page, "reglements", full=True)
    page.get_by_role("link", name="Régler la facture 2015-RS-00-8001516").click()
    page.get_by_role("button", name="Accès à l'écran de paiement TIPI").wait_for()
    _keep(page, "paiement")
    page.goto(demo.url("mairie", "/contact/"))
    page.get_by_role("heading", name="Contact", exact=True).wait_for()
    _keep(page, "contact", full=True)


def _page(browser: Browser, size: tuple[int, int]) -> Page:
    return browser.new_page(
        viewport={"width": size[0], "height": size[1]}, locale="fr-FR", color_scheme="light"
    )


def _keep(page: Page, name: str, *, full: bool = False) -> None:
    """In 64 colours: the manual is read on phones, and these are flat pictures."""
    with Image.open(io.BytesIO(page.screenshot(full_page=full))) as picture:
        small = picture.convert("RGB").quantize(64)
        small.save(IMAGES / "aide" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
