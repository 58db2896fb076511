"""Every page of the portal, found in the isolation table: axe-core in both schemes, 320 px, what the wire carries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import django.urls
import pytest
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect

from tenants.hosts.registry import SECONDS
from tests.browser.conftest import WIDTHS
from tests.browser.people import accessible, activate, sign_in, sign_in_as_manager
from tests.demo import Demo
from tests.isolation.table import TOWN

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

# Not pages: files, fragments, and what only a POST does.
NO_PAGE = {
    *("portal:theme", "portal:logo", "portal:icon", "portal:invoices-csv", "portal:year-archive"),
    *("portal:year-archive-part", "portal:receipt", "portal:invoice-pdf", "portal:payment-state"),
    *("portal:take-my-data", "portal:cancel-erasure"),
    *("portal:sign-out", "portal:sign-out-everywhere", "portal:declare-paid", "portal:withdraw-claim"),
    *("portal:message-file", "portal:language"),
    *("portal:second-step-key", "portal:ask-second-step", "portal:leave-second-step"),
    *("portal:ask-to-sign-in", "portal:ask-to-add-key", "portal:sign-in-again", "portal:remove-key"),
    "portal:key",  # needs a key of the resident's: test_passkeys.py
    # Walked where the town has a provider: test_openid.py.
    *("portal:staff-openid-start", "portal:staff-openid-return"),  # test_staff_openid.py
    *("portal:openid-start", "portal:openid-return", "portal:openid-link", "portal:my-openid"),
}
LIGHTEST = 60_000  # bytes over the wire for a first visit to the list (issue 4)


def pages() -> list[str]:
    """A new page of the portal is here by itself: its route has a row in the table, or the isolation suite fails."""
    return [route for route in TOWN if route.startswith("portal:") and route not in NO_PAGE]


def address(route: str, **ids: str) -> str:
    """The path of a page of the demonstration's resident; `ids`: of an invoice, a message, a payer."""
    public_id = ids.get(route.removeprefix("portal:"), ids["invoice"])
    for kwargs in ({}, {"public_id": public_id}, {"ticket": "x"}):
        try:
            found = django.urls.reverse(route, urlconf="config.urls.town", kwargs=kwargs)
            return f"{found}?facture={ids['invoice']}" if route == "portal:pay-several" else found
        except django.urls.NoReverseMatch:
            continue
    raise AssertionError(f"how is {route} addressed? Say it here, or put it in NO_PAGE if it is no page")


