"""The counter and the reconciliation in a real browser: by keyboard, without scripts, each page with axe."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_clerk import Shot, accessible, sign_in
from tests.demo import Demo
from tests.reconciliation.pes import bordereau, line, pes, piece

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
PAGES = {
    "encaissements": "/gestion/encaissements/",
    "encaissement-nouveau": "/gestion/encaissements/nouveau/?q=diane",
    "trop-percus": "/gestion/encaissements/trop-percus/",
    "declarations": "/gestion/encaissements/declarations/",
    "remises": "/gestion/remises/",
    "remise-nouvelle": "/gestion/remises/nouvelle/",
    "rapprochement": "/gestion/rapprochement/",
    "rapprochement-nouveau": "/gestion/rapprochement/nouveau/",
    "absents": "/gestion/rapprochement/absents/",
    "journees": "/gestion/rapprochement/journees/",
}


def book(page: Page, demo: Demo, amount: str) -> None:
    """A part payment in cash of Diane's invoice, as far as the button."""
    page.goto(demo.url("pechabou", "/gestion/encaissements/nouveau/"))
    page.get_by_label("Numéro de facture, référence ou nom").fill("2026-EAU-0007")
    page.get_by_label("Numéro de facture, référence ou nom").press("Enter")
    page.get_by_role("checkbox", name="2026-EAU-0007").check()
    page.get_by_role("button", name="Ajouter les factures cochées").click()
    page.get_by_label("Montant pour la facture 2026-EAU-0007").fill(amount)
    page.get_by_label("Espèces").check()


def test_the_counter_and_its_undo(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    page = open_page("desktop")
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    sign_in(page, demo)
    book(page, demo, "12,5")
    expect(page.locator("[data-total]")).to_have_text("12,50 €")
    expect(page.get_by_label("Banque du chèque")).to_be_hidden()  # not asked of cash
    shot(page, "gestion-guichet-desktop")
    accessible(page)
    page.get_by_role("button", name="Enregistrer l'encaissement").dblclick()
    expect(page.get_by_role("heading", name=re.compile("Règlement de 12,50"))).to_be_visible()
    accessible(page)
    paper = page.evaluate(
        "async () => { const answer = await fetch(location.pathname + 'justificatif.pdf');"
        " return [answer.status, answer.headers.get('content-type')] }"
    )
    assert paper == [200, "application/pdf"]
    page.goto(demo.url("pechabou", "/gestion/encaissements/?moyen=cash&q=0007"))
    booked = page.get_by_role("table").get_by_role("link", name=re.compile("12,50"))
    expect(booked).to_have_count(1)  # once
    booked.click()
    page.get_by_text("Annuler ce règlement…").click()
    page.get_by_label("Motif").fill("essai")
    page.get_by_role("button", name="Annuler le règlement").click()
    expect(page.get_by_text("les factures sont de nouveau à régler")).to_be_visible()
    assert not errors


def test_a_cheque_and_its_docket_without_scripts(demo: Demo, open_page: Callable[..., Page]) -> None:
    page = open_page("phone", javascript=False)
    sign_in(page, demo)
    book(page, demo, "3")
    page.get_by_label("Chèque", exact=True).check()
    page.get_by_role("button", name="Enregistrer l'encaissement").click()
    expect(page.get_by_role("alert")).to_contain_text("Écrivez le numéro du chèque.")
    page.get_by_label("Numéro du chèque").fill("0000777")
    page.get_by_label("Banque du chèque").fill("Banque des Coteaux")
    page.get_by_role("button", name="Enregistrer l'encaissement").click()
    expect(page.get_by_text("L'encaissement est enregistré.")).to_be_visible()
    page.goto(demo.url("pechabou", "/gestion/remises/nouvelle/?moyen=cheques"))
    page.get_by_role("button", name="Clore la remise").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"Remise \d{4}-\d{4}"))


