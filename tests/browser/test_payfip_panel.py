"""The simulator's control page, as a person uses it: phone and desktop, axe clean, nothing that overflows."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server
from werkzeug.test import Client

from sandbox.payfip.app import Application
from sandbox.payfip.store import Store
from tests.browser.test_walk import Shot, accessible
from tests.sandbox.payfip.conftest import Sim

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


@pytest.fixture
def sim(tmp_path: Path) -> Sim:
    store = Store(str(tmp_path / "memory.sqlite3"))
    return Sim(store, Client(Application(store)), "http://127.0.0.1:9/notification/")


@pytest.fixture
def base(sim: Sim) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, Application(sim.store), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def good(page: Page, shot: Shot, name: str, width: str) -> None:
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"simulateur-{name}-{width}")


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_person_looks_and_turns_knobs(
    sim: Sim, base: str, open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    page = open_page(width, javascript=width == "desktop")
    page.goto(base)
    expect(page.get_by_text("Aucune opération pour l'instant")).to_be_visible()
    if width == "desktop":
        good(page, shot, "vide", width)
    idop = sim.create(refdet="2026001", urlredirect=f"{base}/", moyen="carte")

    page.goto(base)
    expect(page.get_by_text("Demandes hors du contrat")).to_be_visible()
    page.get_by_role("link", name="2026001").click()
    expect(page.get_by_text("pas encore ouvert")).to_be_visible()
    page.get_by_role("button", name="Carte refusée").click()
    expect(page.get_by_text("personne ne répond")).to_be_visible()
    expect(page.get_by_text("carte refusée", exact=True)).to_be_visible()
    if width == "desktop":
        good(page, shot, "operation", width)
    page.get_by_role("button", name="Payer par carte").click()
    expect(page.get_by_role("button", name="Payer par carte")).to_have_count(0)
    assert sim.store.get(idop)["result"] == "P"  # type: ignore[index]

    page.get_by_role("link", name="Réglages").click()
    page.get_by_label("Le service web").select_option(label="répond 503, service indisponible")
    page.get_by_label("Secondes de retard").fill("bientôt")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("« bientôt » n'est pas un nombre de secondes")
    page.get_by_label("Le service web").select_option("down")
    page.get_by_label("Secondes de retard").fill("60")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_have_text("C'est enregistré.")
    page.get_by_role("button", name="+ 2 heures").click()
    assert sim.store.behaviour()["clock"] == 7200
    if width == "desktop":
        good(page, shot, "reglages", width)
    page.get_by_role("link", name="Opérations").click()
    expect(page.get_by_text("Le service web : répond 503")).to_be_visible()
    if width == "desktop":
        good(page, shot, "operations", width)
    page.get_by_role("button", name="Revenir à la normale").click()
    assert (sim.store.behaviour()["soap"], sim.store.behaviour()["clock"]) == ("ok", 0)

    page.get_by_role("link", name="Collectivités").click()
    page.get_by_label("Identifiant").fill("123456")
    page.get_by_label("Ligne 1").fill("COMMUNE <D'ICI>")
    page.get_by_label("W : production").uncheck()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("COMMUNE <D'ICI>")).to_be_visible()
    assert sim.refused(numcli="123456") == "T4"
    page.get_by_role("button", name="Oublier 123456").click()
    expect(page.get_by_text("COMMUNE <D'ICI>")).to_have_count(0)

    page.get_by_role("link", name="Réglages").click()
    page.get_by_role("button", name="Tout effacer").click()
    expect(page.get_by_text("Aucune opération pour l'instant")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/", "/collectivites", "/reglages", "/operations/{idop}", "/tpa/paiementws.web?idop={idop}"]
)
def test_every_page_on_a_phone(
    sim: Sim, base: str, open_page: Callable[..., Page], shot: Shot, path: str
) -> None:
    idop = sim.create(objet="x" * 99, mel="a" * 60 + "@example.net", refdet="y" * 30, moyen="z")
    sim.behave(soap="technical", notifications="night")
    if "operations" in path:
        sim.act(idop, "pay")
    page = open_page("phone")
    page.goto(base + path.format(idop=idop))
    good(page, shot, path.split("/")[1].split("?")[0] or "operations", "phone")


def test_the_payer_s_own_pages(sim: Sim, base: str, open_page: Callable[..., Page], shot: Shot) -> None:
    idop = sim.create(urlredirect=f"{base}/")
    page = open_page("phone")
    for number, heading in enumerate(("Payer cette facture", "Déjà ouvert")):
        page.goto(f"{base}/tpa/paiementws.web?idop={idop}")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        good(page, shot, f"payeur-{number}", "phone")
    page.goto(f"{base}/nulle-part")
    expect(page.get_by_role("heading", name="Page introuvable")).to_be_visible()
    accessible(page)
