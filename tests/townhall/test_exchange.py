"""Settings from one town to another: what goes, what comes, what is refused, and that it can be undone."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django_tenants.utils import tenant_context

from shared_apps.accounts.errors import NotWhileImpersonating
from shared_apps.audit.models import AuditEntry
from tenant_apps.townhall.exchange import files
from tenant_apps.townhall.exchange.names import foreign
from tenant_apps.townhall.exchange.services import compare, export_settings, take_settings
from tenant_apps.townhall.exchange.shared import BY_FIELD, SHARED
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall
from tenants.hosts.registry import address_of
from tenants.models import Town
from tests.backoffice.conftest import browsers as browsers
from tests.backoffice.conftest import people as people
from tests.backoffice.conftest import text

PAGE = "/gestion/reglages/echange/"
OWN = {
    "id": "a town has one row",
    **dict.fromkeys(("name", "address", "phone", "website", "contact_email"), "who the town is"),
    **dict.fromkeys(("logo", "logo_width", "logo_height", "icon"), "its pictures"),
    "conformity": "what an audit of this portal showed",
    **dict.fromkeys(("identity_provider", "staff_identity_provider"), "its registration and its secret"),
    "first_day": "what its list of first steps remembers",
}


def document(**settings: Any) -> bytes:
    return json.dumps({"format": files.FORMAT, "version": 1, "reglages": settings}).encode()


def facts() -> int:
    return AuditEntry.objects.filter(verb="townhall.changed").count()


def test_every_field_is_shared_or_says_why_not() -> None:
    fields = {field.name for field in TownHall._meta.concrete_fields}
    assert set(BY_FIELD) | set(OWN) == fields
    assert not set(BY_FIELD) & set(OWN)
    assert len({one.key for one in SHARED}) == len(SHARED)


def test_what_goes_says_nothing_of_the_town(town: Town) -> None:
    change_townhall(
        actor="system",
        address="12 rue des Lilas\r\n82000 Ici",
        phone="05 11 22 33 44",
        website="https://www.example.org",
        legal_notice="Mairie de Démonstration\r\n12 rue des Lilas\r\n82000 Ici\r\n05 11 22 33 44, "
        f"regie@mairie.example.org, https://www.example.org, {address_of(town)}, 82000 Ici.",
    )
    written = export_settings()
    for word in (
        "Démonstration",
        "Lilas",
        "82000",
        "05 11",
        "@",
        "example.org",
        "localhost",
        "logo",
        "secret",
    ):
        assert word not in written
    found = json.loads(written)
    assert (found["format"], found["version"]) == ("mes-factures-reglages", 1)
    assert (
        "texte_donnees_personnelles" not in found["reglages"]
    )  # not rewritten: each town has its own proposal
    assert found["reglages"]["rappel_jours_apres_echeance"] is None
    assert compare(written.encode()) == []  # in the same town everything comes back as it was


def test_another_town_takes_them(town: Town, other_town: Town) -> None:
    change_townhall(
        actor="system",
        primary_colour="#7a1f5c",
        remind_after=10,
        alert_audience="known",
        legal_notice="Éditeur : Mairie de Démonstration, regie@mairie.example.org",
    )
    written = export_settings().encode()
    with tenant_context(other_town):
        before = current_townhall()
        changes = {one.shared.field: one for one in compare(written)}
        assert {"primary_colour", "remind_after", "legal_notice"} <= set(changes)
        assert not changes["legal_notice"].warnings
        taken, back = take_settings(actor="system", content=written, keys={one.key for one in SHARED})
        assert len(taken) == len(changes)
        after = current_townhall()
        assert (after.primary_colour, after.remind_after, after.name) == ("#7a1f5c", 10, before.name)
        assert after.legal_notice == f"Éditeur : {before.name}, {before.contact_email}"
        assert facts() == 1
        fact = AuditEntry.objects.get(verb="townhall.changed")
        assert fact.old["primary_colour"] == before.primary_colour
        again, nothing = take_settings(actor="system", content=written, keys={one.key for one in SHARED})
        assert (again, json.loads(nothing)["reglages"], facts()) == ([], {}, 1)
        take_settings(actor="system", content=back.encode(), keys={one.key for one in SHARED})
        undone = current_townhall()
        assert {name: getattr(undone, name) for name in BY_FIELD} == {
            name: getattr(before, name) for name in BY_FIELD
        }
    assert current_townhall().primary_colour == "#7a1f5c"  # the town that gave them has lost nothing


def test_only_what_is_ticked(town: Town) -> None:
    content = document(rappel_jours_avant_echeance=3, garder_alertes_mois=24)
    take_settings(actor="system", content=content, keys={"garder_alertes_mois"})
    assert (current_townhall().remind_before, current_townhall().keep_alerts) == (7, 24)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "pas du JSON"),
        (b"\xff\xfe", "pas du JSON"),
        (b"[" * 100_000, "pas du JSON"),
        (b"[]", "« format » : attendu"),
        (b'{"format": "autre"}', "« format » : attendu"),
        (b'{"format": "mes-factures-reglages", "version": 2, "reglages": {}}', "« version » : attendu 1"),
        (b'{"format": "mes-factures-reglages", "version": true, "reglages": {}}', "« version » : attendu 1"),
        (b'{"format": "mes-factures-reglages", "version": 1}', "« reglages » : attendu"),
        (b'{"format": "mes-factures-reglages", "version": 1, "reglages": {}, "plus": 1}', "« plus »"),
        (b'{"format": "mes-factures-reglages", "version": 1, "version": 1}', "« version » est deux fois"),
        (document(nom="Ailleurs"), "« nom » : ce réglage n'est pas connu"),
        (document(couleur_principale="rouge"), "attendu une couleur comme #1f4e79 ; le fichier dit rouge"),
        (document(couleur_principale=["#1f4e79"]), "attendu une couleur"),
        (document(couleur_principale="#ffff66"), "trop claire"),
        (document(couleur_accent="#1f4e79}"), "attendu une couleur"),
        (document(mot_de_passe_longueur_minimale=4), "attendu un nombre entier de 5 à 64 ; le fichier dit 4"),
        (document(mot_de_passe_longueur_minimale="12"), "un nombre entier de 5 à 64"),
        (document(mot_de_passe_longueur_minimale=12.0), "un nombre entier de 5 à 64"),
        (document(mot_de_passe_longueur_minimale=None), "un nombre entier de 5 à 64"),
        (document(rappel_jours_avant_echeance=61), "un nombre entier de 1 à 60, ou null"),
        (document(rappel_jours_avant_echeance=True), "un nombre entier de 1 à 60, ou null"),
        (document(connexion_par_code="oui"), "attendu true ou false"),
        (document(nouvelles_factures_prevenir="tous"), "une de ces valeurs : nobody, accounts, known"),
        (document(nouvelles_factures_prevenir=""), "une de ces valeurs"),
        (document(garder_messages_mois=5), "un nombre entier de 6 à 120"),
        (document(texte_accessibilite="x" * 20_001), "un texte de 20 000 caractères au plus"),
        (document(texte_accessibilite="a\0b"), "un texte de 20 000 caractères"),
        (document(texte_accessibilite="\ud800"), "un texte de 20 000 caractères"),
        (document(**{"\ud800\0": 1}), "n'est pas connu"),
        (b" " * (files.MOST_BYTES + 1), "plus de 256 Ko"),
    ],
)
def test_refused_as_a_whole(town: Town, content: bytes, words: str) -> None:
    """A good setting beside a bad one is not taken either."""
    for act in (compare, lambda sent: take_settings(actor="system", content=sent, keys=set())):
        with pytest.raises(ValidationError) as refusal:
            act(content)
        assert words in " ".join(refusal.value.messages)
        " ".join(refusal.value.messages).encode()  # it can be shown
    assert facts() == 0


def test_each_wrong_key_is_named(town: Town) -> None:
    with pytest.raises(ValidationError) as refusal:
        compare(document(nom="x", couleur_accent=1, garder_alertes_mois=12))
    assert [message[:12] for message in refusal.value.messages] == ["« nom » : ce", "« couleur_ac"]


def test_the_proposed_text_stays_empty(town: Town) -> None:
    change_townhall(actor="system", privacy_notice="À nous")
    (change,) = compare(document(texte_donnees_personnelles=""))
    assert (change.new, change.new_words) == ("", "le texte proposé")


@pytest.mark.parametrize(
    ("words", "signs"),
    [
        ("La mairie de Castelnau-sur-Lys répond.", ["mairie de Castelnau-sur-Lys"]),
        ("Écrivez à dpo@castelnau.example.", ["dpo@castelnau.example"]),
        ("Appelez le 05 61 00 00 00.", ["05 61 00 00 00"]),
        ("SIRET 213 100 001 00017", ["213 100 001 00017"]),
        ("Écrivez à [téléphone de la commune].", ["[téléphone de la commune]"]),
        ("Le maire de la commune répond au 09 69 39 00 00.", []),  # the Défenseur des droits is everybody's
        ("La Mairie de Démonstration répond.", []),
    ],
)
def test_what_speaks_of_another_town_is_seen(words: str, signs: list[str]) -> None:
    assert foreign(words, known="Mairie de Démonstration 09 69 39 00 00") == signs


# --- The page ---------------------------------------------------------------------------------------


def upload(content: bytes) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("reglages.json", content, "application/json")}


def test_the_road_of_a_manager(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    answer = browsers.manager.get(f"{PAGE}reglages.json")
    assert answer["Content-Disposition"] == 'attachment; filename="reglages.json"'
    content = answer.content.replace(b'"garder_alertes_mois": 12', b'"garder_alertes_mois": 24')
    content = content.replace(b'"connexion_par_code": true', b'"connexion_par_code": false')
    page = browsers.manager.post(PAGE, upload(content))
    assert "Durée de conservation, en mois : alertes" in text(page)
    assert facts() == 0
    sent = {"reglages": page.context["content"], "appliquer": "1"}
    nothing = browsers.manager.post(PAGE, sent)
    assert (nothing.status_code, "Cochez au moins" in text(nothing)) == (422, True)
    done = browsers.manager.post(PAGE, {**sent, "prendre": ["garder_alertes_mois"]})
    assert "1 réglage est changé." in text(done)
    assert (current_townhall().keep_alerts, current_townhall().mailed_codes) == (24, True)
    assert AuditEntry.objects.get(verb="townhall.changed").actor == people.manager.audit_name
    browsers.manager.post(PAGE, {**sent, "prendre": ["garder_alertes_mois"]})
    assert facts() == 1
    undo = browsers.manager.post(PAGE, {"reglages": done.context["content"]})
    assert [(one.old, one.new) for one in undo.context["changes"]] == [(24, 12)]


def test_refused_on_the_page(browsers: SimpleNamespace) -> None:
    for sent, status, words in (
        (
            upload(document(nom="x", rappel_jours_avant_echeance=3)),
            422,
            "« nom » : ce réglage n'est pas connu",
        ),
        (upload(b""), 422, "Ce fichier est vide"),
        ({}, 422, "Choisissez le fichier"),
        (upload(b" " * (files.MOST_BYTES + 1)), 422, "plus de 256 Ko"),
        (upload(b" " * (5 * files.MOST_BYTES)), 413, "plus de 256 Ko"),
        ({"reglages": "{}", "appliquer": "1"}, 422, "« format » : attendu"),
    ):
        answer = browsers.manager.post(PAGE, sent)
        assert (answer.status_code, words in text(answer)) == (status, True), words
    assert facts() == 0
    for who, status in (("reader", 403), ("clerk", 403), ("cashier", 403), ("alice", 404)):
        assert getattr(browsers, who).get(f"{PAGE}reglages.json").status_code == status
        assert (
            getattr(browsers, who).post(PAGE, upload(document(garder_alertes_mois=24))).status_code == status
        )


def test_the_largest_file_comes_back_from_the_page(browsers: SimpleNamespace) -> None:
    wide = "\u4e2d" * 19_999
    content = document(texte_accessibilite=wide, texte_mentions_legales=wide, texte_donnees_personnelles=wide)
    content = json.dumps(json.loads(content), ensure_ascii=False).encode()
    page = browsers.manager.post(PAGE, upload(content))
    sent = {"reglages": page.context["content"], "appliquer": "1", "prendre": "texte_accessibilite"}
    assert browsers.manager.post(PAGE, sent).status_code == 200
    assert current_townhall().accessibility_notice == wide


def test_an_operator_does_not_take_who_needs_a_second_factor(people: SimpleNamespace) -> None:
    people.manager.impersonated_by = object()
    with pytest.raises(NotWhileImpersonating):
        take_settings(
            actor=people.manager,
            content=document(second_facteur_du_personnel="all"),
            keys={"second_facteur_du_personnel"},
        )
    assert current_townhall().staff_second_factor == "managers"