def test_a_journal_is_sent_checked_and_finished(
    demo: Demo, open_page: Callable[..., Page], shot: Shot
) -> None:
    page = open_page("phone")
    sign_in(page, demo)
    page.goto(demo.url("pechabou", "/gestion/rapprochement/nouveau/"))
    content = "Date opération;Montant;Référence dette\n12/11/2026;1,00;2026EAU0007\nhier;2,00;X\n".encode(
        "cp1252"
    )
    page.get_by_label("Le fichier").set_input_files(
        {"name": "journal.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("« Date opération » (« hier ») n'est pas une date")).to_be_visible()
    shot(page, "gestion-colonnes-phone")
    accessible(page)
    page.get_by_role("button", name="Importer et rapprocher").click()
    expect(page.get_by_text("2 lignes nouvelles.").first).to_be_visible(timeout=30_000)  # the worker reads it
    shot(page, "gestion-journal-phone")
    accessible(page)
    page.get_by_role("link", name="Ligne 2").click()
    expect(page.get_by_text("sans passer par le portail")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Enregistrer ce règlement").click()
    expect(page.get_by_text("La ligne est « rapprochée ».")).to_be_visible()


def test_a_pes_return_is_sent_and_read(demo: Demo, open_page: Callable[..., Page], shot: Shot) -> None:
    """Recognised by its bytes, whatever was chosen. A rejected titre has its reason, and nothing to book."""
    more = {"AdrMel": "parent@example.org", "Civilite": "MME", "Prenom": "JEANNE"}
    rejected = {"ObsEtat": "03-15", "Commentaire": "Débiteur mal identifié", "DtePceRej": "2026-11-10"}
    content = pes(
        bordereau(piece(line("37.50", ("10", "2026-11-11", "37.50"), who="F000101", **more), debt="4101")),
        bordereau(
            piece(line("8.05", ("03", "2026-11-12", "5.00"), who="F000102", **more), number="813"),
            piece(line("200.00", state="01", who="F000103", **more), number="814", state="04", **rejected),
            piece(line("40.00", ("06", "2026-11-12", "40.00")), number="815"),
            number="120",
            kind="01",
        ),
    )
    for width in ("phone", "desktop"):
        page = open_page(width)
        sign_in(page, demo)
        page.goto(demo.url("pechabou", "/gestion/rapprochement/nouveau/"))
        shot(page, f"gestion-pes-envoi-{width}")
        page.get_by_label("Le fichier").set_input_files(
            {
                "name": f"retour-{width}.xml",
                "mimeType": "text/xml",
                "buffer": f"{content}<!-- {width} -->".encode(),
            }
        )
        page.get_by_role("button", name="Envoyer").click()
        expect(page.get_by_text("Un PES retour dit lui-même")).to_be_visible()
        shot(page, f"gestion-pes-{width}")
        accessible(page)
        page.get_by_role("button", name="Importer et rapprocher").click()
        rows = "4 lignes nouvelles." if width == "phone" else "4 déjà connues"
        expect(page.get_by_text(rows).first).to_be_visible(timeout=30_000)
        page.goto(page.url.split("?")[0] + "?etat=toutes")
        shot(page, f"gestion-pes-lignes-{width}")
        accessible(page)
        if width == "phone":
            page.get_by_role("link", name="Ligne 3").click()
            expect(page.get_by_text("Titre rejeté par la trésorerie").first).to_be_visible()
            expect(page.get_by_role("button", name="Enregistrer ce règlement")).to_have_count(0)
            shot(page, "gestion-pes-rejet-phone")
            accessible(page)
            page.set_viewport_size({"width": 1280, "height": 900})
            shot(page, "gestion-pes-rejet-desktop")
            page.go_back()
            shot(page, "gestion-pes-lignes-nouvelles-desktop")


@pytest.mark.parametrize("width", ["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_page(demo: Demo, open_page: Callable[..., Page], shot: Shot, width: str, dark: bool) -> None:
    page = open_page(width, dark=dark)
    sign_in(page, demo)
    for name, path in PAGES.items():
        page.goto(demo.url("pechabou", path))
        shot(page, f"gestion-{name}-{width}{'-sombre' if dark else ''}")
        accessible(page)
