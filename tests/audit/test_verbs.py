"""Facts are declared: an unknown verb fails the build, and each fact is a sentence in both languages."""

import ast
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import polib
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import transaction
from django.utils import translation

from shared_apps.audit import services as audit
from shared_apps.audit import verbs
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.verbs import Fact, UnknownFact
from tenants.models import Town
from tests.audit.calls import ROOT, Unread, calls, read

CALLS = list(calls())
TESTS_OWN = "tests."


def ours() -> Iterator[Fact]:
    return (fact for fact in verbs.every() if not fact.room.startswith(TESTS_OWN))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_every_recorded_verb_is_declared_with_its_keys(call: Any) -> None:
    for verb in call.verbs:
        fact = verbs.find(verb)
        assert fact is not None, f"{verb}: declare it in the room's facts.py"
        for name in call.old:
            assert fact.key(name, before=True), f"{verb}: {name} is not declared before"
        for name in call.new:
            assert fact.key(name, before=False), f"{verb}: {name} is not declared after"


def test_every_declared_verb_is_recorded_somewhere() -> None:
    recorded = set().union(*(call.verbs for call in CALLS))
    assert {fact.verb for fact in ours()} - recorded == set()
    assert len(recorded) > 90


def test_the_look_sees_verbs_and_refuses_what_it_cannot_see() -> None:
    source = "T = {1: 'a.x', 2: 'a.y'}\ndef f(a):\n    audit.record(T[a], old={'k': 1}, new={**{'n': 1}})"
    (call,) = read(ast.parse(source), "f.py")
    assert (call.verbs, call.old, call.new) == ({"a.x", "a.y"}, {"k"}, {"n"})
    with pytest.raises(Unread):
        list(read(ast.parse("def f(a):\n    audit.record(f'a.{a}')"), "f.py"))


def test_what_is_not_declared_is_not_recorded(town: Town) -> None:
    with transaction.atomic():
        for verb, new in (("payment.eaten", {}), ("payment.cancelled", {"colour": "red"})):
            with pytest.raises(UnknownFact):
                audit.record(verb, actor="system", new=new)
    assert not AuditEntry.objects.filter(verb__startswith="payment.").exists()


def test_in_service_no_act_fails_for_a_word(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(verbs, "_strict", False)
    with transaction.atomic():
        entry = audit.record("payment.eaten", actor="system", new={"by": "a dog"})
    assert "payment.eaten" in caplog.text
    assert verbs.sentence(entry) == "payment.eaten : by : a dog"


def fact(verb: str, *, old: Any = None, new: Any = None) -> Any:
    return SimpleNamespace(verb=verb, object="", old=old or {}, new=new or {})


SENTENCES = [
    (
        fact(
            "payment.cancelled", old={"amount": "37.50", "invoices": {"a": "37.50"}}, new={"reason": "impayé"}
        ),
        "Règlement annulé par Jeanne : montant : 37,50 € ; factures : 1 ; motif : impayé",
        "Payment cancelled by Jeanne: amount: €37.50; invoices: 1; reason: impayé",
    ),
    (
        fact(
            "town.suspended",
            old={"state": "open"},
            new={"state": "suspended", "slug": "x", "reason": "pause"},
        ),
        "Commune suspendue par Jeanne : état : ouverte → suspendue ; motif : pause",
        None,
    ),
    (
        fact("townhall.changed", old={"remind_before": 7}, new={"remind_before": None}),
        "Réglages de la commune changés par Jeanne : rappel, en jours avant l'échéance : 7 → rien",
        None,
    ),
    (
        fact("account.alerts_chosen", old={"refused": []}, new={"refused": ["receipt"]}),
        "Messages choisis par Jeanne : messages refusés : rien → un règlement en ligne est enregistré",
        None,
    ),
    (
        fact(
            "payment.booked", new={"amount": "12", "means": "cheque", "paid_on": "2026-10-01", "invoices": {}}
        ),
        "Règlement saisi au guichet par Jeanne : montant : 12,00 € ; moyen : chèque ; réglé le : 01/10/2026 ; "
        "factures : 0",
        None,
    ),
    (  # a value of an older version is shown as it is
        fact("payment.booked", new={"amount": "12", "means": "shells"}),
        "Règlement saisi au guichet par Jeanne : montant : 12,00 € ; moyen : shells",
        None,
    ),
]


@pytest.mark.parametrize(
    ("entry", "french", "english"), SENTENCES, ids=lambda value: getattr(value, "verb", "")
)
def test_sentences(entry: Any, french: str, english: str | None) -> None:
    def plain(text: str) -> str:
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    assert plain(verbs.sentence(entry, who="Jeanne")) == french
    with translation.override("en"):
        said = plain(verbs.sentence(entry, who="Jeanne"))
    assert said != french
    assert english is None or said == english


def test_every_title_and_label_is_english_too() -> None:
    catalogue = polib.pofile(str(ROOT / "src/config/locale/en/LC_MESSAGES/django.po"))
    known = {entry.msgid for entry in catalogue if entry.msgstr or entry.msgstr_plural}
    for one in ours():
        labels = [key.label for key in (*one.before, *one.after) if key.label]
        for words in (one.title, *labels):
            with translation.override("fr"):
                assert str(words) in known, one.verb


def test_the_list_of_facts_is_the_one_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("list_facts")
    rows = capsys.readouterr().out.splitlines()
    listed = [row for row in rows if f"`{TESTS_OWN}" not in row]
    assert listed == (ROOT / "docs/facts.md").read_text(encoding="utf-8").splitlines(), "make lists"


def test_the_list_of_notices_is_the_one_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("list_notices")
    assert capsys.readouterr().out == (ROOT / "docs/notices.md").read_text(encoding="utf-8"), "make lists"


WORDED = {
    "townhall.TownHall": "townhall.changed",
    "products.Product": "product.changed",
    "console.Platform": "platform.changed",
}
ALIKE = {"code", "label", "logo", "mode"}  # a French word that is also the name of the field
ELSEWHERE = {  # not in these facts: each has its own, or none
    *("first_day", "identity_provider", "staff_identity_provider", "changed_at"),
    *("replaced_by", "treasury_label", "checked_at", "closed_at", "closed_code"),
}


@pytest.mark.parametrize("model", WORDED)
def test_a_changed_setting_is_shown_in_french_or_not_at_all(model: str) -> None:
    """Django makes « logo height » of a field without a label of its own."""
    fact = verbs.find(WORDED[model])
    assert fact is not None
    names = {field.name for field in apps.get_model(model)._meta.concrete_fields}
    shown = {name: str(key.label) for name in names if (key := fact.key(name, before=False)) is not None}
    made = {name for name, label in shown.items() if label and label == name.replace("_", " ")}
    assert made <= ALIKE | ELSEWHERE
