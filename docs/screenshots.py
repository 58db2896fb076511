"""`make screenshots`: the pictures of the documentation, taken from a running demo so that they cannot go stale."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from playwright.sync_api import sync_playwright  # noqa: E402

from sandbox.chromium import on_path  # noqa: E402
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.demo import running_demo  # noqa: E402

IMAGES = Path(__file__).parent / "images"


def main() -> None:
    """Sign in as the demonstration's resident and take the list of invoices."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder) / "home") as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=on_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 620}, locale="fr-FR")
        page.goto(demo.url("mairie"))
        page.get_by_label("Mon adresse").fill("resident@example.net")
        page.get_by_label("Mon mot de passe").fill("facture")
        page.get_by_role("button", name="Connexion").click()
        page.get_by_role("heading", name="Mes factures", exact=True).wait_for()
        page.screenshot(path=str(IMAGES / "factures.png"))
        browser.close()


if __name__ == "__main__":
    main()
