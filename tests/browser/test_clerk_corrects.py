"""Three thousand rows with twelve errors: corrected on the page, the rest published without them, in few presses."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.samples.batch import HEADER, batch, write_csv
from tests.browser.test_clerk import Shot, accessible, send, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
ROWS, WRONG, MOST_PRESSES = 3000, 12, 9
_COUNT = """
window.__presses = Number(sessionStorage.presses || 0);
addEventListener("click", () => sessionStorage.setItem("presses", ++window.__presses), true);
"""


def a_file(folder: Path) -> str:
    """Twelve rows have an amount, a date or an address that cannot be read."""
    path = folder / "cantine.csv"
    with path.open("wb") as out:
        write_csv(batch(ROWS, series="2026-905", start=date(2026, 11, 2)), out)
    lines = path.read_bytes().split(b"\r\n")
    for n in range(WRONG):
        at = 100 + 200 * n
        cells = lines[at].split(b";")
        if n % 3 == 0:
            cells[3] = b"douze euros"
        elif n % 3 == 1:
            cells[2] = b"31/02/2027"
        else:
            at_mail = HEADER.index("E-mail")
            cells[at_mail] = cells[at_mail].replace(b"@", b" chez ")
        lines[at] = b";".join(cells)
    path.write_bytes(b"\r\n".join(lines))
    return str(path)


def test_corrected_here_and_published(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path
) -> None:
    page = open_page("desktop")
    sign_in(page, demo)
    page.add_init_script(_COUNT)
    send(page, demo, a_file(tmp_path))
    expect(page.get_by_text(re.compile(f"{WRONG} lignes ont une erreur"))).to_be_visible(timeout=120_000)
    shot(page, "import-a-corriger-desktop")
    accessible(page)
    page.get_by_role("button", name=re.compile("garder les 12")).click()
    publish = page.get_by_role("button", name=re.compile("Publier 2.988 factures"))
    expect(publish).to_be_visible(timeout=120_000)
    shot(page, "import-garde-desktop")
    accessible(page)
    publish.click()
    expect(page.get_by_text(re.compile("Publié le"))).to_be_visible(timeout=120_000)
    shot(page, "import-publie-partie-desktop")
    accessible(page)
    for box in page.locator("[aria-invalid=true]").all():
        right = box.input_value().replace(" chez ", "@")
        text = {"Montant": "12,50", "Échéance": "31/12/2026", "E-mail": right}
        label = page.locator(f"label[for={box.get_attribute('id')}]").inner_text()
        box.fill(text[label])
    page.get_by_role("button", name="Enregistrer et vérifier de nouveau").click()
    publish = page.get_by_role("button", name=re.compile("Publier 12 factures"))
    expect(publish).to_be_visible(timeout=120_000)
    shot(page, "import-corrige-desktop")
    publish.click()
    expect(page.get_by_text(re.compile("Publié le"))).to_be_visible(timeout=120_000)
    assert int(page.evaluate("sessionStorage.presses")) <= MOST_PRESSES
    page.goto(page.url)
    expect(page.get_by_text("gardées de côté")).to_have_count(0)
