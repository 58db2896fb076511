"""The pages of « Réglages »: what a manager may change, what is refused with a reason, what is only shown."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.backoffice.words.settings_pages import PAGES as NAVIGATION
from tenant_apps.townhall.colours import GROUND, VISIBLE, visible
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from tests.backoffice.conftest import text
from toolkit.colour import contrast

SETTINGS = "/gestion/reglages/"
GOOD = {
    "commune": {
        "name": "Mairie de Démonstration",
        "address": "1 place de la Mairie",
        "phone": "05 00 00 00 00",
        "website": "www.example.org",
        "contact_email": "regie@mairie.example.org",
    },
    "identite": {"quoi": "couleurs", "primary_colour": "#1F4E80", "accent_colour": "#8a4b08"},
    "messages": {"alert_audience": "known", "remind_before": "5", "remind_after": ""},
    "connexion": {"password_minimum": "8", "payer_claims": "at_once", "staff_second_factor": "all"},
}
PAGES = ("commune", "identite", "messages", "textes", "connexion", "donnees-personnelles", "franceconnect")
NOT_ASKED = {
    "id": "a town has one row",
    "logo_width": "measured on the logo",
    "logo_height": "measured on the logo",
    "first_day": "remembered by the list on the home page (tests/backoffice/test_first_day.py)",
    "identity_provider": "one JSON: its page asks for the parts (tests/backoffice/test_openid.py)",
    "staff_identity_provider": "the same (tests/backoffice/test_staff_openid.py)",
}


def test_every_field_of_the_town_is_drawn(browsers: SimpleNamespace) -> None:
    """A field on no page would keep its default for ever; of two pages, one would lose what the other saved."""
    fields = {field.name for field in TownHall._meta.concrete_fields}
    drawn = Counter[str]()
    for page in PAGES:
        names = set(
            re.findall(r'\bname="(\w+)"', browsers.manager.get(f"{SETTINGS}{page}/").content.decode())
        )
        drawn.update(names & fields)
    assert fields - set(drawn) == set(NOT_ASKED)
    assert set(drawn.values()) == {1}, drawn.most_common(3)


def test_each_page_leads_to_all_the_others(browsers: SimpleNamespace) -> None:
    first = browsers.manager.get(f"{SETTINGS}commune/").content.decode()
    nav = first.partition('<nav class="settings"')[2].partition("</nav>")[0]
    addresses = re.findall(r'href="([^"]+)"', nav)
    assert len(addresses) == len(NAVIGATION)
    for address in addresses:
        page = browsers.manager.get(address).content.decode()
        nav = page.partition('<nav class="settings"')[2].partition("</nav>")[0]
        assert re.findall(r'href="([^"]+)"', nav) == addresses
        assert re.findall(r'href="([^"]+)" aria-current="page"', nav) == [address]
        menu = page.partition('id="menu"')[2].partition("</nav>")[0]
        assert re.search(r'aria-current="page">\s*Réglages', menu), address


@pytest.mark.parametrize("page", list(GOOD))
def test_changed_and_recorded(browsers: SimpleNamespace, people: SimpleNamespace, page: str) -> None:
    """Each page writes its own fields only, as one fact, and nothing the second time."""
    answer = browsers.manager.post(f"{SETTINGS}{page}/", GOOD[page])
    assert (answer.status_code, answer["Location"]) == (302, f"{SETTINGS}{page}/")
    fact = AuditEntry.objects.get(verb="townhall.changed")
    assert fact.actor == people.manager.audit_name
    own = {*GOOD[page], *({"mailed_codes"} if page == "connexion" else ())}
    assert fact.new
    assert set(fact.new) <= own
    for name, value in fact.new.items():
        assert getattr(current_townhall(), name) == value
        assert fact.old[name] != value  # only what changed
    browsers.manager.post(f"{SETTINGS}{page}/", GOOD[page])
    assert AuditEntry.objects.filter(verb="townhall.changed").count() == 1


def test_what_was_typed_is_kept_as_meant(browsers: SimpleNamespace) -> None:
    for page, sent in GOOD.items():
        assert browsers.manager.post(f"{SETTINGS}{page}/", sent).status_code == 302
    townhall = current_townhall()
    assert (townhall.website, townhall.password_minimum) == ("https://www.example.org", 8)
    assert (townhall.remind_before, townhall.remind_after) == (5, None)
    assert (townhall.primary_colour, townhall.mailed_codes) == ("#1f4e80", False)


@pytest.mark.parametrize(
    ("page", "field", "value", "words"),
    [
        ("commune", "name", "", "Écrivez le nom de la commune."),
        ("commune", "contact_email", "regie", "n'est pas complète"),
        ("commune", "contact_email", "regie@maırie.fr", "contient « ı »"),
        ("commune", "website", "pas un site", "ressemble à https://www.exemple.fr"),
        ("identite", "primary_colour", "#ffff66", "trop claire"),
        ("identite", "primary_colour", "rouge", "Une couleur s'écrit comme #1f4e79."),
        ("identite", "accent_colour", "#12", "Une couleur s'écrit comme #1f4e79."),
        ("connexion", "password_minimum", "4", "Indiquez un nombre de 5 à 64."),
        ("connexion", "password_minimum", "65", "Indiquez un nombre de 5 à 64."),
        ("connexion", "password_minimum", "douze", "Indiquez un nombre de 5 à 64."),
        ("messages", "alert_audience", "tous", "Choisissez une réponse de la liste."),
        ("connexion", "payer_claims", "jamais", "Choisissez une réponse de la liste."),
        ("messages", "remind_before", "0", "Indiquez un nombre de jours, de 1 à 60"),
        ("messages", "remind_after", "61", "Indiquez un nombre de jours, de 1 à 60"),
    ],
)
def test_refused_with_a_reason(
    browsers: SimpleNamespace, page: str, field: str, value: str, words: str
) -> None:
    answer = browsers.manager.post(f"{SETTINGS}{page}/", {**GOOD[page], field: value})
    assert answer.status_code == 422
    assert words in text(answer)
    assert f'href="#id_{field}"' in answer.content.decode()  # the summary leads to the field
    assert not AuditEntry.objects.filter(verb="townhall.changed").exists()


@pytest.mark.parametrize("page", list(GOOD))
def test_looking_saves_nothing(browsers: SimpleNamespace, page: str) -> None:
    """« Voir », and what htmx asks for while one types: the preview alone."""
    sent = {**GOOD[page], "voir": "1"}
    answer = browsers.manager.post(f"{SETTINGS}{page}/", sent)
    assert answer.status_code == 200
    assert "<html" in answer.content.decode()
    live = browsers.manager.post(f"{SETTINGS}{page}/", sent, headers={"HX-Request": "true"})
    assert live.status_code == 200
    assert ("<html" in live.content.decode()) == (page == "messages")  # it has no live preview
    assert not AuditEntry.objects.filter(verb="townhall.changed").exists()


def test_the_contact_is_shown_as_typed(browsers: SimpleNamespace) -> None:
    sent = {**GOOD["commune"], "phone": "05 11 22 33 44", "address": "2 <b>rue</b>\r\n82000 Ici", "voir": "1"}
    page = browsers.manager.post(f"{SETTINGS}commune/", sent, headers={"HX-Request": "true"}).content.decode()
    assert 'href="tel:0511223344"' in page
    assert "2 &lt;b&gt;rue&lt;/b&gt;<br>82000 Ici" in page
    wrong = browsers.manager.post(
        f"{SETTINGS}commune/", {**sent, "contact_email": "regie"}, headers={"HX-Request": "true"}
    )
    assert (wrong.status_code, "05 11 22 33 44" in text(wrong)) == (200, True)  # half typed is no error


def test_the_page_of_sign_in_is_shown_as_chosen(browsers: SimpleNamespace) -> None:
    def shown(**sent: str) -> str:
        data = {**GOOD["connexion"], **sent, "voir": "1"}
        return text(browsers.manager.post(f"{SETTINGS}connexion/", data, headers={"HX-Request": "true"}))

    assert "Recevoir un code par e-mail" in shown(mailed_codes="on")
    assert "Recevoir un code" not in shown()
    assert "Utilisez une facture papier" in shown(payer_claims="approval")
    assert "facture papier" not in shown(payer_claims="off")
    assert "au moins 9 caractères" in shown(password_minimum="9")
    assert "Celui du personnel en a 12 au moins." in shown(password_minimum="9")
    assert "du personnel" not in shown(password_minimum="12")


@pytest.mark.parametrize("colour", ["#ffff66", "#ffffff", "#f0a000", "#1f4e79"])
def test_the_colour_proposed_instead_can_be_seen(colour: str) -> None:
    assert contrast(visible(colour), GROUND) >= VISIBLE
