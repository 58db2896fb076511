"""« Commune »: what a manager may change, and what is refused with a reason."""

import re
from types import SimpleNamespace

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.backoffice.forms.base import LIGHT, VISIBLE, visible
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from tests.backoffice.conftest import text
from toolkit.colour import contrast

GOOD = {
    "name": "Mairie de Démonstration",
    "address": "1 place de la Mairie",
    "phone": "05 00 00 00 00",
    "website": "www.example.org",
    "contact_email": "regie@mairie.example.org",
    "primary_colour": "#1F4E79",
    "accent_colour": "#8a4b08",
    "password_minimum": "8",
    "alert_audience": "known",
    "payer_claims": "at_once",
    "staff_second_factor": "all",
    "remind_before": "5",
    "remind_after": "",
}

PAGES = ("", "donnees-personnelles/", "logo/", "textes/", "connexion/")  # where a manager sets up the town
NOT_ASKED = {
    "id": "a town has one row",
    "logo_width": "measured on the logo",
    "logo_height": "measured on the logo",
    "identity_provider": "one JSON: its page asks for the parts (tests/backoffice/test_openid.py)",
    "staff_identity_provider": "the same (tests/backoffice/test_staff_openid.py)",
}


def test_every_field_of_the_town_is_drawn(browsers: SimpleNamespace) -> None:
    """A field that no page of the manager draws would keep its default for ever, or lose what it held."""
    pages = [browsers.manager.get(f"/gestion/commune/{page}").content.decode() for page in PAGES]
    drawn = {name for page in pages for name in re.findall(r'\bname="(\w+)"', page)}
    fields = {field.name for field in TownHall._meta.concrete_fields}
    assert fields - drawn == set(NOT_ASKED)


def test_changed_and_recorded(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    answer = browsers.manager.post("/gestion/commune/", GOOD, follow=True)
    assert "Les informations de la commune sont enregistrées." in text(answer)
    townhall = current_townhall()
    assert (townhall.website, townhall.password_minimum) == ("https://www.example.org", 8)
    fact = AuditEntry.objects.get(verb="townhall.changed")
    assert fact.actor == people.manager.audit_name
    assert (fact.old["password_minimum"], fact.new["password_minimum"]) == (12, 8)
    assert "name" not in fact.new  # only what changed
    assert (townhall.remind_before, townhall.remind_after) == (5, None)
    browsers.manager.post("/gestion/commune/", GOOD)
    assert AuditEntry.objects.filter(verb="townhall.changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Écrivez le nom de la commune."),
        ("contact_email", "regie", "n'est pas complète"),
        ("contact_email", "regie@maırie.fr", "contient « ı »"),
        ("website", "pas un site", "ressemble à https://www.exemple.fr"),
        ("primary_colour", "#ffff66", "trop claire"),
        ("primary_colour", "rouge", "Une couleur s'écrit comme #1f4e79."),
        ("accent_colour", "#12", "Une couleur s'écrit comme #1f4e79."),
        ("password_minimum", "4", "Indiquez un nombre de 5 à 64."),
        ("password_minimum", "65", "Indiquez un nombre de 5 à 64."),
        ("password_minimum", "douze", "Indiquez un nombre de 5 à 64."),
        ("alert_audience", "tous", "Choisissez une réponse de la liste."),
        ("payer_claims", "jamais", "Choisissez une réponse de la liste."),
        ("remind_before", "0", "Indiquez un nombre de jours, de 1 à 60"),
        ("remind_after", "61", "Indiquez un nombre de jours, de 1 à 60"),
    ],
)
def test_refused_with_a_reason(browsers: SimpleNamespace, field: str, value: str, words: str) -> None:
    before = current_townhall()
    answer = browsers.manager.post("/gestion/commune/", {**GOOD, field: value})
    assert answer.status_code == 422
    assert words in text(answer)
    assert f'href="#id_{field}"' in answer.content.decode()  # the summary leads to the field
    after = current_townhall()
    assert (after.name, after.password_minimum) == (before.name, before.password_minimum)


@pytest.mark.parametrize("colour", ["#ffff66", "#ffffff", "#f0a000", "#1f4e79"])
def test_the_colour_proposed_instead_can_be_seen(colour: str) -> None:
    assert contrast(visible(colour), LIGHT) >= VISIBLE
