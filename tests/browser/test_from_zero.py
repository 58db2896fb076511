"""A real town from an empty platform to its first money, in real browsers: no shell, no database.

Each person has a browser of their own and goes from link to link: an address is typed only at the beginning of a
visit, or followed from a message. Presses (mouse, Enter) are counted, chapter by chapter.
"""

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sandbox.samples.batch import Sample, write_csv, write_zip
from tests.browser.conftest import WIDTHS
from tests.browser.people import link_in
from tests.browser.test_operator import accessible, sign_in
from tests.browser.test_regies import pay
from tests.browser.test_two_steps import codes_of
from tests.demo import Demo, running_demo
from toolkit import clock

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("from-zero")]

TOWN, HOST = "Commune de Gramat", "gramat"
CANTEEN, WATER = ("Régie cantine", "001964"), ("Régie de l'eau", "001966")
PASSWORD = "des girafes en hiver"
MAYOR, CLERK, CASHIER = "Camille Roux", "Lou Faure", "Paul Durand"
RESIDENT = "famille@example.net"
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="120"><circle cx="60" cy="60" r="50" fill="#5b2a6e"/>'
    b'<rect x="35" y="55" width="50" height="10" fill="#fff"/></svg>'
)

# What each chapter costs at most, in presses; more is a step back for whoever opens a town.
PRESSES = {
    "open the town": 5,
    "two régies": 7,
    "invite the manager": 4,
    "the manager comes in": 1,
    "protect the account": 4,
    "team": 4,
    "logo and texts": 10,
    "T, X, W": 26,
    "import and publish": 4,
    "the resident pays": 8,
    "a cheque": 7,
    "the journal": 5,
}

# Who did what, to what, as the journal says it.
TOLD = (
    ("operateur@example.net", "Régie ajoutée", "Régie de l'eau"),
    ("operateur@example.net", "Personne invitée dans l'équipe", MAYOR),
    (MAYOR, "Second facteur mis en place", MAYOR),
    (MAYOR, "Personne invitée dans l'équipe", CASHIER),
    (MAYOR, "Réglages de la commune changés", ""),
    (MAYOR, "Étape de la mise en service franchie", "Régie cantine"),
    (CLERK, "Import envoyé", "cantine.csv"),
    (CLERK, "Factures mises en ligne", "cantine.csv"),
    (RESIDENT, "Compte activé", ""),
    (RESIDENT, "Paiement en ligne commencé", "23,50"),
    ("Trésor public", "Règlement en ligne enregistré", "23,50"),
    (CASHIER, "Règlement saisi au guichet", "FAMILLE3"),
)