@pytest.fixture
def visitors(demo: Demo, open_page: Callable[..., Page]) -> dict[str, Page]:
    """`resident` signed in and `nobody`: some pages exist for one of them only."""
    resident, nobody = open_page("desktop"), open_page("desktop")
    sign_in(resident, demo, "resident@example.net", "facture")
    expect(resident.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    return {"resident": resident, "nobody": nobody}


def ids_of(resident: Page, demo: Demo) -> dict[str, str]:
    """Of an invoice, a message and a payer of somebody who is on « Mes factures »."""
    invoice = (resident.locator("td.number a").first.get_attribute("href") or "").split("/")[2]
    resident.goto(demo.url("mairie", "/contact/messages/"))
    message = (resident.locator(".threads a").first.get_attribute("href") or "").split("/")[3]
    resident.goto(demo.url("mairie", "/mes-informations/"))
    payer = (resident.locator("a[href*=dossiers]").first.get_attribute("href") or "").split("/")[3]
    return {"invoice": invoice, "message": message, "payer": payer}


def test_axe_finds_nothing_on_any_page_in_either_scheme(demo: Demo, visitors: dict[str, Page]) -> None:
    resident = visitors["resident"]
    ids = ids_of(resident, demo)
    seen = 0
    for route in pages():
        page = visitors["nobody" if TOWN[route]["alice"] == 302 else "resident"]
        page.goto(demo.url("mairie", address(route, **ids)))
        for scheme in ("light", "dark"):
            # Without motion: colours that still change are no colours of ours.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            accessible(page)
            seen += 1
        page.set_viewport_size({"width": 320, "height": 640})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{route} scrolls sideways at 320 px ({wide} px)"
        brand = page.locator(".brand").evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert brand[0] <= brand[1], f"{route}: the town's name is wider than its place at 320 px {brand}"
        page.set_viewport_size({"width": 1280, "height": 900})
    assert seen == 2 * len(pages()) > 30


def test_every_page_in_english_on_a_phone(
    demo: Demo, open_page: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    """Light only, at 390 px, where other words may be too long. One comes in English, one chooses it at the foot."""
    resident, nobody = open_page("phone", locale="en-GB"), open_page("phone", locale="fr-FR")
    resident.goto(demo.url("mairie"))
    resident.get_by_label("My e-mail address").fill("resident@example.net")
    resident.get_by_label("My password").fill("facture")
    resident.get_by_role("button", name="Sign in", exact=True).click()
    expect(resident.get_by_role("heading", name="My invoices", exact=True)).to_be_visible()
    ids = ids_of(resident, demo)
    nobody.goto(demo.url("mairie", "/aide/"))
    nobody.get_by_role("contentinfo").get_by_role("button", name="English").click()
    expect(nobody.get_by_role("heading", name="Activating my account")).to_be_visible()
    for route in pages():
        page = nobody if TOWN[route]["alice"] == 302 else resident
        page.goto(demo.url("mairie", address(route, **ids)))
        assert page.locator("html").get_attribute("lang") == "en", route
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        shot(page, f"en-{route.partition(':')[2]}")
        accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{route} scrolls sideways at 390 px ({wide} px)"


def test_the_list_is_light_still_and_alone(
    demo: Demo, newcomers: None, open_page: Callable[..., Page], tmp_path: Path, record_property: Any
) -> None:
    """Fifty lines of sixty, cold, with the heaviest logo that a town may have, compressed as in production."""
    clerk = open_page("desktop")
    sign_in_as_manager(clerk, demo)
    clerk.goto(demo.url("mairie", "/gestion/reglages/identite/"))
    clerk.get_by_label("Le logo de la commune").set_input_files(heavy_logo(tmp_path))
    clerk.get_by_role("button", name="Enregistrer le logo et l'icône").click()
    expect(clerk.get_by_text("Le logo et l'icône sont enregistrés.")).to_be_visible()
    activate(open_page("phone"), demo, "longue@example.net")
    clerk.wait_for_timeout(1000 * SECONDS + 500)  # another process may still show the page without the logo
    for width in WIDTHS:
        page = open_page(width)
        sign_in(page, demo, "longue@example.net", "coquelicot")
        expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
        received, hosts = watch(page.context.new_cdp_session(page))
        page.add_init_script(
            "window.moved = 0; new PerformanceObserver(l => { for (const e of l.getEntries()) moved += e.value })"
            ".observe({type: 'layout-shift', buffered: true})"
        )
        page.goto(demo.url("mairie", "/factures/"), wait_until="networkidle")
        expect(page.locator("img.logo")).to_be_visible()
        assert page.locator("tbody tr:not(.year)").count() == 50
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(300)
        assert page.evaluate("window.moved") == 0
        assert {host.partition(":")[0] for host in hosts} == {"mairie.localhost"}, hosts
        record_property(f"bytes_{width}", sum(received.values()))
        assert len(received) >= 4  # the page, the stylesheet, the colours, the logo
        assert sum(received.values()) < LIGHTEST, received


def watch(wire: CDPSession) -> tuple[dict[str, int], set[str]]:
    """Bytes received by request (heads included), and the hosts asked, from Chromium's own network events."""
    received, hosts = dict[str, int](), set[str]()
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    wire.on("Network.loadingFinished", lambda e: received.update({e["requestId"]: e["encodedDataLength"]}))

    def asked(event: dict) -> None:  # type: ignore[type-arg]
        if not event["request"]["url"].startswith("data:"):
            hosts.add(event["request"]["url"].split("/")[2])

    wire.on("Network.requestWillBeSent", asked)
    return received, hosts


def heavy_logo(folder: Path) -> Path:
    """A noisy picture, which the portal reduces to the most it keeps."""
    file = folder / "logo.png"
    Image.effect_noise((900, 260), 60).convert("RGB").save(file)
    return file
