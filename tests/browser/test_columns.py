"""A file with titles of its own, in a real browser: its columns said by keyboard, and without scripts; with axe."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, sign_in_as_manager
from tests.browser.test_clerk import send, sign_in
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
TITLES = "Pièce;Émise;Famille;Somme;Solde;Prestation;Observations {width}"


def written(folder: Path, width: str, series: str, name: str = "liste") -> str:
    rows = (
        f"{series}{n};03/11/2026;{family};{amount};{amount};Périscolaire;"
        for n, (family, amount) in enumerate(
            (("DUPONT et ÉTIENNE", "24,90 €"), ("MARTIN Zoé", "12,00 €"), ("LEFÈVRE Aïcha", "55,10 €")), 1
        )
    )
    path = folder / f"{name}.csv"
    path.write_text("\r\n".join((TITLES.format(width=width), *rows)), "utf-8")
    return str(path)


def look(page: Page, shot: Shot, name: str, *, javascript: bool = True) -> None:
    """A picture, axe in both schemes where scripts run, and nothing wider than the screen."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        shot(page, f"{name}-{scheme}")
        if javascript:
            accessible(page)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"


def other_source(page: Page, demo: Demo, name: str, path: str) -> None:
    """Send the file as the first one of a source of that name."""
    page.goto(demo.url("pechabou", "/gestion/imports/nouveau/"))
    page.get_by_text("autre logiciel ou d'un autre budget").or_(
        page.get_by_text("Une autre provenance…")
    ).click()
    page.get_by_label("Le nom de cette autre provenance").fill(name)
    if (chosen := page.get_by_label("D'où vient ce fichier")).count():
        chosen.select_option("autre")
    page.get_by_label(re.compile("Le fichier des factures")).set_input_files(path)
    page.get_by_role("button", name="Envoyer et vérifier").click()


@pytest.mark.parametrize(("width", "javascript"), [("desktop", True), ("phone", True), ("phone", False)])
def test_her_own_titles_are_said_once(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path, width: str, javascript: bool
) -> None:
    page = open_page(width, javascript=javascript)
    marked = "" if javascript else "-sans-script"
    name = f"Liste {width}{marked}"
    series = f"{width}{marked}"
    sign_in(page, demo)
    other_source(page, demo, name, written(tmp_path, series, f"{width[0]}{len(marked)}".upper()))
    expect(page.get_by_role("link", name="Envoyer le fichier corrigé")).to_be_visible(timeout=60_000)
    page.goto(f"{page.url}colonnes/")
    expect(page.get_by_text("Rien ne peut être lu encore")).to_be_visible()
    look(page, shot, f"gestion-colonnes-{width}{marked}", javascript=javascript)

    page.get_by_label("Pièce").focus()
    page.keyboard.type("Numéro")
    page.get_by_label("Émise").select_option("issued_on")
    page.get_by_label("Famille", exact=True).select_option("payer")
    page.get_by_label("Somme").select_option("issued_on")
    page.get_by_label("Prestation").select_option("subject")
    page.get_by_role("button", name="Garder et vérifier le fichier").click()
    expect(page.get_by_role("heading", name="Il y a quelque chose à corriger")).to_be_visible()
    expect(page.get_by_label("Pièce")).to_have_value("number")
    look(page, shot, f"gestion-colonnes-refusees-{width}{marked}", javascript=javascript)

    page.get_by_label("Somme").select_option("amount")
    page.get_by_label(re.compile("à qui est une facture")).select_option("name")
    page.get_by_label(re.compile("échéance de celles")).fill("30")
    page.get_by_role("button", name="Voir l'aperçu").click()
    expect(page.get_by_role("cell", name="LEFÈVRE Aïcha")).to_have_count(
        2
    )  # a value, and a row as it will be read
    expect(page.get_by_text("Ce fichier est lu comme des factures.")).to_be_visible()
    look(page, shot, f"gestion-colonnes-apercu-{width}{marked}", javascript=javascript)
    page.get_by_role("button", name="Garder et vérifier le fichier").press("Enter")
    expect(page.get_by_role("button", name="Publier 3 factures")).to_be_visible(timeout=60_000)
    second = written(tmp_path, series, f"{width[0]}{len(marked)}2".upper(), "suivante")
    send(page, demo, second, chooses_source=False)  # its titles say it
    expect(page.get_by_text(f"Provenance : {name}.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Publier 3 factures")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("width", list(WIDTHS))
def test_the_rules_of_a_source(demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str) -> None:
    page = open_page(width)
    sign_in_as_manager(page, demo, "pechabou")
    page.goto(demo.url("pechabou", "/gestion/reglages/provenances/"))
    page.get_by_role("table").get_by_role("link").last.click()
    expect(page.get_by_label("Le nom de cette provenance")).to_be_visible()
    look(page, shot, f"settings-provenance-{width}")
