"""What the walks share: signing in, reaching by keyboard, and people of the demo that only one walk uses."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

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


def sign_in_as_manager(page: Page, demo: Demo, host: str = "mairie") -> None:
    """A manager past both steps, with one of the recovery codes that `give_manager` left. A code serves once."""
    key = f"{demo.home.root} {host}"
    if key not in _codes:
        give_manager(
            demo, host, f"chef@{host}.example.org", codes=(made := [f"manager-{n:03}" for n in range(99)])
        )
        _codes[key] = made
    page.goto(demo.url(host, "/?suite=/gestion/"))
    page.get_by_label("Mon adresse").fill(f"chef@{host}.example.org")
    page.get_by_label("Mon mot de passe").fill("facture")
    page.get_by_role("button", name="Connexion").click()
    page.get_by_label("Mon code").fill(_codes[key].pop())
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("heading", name="Accueil", level=1)).to_be_visible()


_codes: dict[str, list[str]] = {}  # home and town → recovery codes that were not used yet
_MANAGER = """
import sys
from django_tenants.utils import schema_context
from shared_apps.accounts.models import Role, SecondFactor
from shared_apps.accounts.services import create_account
from tenants.models import Town
from toolkit import clock
from toolkit.secrecy.secrets import fingerprint
with schema_context(Town.objects.get(slug={slug!r}).schema_name):
    account = create_account(actor="system", email={email!r}, role=Role.MANAGER, password="facture")
    codes = {codes!r}
    if codes:
        hashes = [fingerprint(code.replace("-", "")) for code in codes]
        SecondFactor.objects.create(account=account, recovery_hashes=hashes)
        account.second_factor_at = clock.now()
        account.save()
"""


def give_manager(demo: Demo, slug: str, email: str, codes: list[str]) -> None:
    """A manager of that town with the password « facture »; with codes, their account is protected already."""
    script = _MANAGER.format(slug=slug, email=email, codes=codes)
    manage(demo, "shell", "--command", script)


def activate(page: Page, demo: Demo, email: str) -> None:
    """The account of `email`, known to billing, is activated with the password « coquelicot »."""
    page.goto(demo.url("mairie", "/activation/"))
    page.get_by_label("Mon adresse").fill(email)
    page.get_by_role("button", name="Recevoir le message").click()
    page.goto(link_in(demo, email, "Activez votre compte"))
    page.get_by_label("Mon nouveau mot de passe").fill("coquelicot")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", name="Mon compte est activé")).to_be_visible()


def link_in(demo: Demo, to: str, subject: str, host: str = r"\w+") -> str:
    """The `?LIEN=` of the newest message to `to` with that subject; waits for it."""
    text = demo.mail(to, subject)["text"]
    found = re.search(rf"http://{host}\.localhost:\d+/\?LIEN=X[0-9a-f]{{32}}", text)
    assert found, text
    return found[0]


def newcomers_rows() -> Iterator[str]:
    """One invoice or more for each person that one walk alone uses: nobody spoils another's list."""
    for width in ("phone", "desktop"):
        who = f"W{width};Mme;MARCHE;Lou;marche-{width}@example.net;REGIE"
        yield f"2026-{width}-1;01/11/2026;31/12/2026;37,50;Cantine scolaire;2026;{who}"
        yield f"2026-{width}-2;02/11/2026;31/12/2026;12,00;Garderie;2026;{who}"
    for name in (
        "clavier",
        "sans-script",
        "partage-phone",
        "partage-desktop",
        "fc-phone",
        "fc-desktop",
        "effacement",
        "reprise",
    ):
        who = f"{name};M.;{name};Max;{name}@example.net;REGIE"
        yield f"2026-{name}-1;01/11/2026;31/12/2026;18,00;Bibliothèque;2026;{who}"
    for n in range(2, 5):  # pressed twice, come back to, in two tabs, waited for
        who = "reprise;M.;reprise;Max;reprise@example.net;REGIE"
        yield f"2026-reprise-{n};01/11/2026;31/12/2026;{n},00;Bibliothèque;2026;{who}"
    for n in range(60):  # a household of two, five years, more than a page
        day, who = (
            f"{1 + n % 28:02}/{1 + n % 12:02}",
            f"L{n % 2};M.;LONGUE;Sacha {n % 2};longue@example.net;REGIE",
        )
        yield f"2024-L-{n:03};{day}/{2022 + n % 5};15/12/2026;{10 + n},50;Périscolaire;2026;{who}"


def publish(demo: Demo, rows: Iterable[str], folder: Path) -> None:
    """The town puts invoices online, as the operator's command does it."""
    file = folder / "factures.csv"
    file.write_text("\r\n".join([HEAD, *rows]), encoding="utf-8")
    manage(demo, "import_invoices", "--town", "mairie", "--file", str(file), "--publish")


def manage(demo: Demo, *command: str) -> None:
    """`manage.py` on the demo's own services."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
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