class Walk:
    """The browsers of the people of one story, and their presses."""

    def __init__(self, browser: Browser, demo: Demo, shot: Callable[[Page, str], None]) -> None:
        self.browser, self.demo, self.shot = browser, demo, shot
        self.presses: dict[str, int] = {}
        self.chapter = ""
        self.complaints: list[str] = []

    def person(self, width: str = "desktop") -> Page:
        size = WIDTHS[width]
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="fr-FR", reduced_motion="reduce"
        )
        context.set_default_timeout(20_000)
        context.expose_function("pressed", self._press)
        context.add_init_script(
            "for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, e => {"
            " if (e.isTrusted && (kind === 'pointerdown' || e.key === 'Enter')) window.pressed() }, true)"
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def _press(self) -> None:
        self.presses[self.chapter] = self.presses.get(self.chapter, 0) + 1

    def seen(self, page: Page, name: str) -> None:
        """A page to look at: axe in both schemes, nothing wider than the screen, on a phone too."""
        size = page.viewport_size
        for width, (across, high) in WIDTHS.items():
            page.set_viewport_size({"width": across, "height": high})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                accessible(page, inside="main")
                self.shot(page, f"zero-{name}-{width}-{scheme}")
        page.emulate_media(color_scheme="light")
        assert size
        page.set_viewport_size(size)


def press(page: Page | Locator, role: str, name: str | re.Pattern[str]) -> None:
    page.get_by_role(role, name=name, exact=isinstance(name, str)).click()  # type: ignore[arg-type]


def menu(page: Page, name: str) -> None:
    """An entry of the back office's menu."""
    press(page.get_by_role("navigation", name="Menu de gestion"), "link", name)  # type: ignore[arg-type]


def settings_page(page: Page, name: str) -> None:
    """An entry of « Réglages »."""
    press(page.get_by_role("navigation", name="Réglages"), "link", name)


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def open_the_town(walk: Walk) -> Page:
    """The operator signs in, opens the town without a manager, and reads that it is open."""
    walk.chapter = "open the town"
    page = walk.person()
    sign_in(page, walk.demo)
    walk.seen(page, "console-vide")
    press(page, "link", "Ouvrir une commune")
    page.get_by_label("Nom de la commune").fill(TOWN)
    page.get_by_label("Adresse", exact=True).fill(HOST)
    page.get_by_label("Adresse du service de facturation").fill("regie@gramat.example.org")
    press(page, "button", "Ouvrir la commune")
    expect(page.get_by_text("Terminée le")).to_be_visible(timeout=60_000)
    press(page, "link", "Préparer la commune")
    return page


def add_regies(walk: Walk, page: Page) -> None:
    """Both numbers: the default régie is the first one."""
    walk.chapter = "two régies"
    press(page, "link", "Régies et PayFiP")
    for label, number in (CANTEEN, WATER):
        press(page, "link", "Ajouter une régie")
        page.get_by_label("Nom que lisent les usagers").fill(label)
        page.get_by_label("Identifiant au Trésor public").fill(number)
        page.get_by_label("Motif").fill("Convention signée")
        press(page, "button", "Ajouter")
        expect(page.get_by_text(f"« {label} » est ajoutée")).to_be_visible()
        press(page, "link", re.compile("Régies et PayFiP"))
    walk.seen(page, "console-regies")


def invite_the_manager(walk: Walk, page: Page) -> None:
    """From the town's team; the message arrives."""
    walk.chapter = "invite the manager"
    press(page, "link", re.compile(TOWN))
    press(page.get_by_role("navigation", name="La commune"), "link", "Équipe")
    press(page, "link", re.compile("Inviter"))
    page.get_by_label("Prénom et nom").fill(MAYOR)
    page.get_by_label("Adresse e-mail professionnelle").fill("maire@gramat.example.org")
    page.get_by_label("Motif").fill("Premier responsable")
    press(page, "button", re.compile("Inviter"))
    walk.seen(page, "console-equipe")


def join(walk: Walk, name: str, email: str) -> Page:
    """The link of an invitation, a password, the back office."""
    page = walk.person()
    page.goto(link_in(walk.demo, email, "Vous rejoignez la gestion des factures"))
    page.get_by_label("Mon nouveau mot de passe").fill(PASSWORD)
    walk.seen(page, f"rejoindre-{name.split()[0].lower()}")
    press(page, "button", "Ouvrir mon compte")
    expect(page.get_by_text("Bienvenue : votre compte est ouvert.")).to_be_visible()
    walk.seen(page, f"accueil-{name.split()[0].lower()}")
    return page


def protect(walk: Walk, page: Page) -> None:
    """The first page for managers leads to the second factor, and back."""
    walk.chapter = "protect the account"
    press(main(page), "link", "Équipe")
    expect(page.get_by_role("heading", name="Protégez votre compte", level=1)).to_be_visible()
    press(page, "link", "Utiliser une application")
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Le code que l'application affiche").fill(codes_of(walk.demo, secret)["code"])
    press(page, "button", "Protéger mon compte")
    press(page, "link", "Je les ai rangés, continuer")
    expect(page.get_by_role("heading", name="Équipe", level=1)).to_be_visible()


def make_the_team(walk: Walk, page: Page) -> None:
    """A clerk and a cashier."""
    walk.chapter = "team"
    for name, role, email in (
        (CLERK, "Agent", "accueil@gramat.example.org"),
        (CASHIER, "Caissier", "caisse@gramat.example.org"),
    ):
        page.get_by_label("Prénom et nom").fill(name)
        page.get_by_label("Adresse e-mail professionnelle").fill(email)
        page.get_by_label(role, exact=False).first.check()
        press(page, "button", "Envoyer l'invitation")
        expect(page.get_by_text(f"L'invitation part à {email}.")).to_be_visible()
    walk.seen(page, "equipe")


def dress_the_town(walk: Walk, page: Page) -> None:
    """Logo, colours, what residents read, whom to tell."""
    walk.chapter = "logo and texts"
    menu(page, "Accueil")
    walk.seen(page, "premiers-pas")
    press(main(page), "link", "Logo et couleurs")
    page.get_by_label("La couleur principale").fill("#5b2a6e")
    page.get_by_label("La couleur d'accent").fill("#7a4b00")
    walk.seen(page, "identite")
    press(page, "button", "Enregistrer")
    page.get_by_label("Le logo de la commune").set_input_files(
        {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO}
    )
    page.get_by_role("button", name="Enregistrer").last.click()
    expect(page.get_by_role("img", name="Le logo actuel")).to_be_visible()
    walk.seen(page, "logo")
    settings_page(page, "Commune")
    page.get_by_label("Le téléphone").fill("05 65 00 00 00")
    page.get_by_label("L'adresse de la mairie").fill("Place de la Mairie\n46500 GRAMAT")
    press(page, "button", "Enregistrer")
    walk.seen(page, "commune")
    settings_page(page, "Messages et rappels")
    walk.seen(page, "messages")
    page.get_by_label("Qui prévenir quand de nouvelles factures sont en ligne").select_option(
        label="toutes les adresses connues de la facturation"
    )
    press(page, "button", "Enregistrer")
    settings_page(page, "Textes légaux")
    walk.seen(page, "textes")
    words = page.get_by_label("Mentions légales")
    expect(words).to_have_value(re.compile("Place de la Mairie"))  # the proposal is in the box
    words.fill(words.input_value() + "\n\nDirectrice de la publication : Camille Roux.")
    press(page, "button", "Enregistrer")


def go_live(walk: Walk, page: Page) -> None:
    """T, X, W, for both."""
    walk.chapter = "T, X, W"
    for (label, _number), known_as in ((CANTEEN, "REGIE CANTINE"), (WATER, "BUDGET EAU")):
        settings_page(page, "Régies et PayFiP")
        press(page, "link", label)
        press(page, "link", "Mise en service")
        press(page, "button", "Vérifier ce numéro")
        expect(page.locator("address")).to_contain_text(known_as)
        press(page, "button", "C'est bien nous")
        pay(page, "Faire un paiement de test", "Payer par carte")
        press(page, "button", "Passer à l'activation (X)")
        pay(page, "Faire un paiement d'activation", "Payer par carte")
        pay(page, "Faire un paiement d'activation", "Payer par prélèvement")
        press(page, "button", "Mettre en service (W)")
        expect(page.get_by_text("Cette régie est en service")).to_be_visible()
    walk.seen(page, "en-service")


def ten_invoices() -> tuple[bytes, bytes]:
    """A CSV and a ZIP, as billing software hands them over."""
    today = clock.today()
    samples = [
        Sample(
            number=f"G-2026-{n:03}",
            issued_on=today,
            due_on=today + timedelta(days=40),
            amount=Decimal("23.50") + n,
            subject="Cantine scolaire",
            payer=f"F{n:03}",
            name=("Mme", f"FAMILLE{n}", "Noa"),
            emails=(RESIDENT,) if n == 0 else (f"famille{n}@example.net",),
            address=(f"{n + 1} rue du Moulin", "46500", "GRAMAT"),
        )
        for n in range(10)
    ]
    rows, documents = io.BytesIO(), io.BytesIO()
    write_csv(samples, rows)
    write_zip(samples, documents, TOWN)
    return rows.getvalue(), documents.getvalue()


def import_and_publish(walk: Walk, page: Page) -> None:
    """The clerk."""
    walk.chapter = "import and publish"
    rows, documents = ten_invoices()
    press(page, "link", "Importer des factures")
    page.get_by_label(re.compile("^Le fichier des factures")).set_input_files(
        {"name": "cantine.csv", "mimeType": "text/csv", "buffer": rows}
    )
    page.get_by_label("Les PDF des factures").set_input_files(
        {"name": "cantine.zip", "mimeType": "application/zip", "buffer": documents}
    )
    press(page, "button", "Envoyer et vérifier")
    publish = page.get_by_role("button", name=re.compile("Publier 10 factures"))
    expect(publish).to_be_visible(timeout=60_000)
    walk.seen(page, "apercu")
    publish.click()
    expect(page.get_by_text(re.compile("Publié le"))).to_be_visible(timeout=60_000)
    walk.seen(page, "publie")


def pay_at_home(walk: Walk) -> None:
    """A resident is told, activates, reads, and pays on a phone."""
    walk.chapter = "the resident pays"
    page = walk.person("phone")
    told = walk.demo.mail(RESIDENT, "facture")["text"]
    found = re.search(r"http://gramat\.localhost:\d+/\S*", told)
    assert found, told
    page.goto(found[0])
    page.get_by_label("Mon adresse").fill(RESIDENT)
    press(page, "button", "Recevoir le message")
    page.goto(link_in(walk.demo, RESIDENT, "Activez votre compte"))
    page.get_by_label("Mon nouveau mot de passe").fill(PASSWORD)
    walk.seen(page, "activation")
    press(page, "button", "Enregistrer")
    expect(page.get_by_role("heading", name="Mon compte est activé")).to_be_visible()
    press(page, "link", "Aller à la connexion")
    page.get_by_label("Mon adresse").fill(RESIDENT)
    page.get_by_label("Mon mot de passe").fill(PASSWORD)
    press(page, "button", "Connexion")
    expect(page.get_by_role("heading", name="Mes factures", exact=True)).to_be_visible()
    walk.seen(page, "factures")
    press(page, "link", "G-2026-000")
    walk.seen(page, "facture")
    press(page, "link", "Régler cette facture")
    press(page, "button", "Accès à l'écran de paiement TIPI")
    press(page, "button", "Payer par carte")
    expect(page.get_by_role("heading", name="Merci, votre paiement est enregistré")).to_be_visible()
    walk.seen(page, "merci")


def book_a_cheque(walk: Walk, page: Page) -> None:
    """The cashier, for another family."""
    walk.chapter = "a cheque"
    menu(page, "Encaissements")
    press(page, "link", "Nouvel encaissement")
    page.get_by_label("Numéro de facture, référence ou nom").fill("FAMILLE3")
    page.get_by_label("Numéro de facture, référence ou nom").press("Enter")
    page.get_by_role("checkbox", name=re.compile("G-2026-003")).check()
    press(page, "button", "Ajouter les factures cochées")
    page.get_by_label("Chèque", exact=True).check()
    page.get_by_label("Numéro du chèque").fill("0000123")
    page.get_by_label("Banque du chèque").fill("Banque des Coteaux")
    press(page, "button", "Enregistrer l'encaissement")
    expect(page.get_by_role("heading", name=re.compile("Règlement de 26,50"))).to_be_visible()
    walk.seen(page, "cheque")


def read_the_journal(walk: Walk, page: Page) -> None:
    """The first steps are done; and everything is there, with names."""
    walk.chapter = "the journal"
    menu(page, "Accueil")
    expect(page.get_by_text("Tout est prêt")).to_be_visible()
    walk.seen(page, "pret")
    menu(page, "Réglages")
    settings_page(page, "Journal")
    walk.seen(page, "journal")
    table = page.get_by_role("table")
    for who, what, about in TOLD:
        row = table.get_by_role("row").filter(has_text=what).filter(has_text=who).filter(has_text=about)
        expect(row.first, f"{who}: {what} {about}").to_be_visible()
    table.get_by_role("row").filter(has_text="Règlement saisi au guichet").get_by_role("link").click()
    expect(main(page)).to_contain_text(f"par {CASHIER}")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A platform without a town, whose operator exists."""
    with running_demo(tmp_path_factory.mktemp("empty") / "home", "--empty") as found:
        yield found


def test_a_town_from_nothing_to_its_first_money(
    browser: Browser, empty: Demo, shot: Callable[[Page, str], None]
) -> None:
    walk = Walk(browser, empty, shot)
    operator = open_the_town(walk)
    add_regies(walk, operator)
    invite_the_manager(walk, operator)
    walk.chapter = "the manager comes in"
    manager = join(walk, MAYOR, "maire@gramat.example.org")
    protect(walk, manager)
    make_the_team(walk, manager)
    dress_the_town(walk, manager)
    go_live(walk, manager)
    walk.chapter = "import and publish"
    clerk = join(walk, CLERK, "accueil@gramat.example.org")
    import_and_publish(walk, clerk)
    pay_at_home(walk)
    walk.chapter = "a cheque"
    cashier = join(walk, CASHIER, "caisse@gramat.example.org")
    book_a_cheque(walk, cashier)
    read_the_journal(walk, manager)
    assert not walk.complaints
    assert walk.presses.keys() == PRESSES.keys()
    assert not {name: n for name, n in walk.presses.items() if n > PRESSES[name]}
