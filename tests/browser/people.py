"""What the walks share: signing in, reaching by keyboard, and people of the demo that only one walk uses."""

import os
import re
import subprocess
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from sandbox.home import REPOSITORY
from tests.demo import Demo

HEAD = "Numéro;Date;Échéance;Montant;Objet;Exercice;Code redevable;Civilité;Nom;Prénom;E-mail;Régie"


def accessible(page: Page) -> None:
    """axe-core finds nothing."""
    found = Axe().run(page).response["violations"]
    assert not found, (page.url, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found])


def sign_in(page: Page, demo: Demo, email: str, password: str, host: str = "mairie") -> None:
    page.goto(demo.url(host))
    page.get_by_label("Mon adresse").fill(email)
    page.get_by_label("Mon mot de passe").fill(password)
    page.get_by_role("button", name="Connexion").click()


def link_in(demo: Demo, to: str, subject: str, host: str = r"\w+") -> str:
    """The `?LIEN=` of the newest message to `to` with that subject; waits for it."""
    text = demo.mail(to, subject)["text"]
    found = re.search(rf"http://{host}\.localhost:\d+/\?LIEN=X[0-9a-f]{{32}}", text)
    assert found, text
    return found[0]


def publish(demo: Demo, rows: list[str], folder: Path) -> None:
    """The town puts invoices online, as the operator's command does it."""
    file = folder / "factures.csv"
    file.write_text("\r\n".join([HEAD, *rows]), encoding="utf-8")
    command = [
        sys.executable,
        "manage.py",
        "import_invoices",
        "--town",
        "mairie",
        "--file",
        str(file),
        "--publish",
    ]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **demo.home.environment()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def reach(page: Page, name: str) -> None:
    """Press Tab until the focus is on what is called `name`, and see that the focus shows."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " return [(l || e).innerText.trim(), getComputedStyle(e).outlineStyle] }"
        )
        if found[0].replace("\n", " ") == name:
            assert found[1] != "none", f"no focus to be seen on {name}"
            return
    raise AssertionError(f"Tab never reaches {name}")
