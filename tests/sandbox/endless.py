"""Tests that never end, for the runs that `test_ended_run` ends. Its name keeps it out of the suite."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from sandbox.attach import services_for_tests
from sandbox.chromium import on_path
from tests.browser.conftest import FLAGS
from tests.faults.stack import running_stack

KINDS = os.environ["ENDLESS"].split()


def for_ever(kind: str) -> None:
    """Say that everything runs, then stay."""
    Path(os.environ["ENDLESS_READY"], kind).touch()
    time.sleep(600)


@pytest.mark.skipif("stack" not in KINDS, reason="not asked for")
def test_a_stack(tmp_path: Path) -> None:
    with running_stack(tmp_path / "home"):
        for_ever("stack")


@pytest.mark.skipif("browser" not in KINDS, reason="not asked for")
def test_a_browser() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=on_path(), args=FLAGS)
        browser.new_page().goto("about:blank")
        for_ever("browser")


@pytest.mark.skipif("orphan" not in KINDS, reason="not asked for")
def test_a_server_whose_parent_is_gone(tmp_path: Path) -> None:
    """In a session of its own, deaf to polite signals, below nobody."""
    deaf = (
        "import signal, time\n"
        "for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)\n"
        "time.sleep(600)"
    )
    code = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {deaf!r}], start_new_session=True)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with services_for_tests(tmp_path / "home"):
        for_ever("orphan")
