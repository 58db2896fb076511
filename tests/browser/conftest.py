"""One demo and one Chromium for all browser tests (they share an xdist worker)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import oidc_provider_mock
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.chromium import on_path
from tests.browser.people import newcomers_rows, publish
from tests.demo import Demo, running_demo

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
]
expect.set_options(timeout=15_000)  # a shared machine may be slow; a failure waits, a success does not
WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo") / "home") as found:
        yield found


@pytest.fixture(scope="session")
def newcomers(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> None:
    """People who were just told of a new invoice (docs/manual.md, M14); each is used by one walk only."""
    publish(demo, newcomers_rows(), tmp_path_factory.mktemp("newcomers"))


@pytest.fixture(scope="module")  # not longer: while Playwright runs, Django takes the thread for an async one
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=on_path(),
            args=FLAGS,
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider of identities on this machine."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`open_page("phone")`: a page of a person who was never here."""
    contexts = []

    def make(
        width: str = "desktop", *, dark: bool = False, javascript: bool = True, locale: str = "fr-FR"
    ) -> Page:
        size = WIDTHS[width]
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale=locale,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keeps a picture when SCREENSHOTS names a folder; does nothing otherwise."""
    folder = os.environ.get("SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    return take
