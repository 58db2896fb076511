"""The operator's road in a real browser: two steps, the health, a town opened, an agent's place taken and left."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WIDTHS
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
Shot = Callable[[Page, str], None]
OURS = {
    "etat": "/",
    "commune": "/communes/mairie/",
    "equipe": "/communes/mairie/equipe/",
    "adresses": "/communes/mairie/adresses/",
    "operations-commune": "/communes/mairie/operations/",
    "journal-commune": "/communes/mairie/journal/",
    "identite": "/communes/mairie/identite/",
    "regies": "/communes/mairie/regies/",
    "regie-ajouter": "/communes/mairie/regies/ajouter/",
    "regie": "/communes/mairie/regies/1/",
    "regie-identifiant": "/communes/mairie/regies/1/identifiant/",
    "fermer": "/communes/mairie/fermer/",
    "ouvrir": "/ouvrir/",
    "ouvrir-liste": "/ouvrir/liste/",
    "reglages": "/plateforme/",
    "compte": "/password_change/",
}
LISTS = {"communes": "/tenants/town/", "operations": "/tenants/operation/", "journal": "/audit/auditentry/"}


def accessible(page: Page, *, inside: str = "") -> None:
    """axe-core finds nothing in what is ours, and nothing is wider than the screen."""
    found = Axe().run(page, context={"include": [inside]} if inside else None).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def codes(demo: Demo) -> dict[str, str]:
    """What the demonstration's telephone shows now, and next."""
    found: dict[str, str] = demo.get("mail", "/code.json").json()
    return found


