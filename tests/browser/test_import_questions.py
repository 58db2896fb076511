"""What an import asks about people, in a real browser: old beside new, answered by keyboard, read with axe."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_clerk import accessible, send, sign_in
from tests.demo import Demo
from tests.invoices.importing.bills import HEADER, bill

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]


def written(folder: Path, name: str, *lines: str) -> str:
    path = folder / f"{name}.csv"
    path.write_text("\r\n".join((HEADER, *lines)), "utf-8")
    return str(path)


@pytest.mark.parametrize(("width", "series"), [("desktop", "701"), ("phone", "702")])
def test_answered_by_keyboard_then_published(
    demo: Demo, open_page: Callable[..., Page], shot: Shot, tmp_path: Path, width: str, series: str
) -> None:
    page = open_page(width)
    sign_in(page, demo)
    known = (
        bill(f"Q{series}1", f"00{series}"),
        bill(f"Q{series}2", f"W{series}", "GARNIER", "Luc", email="luc@example.org"),
        bill(f"Q{series}3", f"V{series}", "MOREL", "Eva", email="eva@example.org"),
    )
    send(page, demo, written(tmp_path, "connus", *known))
    page.get_by_role("button", name="Publier 3 factures").click(timeout=60_000)
    expect(page.get_by_text(re.compile("Publié le"))).to_be_visible(timeout=60_000)

    asked = (
        bill(f"Q{series}4", series),
        bill(
            f"Q{series}5",
            f"W{series}",
            "BERNARD",
            "Zoé",
            street="12 avenue des Pyrénées",
            email="zoe@example.org",
        ),
        bill(f"Q{series}6", f"V{series}", "MOREL", "Eva", street="8 rue Neuve", email="eva@example.org"),
    )
    send(page, demo, written(tmp_path, "suivants", *asked))
    expect(page.get_by_role("heading", name="Est-ce la bonne personne ?")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=re.compile("Publier"))).to_be_hidden()
    expect(page.get_by_text("le fichier le donne à Zoé BERNARD")).to_be_visible()
    expect(page.locator("del")).to_contain_text("4 rue du Four")
    expect(page.locator("ins")).to_contain_text("8 rue Neuve")
    shot(page, f"gestion-questions-{width}")
    accessible(page)

    to_questions = page.get_by_role("link", name="Voir les questions")
    to_questions.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    first = page.get_by_role("button", name="C'est la même personne (ligne 2)")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Répondu le").first).to_be_visible()
    page.get_by_role("button", name="C'est la même personne (ligne 3)").press("Enter")
    expect(page.get_by_text("Répondu le")).to_have_count(2)
    accessible(page)
    page.get_by_role("button", name="Publier 3 factures").press("Enter")
    expect(page.get_by_text(re.compile("Publié le"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Ce qui a changé des redevables")).to_be_visible()
    accessible(page)


def test_another_source_is_named(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("phone")
    sign_in(page, demo)
    page.goto(demo.url("pechabou", "/gestion/imports/nouveau/"))
    page.get_by_text("Ce fichier vient d'un autre logiciel").or_(
        page.get_by_text("Une autre provenance…")
    ).click()
    name = page.get_by_label("Le nom de cette autre provenance")
    expect(name).to_be_visible()
    shot(page, "gestion-provenance-phone")
    accessible(page)
