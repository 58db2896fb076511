"""« Provenances des fichiers »: what a manager reads and changes there."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.importing.records.rules import Rules
from tenant_apps.residents.models import Source
from tenant_apps.residents.sources import default_source, save_rules, source_named
from tests.backoffice.conftest import text

LIST = "/gestion/reglages/provenances/"
USUAL = {"name": "Cantine", "who": "code", "negatives": "refuse"}
RULES = {
    **{"who": "name", "subject": "Cantine", "due_days": "30", "product": "REGIE", "number_prefix": "CAN"},
    **{"negatives": "leave_out", "encoding": "cp850", "document_pattern": "Facture_{numero}.pdf"},
    "makes_documents": "on",
}
SAVED = {
    **{"who": "name", "subject": "Cantine", "due_days": 30, "product": "REGIE", "prefix": "CAN"},
    **{"negatives": "leave_out", "encoding": "cp850", "document_pattern": "Facture_{numero}.pdf"},
    "makes_documents": True,
}


def path_of(source: Source) -> str:
    return f"{LIST}{source.uuid}/"


def test_the_list_says_how_each_is_read(browsers: SimpleNamespace, make_payer: Any) -> None:
    source = source_named(actor="system", name="Eau")
    make_payer(source=source)
    save_rules(
        actor="system",
        source=source,
        changes={"columns": {"num": "number", "lot": ""}, "who": "name", "due_days": 30},
    )
    shown = text(browsers.manager.get(LIST))
    for words in ("Eau", "1 colonne reconnue, redevables reconnus par leur nom, échéance à 30 jours"):
        assert words in shown
    assert "à leurs titres habituels" in shown


def test_every_rule_has_its_box_and_its_fact(browsers: SimpleNamespace) -> None:
    source = default_source()
    save_rules(actor="system", source=source, changes={"columns": {"num": "number", "lot": ""}})
    path = path_of(source)
    sent = {**USUAL, **RULES, "name": " Cantine  (Noethysweb) ", "column_0": "subject", "column_1": "number"}
    answer = browsers.manager.post(path, sent, follow=True)
    assert "« Cantine (Noethysweb) » est enregistrée." in text(answer)
    source.refresh_from_db()
    assert source.name == "Cantine (Noethysweb)"
    assert source.rules == {**SAVED, "columns": {"lot": "subject", "num": "number"}}
    fact = AuditEntry.objects.filter(verb="source.rules_changed").latest("id")
    assert (fact.old, fact.new) == ({"columns": {"lot": ""}}, {**SAVED, "columns": {"lot": "subject"}})
    page = text(browsers.manager.get(path))
    for words in (
        "Provenance renommée",
        "lot : non lue",
        "lot : Objet",
        "par le nom",
        "laissés de côté",
        "Numéro",
    ):
        assert words in page
    assert browsers.manager.post(path, sent).status_code == 302
    assert (
        AuditEntry.objects.filter(verb="source.rules_changed").count() == 2
    )  # the same again changes nothing
    back = {**USUAL, "name": "Cantine (Noethysweb)", "column_0": "oublier", "column_1": "oublier"}
    assert browsers.manager.post(path, back).status_code == 302
    source.refresh_from_db()
    assert source.rules == {}
    shown = set(Rules.__dataclass_fields__) - {"columns", "dates"}  # both are said at a file
    boxes = {"number_prefix" if name == "prefix" else name for name in shown}
    assert {f'name="{name}"' in browsers.manager.get(path).content.decode() for name in boxes} == {True}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Donnez un nom à cette provenance."),
        ({"name": "  éau "}, "Une autre provenance porte déjà ce nom."),
        ({"due_days": "400"}, "Indiquez un nombre de jours, de 0 à 366"),
        ({"due_days": "x"}, "Indiquez un nombre de jours, de 0 à 366"),
        ({"product": "NOWHERE"}, "Choisissez une régie de la liste."),
        ({"number_prefix": "C-N"}, "Des lettres sans accent et des chiffres seulement."),
        ({"document_pattern": "facture.pdf"}, "Écrivez {numero} à la place du numéro"),
    ],
)
def test_what_is_refused_changes_nothing(
    browsers: SimpleNamespace, wrong: dict[str, str], words: str
) -> None:
    source_named(actor="system", name="Eau")
    source = default_source()
    answer = browsers.manager.post(path_of(source), {**USUAL, **RULES, **wrong})
    assert (answer.status_code, words in text(answer)) == (422, True), text(answer)
    source.refresh_from_db()
    assert source.rules == {}


def test_only_managers(browsers: SimpleNamespace) -> None:
    for path in (LIST, path_of(default_source())):
        for person, status in (
            ("nobody", 302),
            ("alice", 404),
            ("clerk", 403),
            ("cashier", 403),
            ("manager", 200),
        ):
            assert getattr(browsers, person).get(path).status_code == status
    assert browsers.clerk.post(path_of(default_source()), USUAL).status_code == 403
    assert browsers.manager.get(f"{LIST}{'0' * 8}-0000-0000-0000-{'0' * 12}/").status_code == 404


def test_the_trail_leads_to_the_page(browsers: SimpleNamespace) -> None:
    source = source_named(actor="system", name="Eau")
    page = browsers.manager.get("/gestion/reglages/journal/").content.decode()
    assert path_of(source) in page


def test_statements_do_not_grow_with_the_sources(browsers: SimpleNamespace) -> None:
    counts = []
    for names in (("A",), ("B", "C", "D")):
        for name in names:
            source_named(actor="system", name=name)
        browsers.manager.get(LIST)
        with CaptureQueriesContext(connection) as statements:
            browsers.manager.get(LIST)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 14