def sign_in(page: Page, demo: Demo, shot: Shot = lambda page, name: None) -> None:
    """Both steps; a code that served already in these thirty seconds gives way to the next one."""
    page.goto(demo.url("admin"))
    shot(page, "console-connexion")
    accessible(page, inside="main")
    page.get_by_label("Adresse e-mail").fill("operateur@example.net")
    page.get_by_label("Mot de passe").fill("facture")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Code de vérification")).to_be_visible()
    shot(page, "console-code")
    accessible(page, inside="main")
    for which in ("code", "next"):
        page.get_by_label("Code de vérification").fill(codes(demo)[which])
        page.get_by_role("button", name="Se connecter").click()
        page.wait_for_load_state()
        if "/login/" not in page.url:
            break
    expect(page.get_by_role("heading", name="État de la plateforme", level=1)).to_be_visible()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, demo: Demo) -> Any:
    """The cookies of an operator: the code of these thirty seconds serves once for all the tests."""
    context = browser.new_context(locale="fr-FR")
    sign_in(context.new_page(), demo)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def operator_page(browser: Browser, signed_in: Any) -> Iterator[Callable[..., Page]]:
    contexts = []

    def make(width: str = "desktop", **more: Any) -> Page:
        size = {"width": WIDTHS[width][0], "height": WIDTHS[width][1]}
        context = browser.new_context(viewport=size, locale="fr-FR", storage_state=signed_in, **more)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_every_page(demo: Demo, operator_page: Callable[..., Page], shot: Shot, width: str) -> None:
    page = operator_page(width)
    for name, path in OURS.items():
        page.goto(demo.url("admin", path))
        shot(page, f"console-{name}-{width}")
        accessible(page, inside="main")
    for name, path in LISTS.items():
        page.goto(demo.url("admin", path))
        expect(page.locator("#result_list, .empty, #content").first).to_be_visible()
        shot(page, f"console-{name}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    page.goto(demo.url("admin"))
    expect(page.get_by_text("en marche").first).to_be_visible()
    for words in ("en panne", "✗ refuse", "ne répond pas"):
        expect(page.get_by_text(words)).to_have_count(0)


def test_open_a_town_and_watch(demo: Demo, operator_page: Callable[..., Page], shot: Shot) -> None:
    page = operator_page()
    page.goto(demo.url("admin", "/ouvrir/"))
    page.get_by_role("button", name="Ouvrir la commune").click()
    expect(page.get_by_role("alert")).to_contain_text("Nom de la commune")
    accessible(page, inside="main")
    page.get_by_label("Nom de la commune").fill("Commune de Cahors")
    page.get_by_label("Adresse", exact=True).fill("cahors")
    page.get_by_label("Adresse du service de facturation").fill("regie@cahors.example.org")
    page.get_by_label("Premier responsable").fill("maire@cahors.example.org")
    page.get_by_role("button", name="Ouvrir la commune").click()
    shot(page, "console-operation")
    expect(page.get_by_text("Terminée le")).to_be_visible(timeout=30_000)  # by itself
    accessible(page, inside="main")
    page.get_by_role("link", name="Commune de Cahors").click()
    page.get_by_role("link", name="http://cahors.localhost").click()
    expect(page.get_by_role("button", name="Connexion")).to_be_visible()
    assert demo.mail("maire@cahors.example.org", "Vous rejoignez la gestion des factures")


def test_without_javascript(demo: Demo, operator_page: Callable[..., Page]) -> None:
    """Suspend and resume, with scripts off."""
    page = operator_page("phone", java_script_enabled=False)
    for act, state in (("Suspendre", "suspendue"), ("Rouvrir", "ouverte")):
        page.goto(demo.url("admin", "/communes/pechabou/operations/"))
        page.get_by_role("link", name=act, exact=True).click()
        page.get_by_label("Motif").fill("Essai sans script")
        page.get_by_role("button", name=act).click()
        assert page.locator(".console-tag").first.inner_text() == state


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_in_the_place_of_an_agent(
    demo: Demo, operator_page: Callable[..., Page], open_page: Callable[..., Page], shot: Shot, width: str
) -> None:
    page = operator_page(width)
    page.goto(demo.url("admin", "/communes/pechabou/equipe/"))
    page.get_by_role("link", name="Intervenir à sa place").first.click()
    accessible(page, inside="main")
    page.get_by_label("Motif").fill("Ticket 12 : vérifier un import")
    page.get_by_role("button", name="Demander le passage").click()
    page.get_by_role("link", name=re.compile("Passer à la gestion")).click()
    expect(page.get_by_role("heading", name="Intervention de l'exploitant")).to_be_visible()
    shot(page, f"intervention-entrer-{width}")
    accessible(page)
    page.get_by_role("button", name="Entrer").click()
    banner = page.get_by_role("region", name="Intervention de l’exploitant")
    expect(banner).to_contain_text("operateur@example.net")
    shot(page, f"intervention-{width}")
    accessible(page)
    page.goto(demo.url("pechabou", "/gestion/interventions/"))
    expect(page.get_by_text("Ticket 12").first).to_be_visible()
    shot(page, f"interventions-{width}")
    accessible(page)
    banner.get_by_role("button", name="Terminer").click()
    expect(page.get_by_text("L'intervention est terminée.")).to_be_visible()
    page.goto(demo.url("pechabou", "/gestion/"))
    expect(page.get_by_role("button", name="Connexion")).to_be_visible()


def test_no_script_of_the_console_needs_more_than_its_policy(
    browser: Browser, demo: Demo, signed_in: Any
) -> None:
    """Scripts from our own files, none of which evaluates text; and all that moves in unfold's pages still moves."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console",
        lambda line: said.append(f"{page.url}: {line.text}") if line.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    for path in (*OURS.values(), *LISTS.values()):
        answer = page.goto(demo.url("admin", path))
        assert answer is not None
        policy = dict(
            part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["script-src"] == "'self'", path
        page.wait_for_function("window.Alpine && document.body._x_dataStack")
    page.goto(demo.url("admin", "/tenants/town/"))
    page.locator("[x-on\\:click='filterOpen = true']").first.click()
    expect(page.locator("[x-show='filterOpen']").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[x-show='filterOpen']").first).to_be_hidden()
    page.evaluate("Alpine.$data(document.body).sidebarDesktopOpen = false")
    page.wait_for_function("localStorage.getItem('sidebarDesktopOpen') === '0'")
    page.reload()
    assert page.evaluate("Alpine.$data(document.body).sidebarDesktopOpen") is False
    context.close()
    assert [line for line in said if "favicon" not in line and "404" not in line] == []
