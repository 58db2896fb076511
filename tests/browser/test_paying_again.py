"""A double click, Back, two tabs, and the page that waits, in a real browser (decision 0052)."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.people import accessible, activate
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
TREASURY = re.compile(r"//payfip\.localhost:\d+/tpa/paiementws\.web\?idop=")
ACCESS = "Accès à l'écran de paiement TIPI"


@pytest.fixture(scope="module")
def account(demo: Demo, newcomers: None) -> dict[str, bool]:
    """Whether the account is activated yet: the first walk does it."""
    return {}


@pytest.fixture
def resident(demo: Demo, open_page: Callable[..., Page], account: dict[str, bool]) -> Page:
    page = open_page("phone")
    if not account:
        activate(page, demo, "reprise@example.net")
        account["active"] = True
    page.goto(demo.url("mairie"))
    if page.get_by_label("Mon adresse").count():
        page.get_by_label("Mon adresse").fill("reprise@example.net")
        page.get_by_label("Mon mot de passe").fill("coquelicot")
        page.get_by_role("button", name="Connexion").click()
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    return page


def payment_screen(page: Page, demo: Demo, number: int) -> str:
    """The payment screen of one of the invoices; its address."""
    page.goto(demo.url("mairie", "/factures/"))
    page.get_by_role("link", name=f"2026-reprise-{number}", exact=True).click()
    page.get_by_role("link", name="Régler cette facture").click()
    expect(page.get_by_role("button", name=ACCESS)).to_be_visible()
    return page.url


def operations(demo: Demo, number: int) -> list[dict[str, str]]:
    """What the Treasury was asked for that invoice."""
    found = requests.get(f"http://127.0.0.1:{demo.home.ports['payfip']}/api/operations", timeout=20).json()
    return [one for one in found if one["fields"]["refdet"].upper().endswith(f"REPRISE{number}")]


def test_a_double_click_is_one_payment(demo: Demo, resident: Page) -> None:
    payment_screen(resident, demo, 1)
    resident.get_by_role("button", name=ACCESS).dblclick()
    expect(resident).to_have_url(TREASURY)
    resident.get_by_role("button", name="Payer par carte").click()
    expect(resident.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    assert len(operations(demo, 1)) == 1


def test_back_from_the_treasury(demo: Demo, resident: Page, shot: Shot) -> None:
    screen = payment_screen(resident, demo, 2)
    resident.get_by_role("button", name=ACCESS).click()
    expect(resident).to_have_url(TREASURY)
    resident.go_back()
    expect(resident.get_by_text("La page du Trésor public ne s'ouvre qu'une fois")).to_be_visible()
    expect(resident).to_have_url(f"{screen}?retour=1")
    shot(resident, "payer-retour-phone")
    accessible(resident)
    assert len(operations(demo, 2)) == 1
    resident.goto(demo.url("mairie", "/reglements/"))  # nothing says « Régler » about it any more
    row = resident.locator("tr", has_text="2026-reprise-2")
    expect(row).to_contain_text("Votre paiement est commencé")
    expect(row.get_by_role("link", name=re.compile("^Régler"))).to_have_count(0)
    shot(resident, "reglements-apart-phone")
    accessible(resident)


def test_two_tabs_and_a_page_that_never_came(demo: Demo, resident: Page, shot: Shot) -> None:
    """The answer to the first press is lost; the other tab's list still leads to the one page."""
    screen = payment_screen(resident, demo, 3)
    other = resident.context.new_page()
    other.goto(screen)
    jar = {one["name"]: one["value"] for one in resident.context.cookies()}
    pressed = demo.post(
        "mairie",
        urlsplit(screen).path,
        cookies=jar,
        data={"csrfmiddlewaretoken": jar["csrf"]},
        allow_redirects=False,
    )
    assert pressed.status_code == 302  # and the browser never hears of it
    other.goto(demo.url("mairie", "/reglements/"))
    other.locator("tr", has_text="2026-reprise-3").get_by_role("link", name=re.compile("^Reprendre")).click()
    expect(other.get_by_text("Vous pouvez reprendre ce paiement jusqu'à")).to_be_visible()
    shot(other, "payer-reprendre-phone")
    accessible(other)
    other.get_by_role("button", name="Reprendre mon paiement").click()
    expect(other).to_have_url(TREASURY)
    other.get_by_role("button", name="Payer par carte").click()
    expect(other.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    assert len(operations(demo, 3)) == 1


def test_the_waiting_page_keeps_the_focus(demo: Demo, resident: Page) -> None:
    """Polls that bring nothing new change nothing; what is new is announced in the polite region."""
    screen = payment_screen(resident, demo, 4)
    resident.get_by_role("button", name=ACCESS).click()
    expect(resident).to_have_url(TREASURY)
    idop = resident.url.split("idop=")[1]
    resident.goto(screen.replace("/payer/", "/retour/"))
    expect(resident.get_by_role("heading", name="Nous attendons la réponse du Trésor public")).to_be_visible()
    resident.get_by_role("link", name="Vérifier maintenant").focus()
    resident.evaluate(
        """() => { window.changes = 0;
        new MutationObserver((all) => { window.changes += all.filter((one) => one.type === "childList").length })
          .observe(document.getElementById("outcome"), {childList: true, subtree: true}) }"""
    )
    for _ in range(2):
        with resident.expect_response(re.compile("/retour/etat/")) as answer:
            pass
        assert answer.value.status == 204
    assert resident.evaluate("window.changes") == 0
    assert resident.evaluate("document.activeElement.id") == "verifier"
    pay = f"http://127.0.0.1:{demo.home.ports['payfip']}/api/operations/{idop}/pay"
    requests.post(pay, json={"notify": 0}, timeout=20).raise_for_status()
    expect(resident.locator("#outcome[aria-live=polite]")).to_contain_text(
        "Merci, votre paiement est enregistré"
    )
