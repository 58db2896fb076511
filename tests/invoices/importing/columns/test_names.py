"""Names in place of codes: what is one family, what is two, and what is asked (decision 75)."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenant_apps.invoices.importing.formats import csv
from tenant_apps.invoices.importing.people.identity import LONGEST, bare_name, code_of_name
from tenant_apps.invoices.importing.people.questions import sentences as questions
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rules import WHO_BY_NAME, Reading, Rules
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.services import open_questions
from tenant_apps.invoices.states import Answer
from tenant_apps.residents.models import Payer
from tenant_apps.residents.sources import default_source
from tenants.models import Town
from tests.invoices.importing.batches import answer, publish, question, run, sentences
from toolkit.reading.errors import FieldError

HEADER = "Numéro;Date;Échéance;Montant;Objet;Famille"
ALWAYS = "01/10/2026;31/12/2026;37,50"


def row(number: str, name: str, subject: str = "Cantine", *more: str) -> str:
    return ";".join((number, ALWAYS, subject, name, *more))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MARTIN Paul", "MARTIN PAUL"),
        (" martin\u00a0 paul ", "MARTIN PAUL"),
        ("D’ALMEIDA Agnès", "D'ALMEIDA AGNÈS"),
        ("E\u0301TIENNE", "ÉTIENNE"),  # two signs or one: the same letter
        ("Cœurderoy Odile", "CŒURDEROY ODILE"),
        ("Nguyễn", "NGUYỄN"),
    ],
)
def test_a_name_has_one_code_in_every_file(name: str, code: str) -> None:
    assert code_of_name(name) == code
    assert code_of_name(code) == code


@pytest.mark.parametrize(
    ("one", "other"),
    [("MÜLLER Agnès", "MULLER Agnes"), ("LE GOFF Jean-François", "Le Goff Jean Francois"), ("CŒUR", "COEUR")],
)
def test_names_that_accents_tell_apart_are_two_that_look_alike(one: str, other: str) -> None:
    assert code_of_name(one) != code_of_name(other)
    assert bare_name(code_of_name(one)) == bare_name(code_of_name(other))


@pytest.mark.parametrize("one", ["MARTIN Paul", "MARTIN Paule", "PAUL Martin", "MARTIN", "M. MARTIN Paul"])
def test_other_names_do_not_even_look_alike(one: str) -> None:
    others = {"MARTIN Paul", "MARTIN Paule", "PAUL Martin", "MARTIN", "M. MARTIN Paul"} - {one}
    assert bare_name(code_of_name(one)) not in {bare_name(code_of_name(other)) for other in others}


def test_long_names_keep_their_ends() -> None:
    long = "DE LA TOUR D'AUVERGNE Maëlys et DE LA TOUR D'AUVERGNE Théo"
    codes = {code_of_name(name) for name in (long, long + "dore", long.replace("ë", "e"))}
    assert len(codes) == 3
    assert {len(code) <= LONGEST for code in codes} == {True}
    assert bare_name(code_of_name(long)) == bare_name(code_of_name(long.replace("ë", "e")))
    assert bare_name(code_of_name(long)) != bare_name(code_of_name(long + "dore"))


@pytest.mark.parametrize("name", ["", "  ", "-", "0", "néant", "#N/A", "12345", "X", "divers"])
def test_what_is_nobody_s_name(name: str) -> None:
    with pytest.raises(FieldError):
        code_of_name(name)


def read(*lines: str, header: str = HEADER) -> list[Record]:
    content = "\n".join((header, *lines)).encode()
    return list(csv.FORMAT.rows(io.BytesIO(content), Reading(Rules(who=WHO_BY_NAME))))


def test_names_are_refused_until_somebody_says_that_they_tell_families_apart() -> None:
    content = "\n".join((HEADER, row("1", "MARTIN Paul"))).encode()
    (problem,) = [
        one for one in csv.FORMAT.rows(io.BytesIO(content)) if isinstance(one, RowProblem) and one.is_error
    ]
    assert "contient un nom" in problem.message
    (invoice,) = [one for one in read(row("1", "MARTIN Paul")) if isinstance(one, InvoiceRow)]
    assert (invoice.payer, invoice.last_name, invoice.by_name) == ("MARTIN PAUL", "MARTIN Paul", True)


def test_the_first_name_is_a_part_of_it() -> None:
    header = "Facture;Date;Échéance;Montant;Objet;Famille;Prénom"
    found = read(row("1", "MARTIN", "Cantine", "Paul"), row("2", "MARTIN", "Cantine", "Zoé"), header=header)
    assert [one.payer for one in found if isinstance(one, InvoiceRow)] == ["MARTIN PAUL", "MARTIN ZOÉ"]
    alone = read(
        "1;01/10/2026;31/12/2026;5;Eau;MARTIN;Paul", header="N°;Date;Échéance;Montant;Objet;Nom;Prénom"
    )
    assert [one.payer for one in alone if isinstance(one, InvoiceRow)] == ["MARTIN PAUL"]
    wrong = read(row("1", "#N/A", "Cantine", "Paul"), header=header)
    assert [one.field for one in wrong if isinstance(one, RowProblem) and one.is_error] == ["Code redevable"]


@pytest.fixture
def by_name(town: Town) -> Town:
    """The town's only source has no codes."""
    source = default_source()
    source.rules = Rules(who=WHO_BY_NAME).to_keep()
    source.save()
    return town


def asked(batch: Batch) -> str:
    return "\n".join(
        sentence
        for update in open_questions(batch).select_related("payer", "looks_like")
        for sentence in questions(update)
    )


def test_two_invoices_of_one_name_for_one_thing_may_be_two_families(by_name: Town) -> None:
    batch = run(HEADER, row("1", "MARTIN Paul"), row("2", "MARTIN Paul"), row("3", "DURAND Léa"))
    assert (batch.state, batch.question_count) == ("ready", 1), sentences(batch)
    assert "Lignes 2 et 3 : deux factures du 01/10/2026, « Cantine », au nom de « MARTIN PAUL »" in asked(
        batch
    )
    answer(batch, Answer.SAME)
    assert publish(batch).state == "published"
    assert Invoice.objects.filter(payer__reference="MARTIN PAUL").count() == 2


def test_two_invoices_of_one_name_for_two_things_ask_nothing(by_name: Town) -> None:
    batch = run(HEADER, row("1", "MARTIN Paul"), row("2", "MARTIN Paul", "Musique"))
    assert (batch.state, batch.question_count) == ("ready", 0), sentences(batch)


def test_the_second_one_in_another_file_is_asked_about_too(by_name: Town) -> None:
    assert publish(run(HEADER, row("1", "MARTIN Paul"))).state == "published"
    again = run(HEADER, row("1", "MARTIN Paul"))
    assert (again.state, again.question_count) == ("ready", 0)  # the same invoice
    other = run(HEADER, row("2", "MARTIN Paul"))
    assert "« MARTIN PAUL » a déjà la facture n° 1 du 01/10/2026, « Cantine »" in asked(other)
    later = run(HEADER, row("3", "MARTIN Paul").replace("01/10", "01/11"))
    assert later.question_count == 0


def test_accents_are_asked_about_once(by_name: Town) -> None:
    batch = run(HEADER, row("1", "MULLER Agnès"), row("2", "MÜLLER Agnès"))
    assert "« MÜLLER AGNÈS » ne diffère de « MULLER AGNÈS » que par les accents" in asked(batch)
    answer(batch, Answer.OTHER)
    assert publish(batch).state == "published"
    assert Payer.objects.filter(is_draft=False).count() == 2
    both = run(HEADER, row("3", "MULLER Agnès", "Eau"), row("4", "MÜLLER Agnès", "Eau"))
    assert (both.state, both.question_count) == ("ready", 0), sentences(both)


def test_the_same_family_without_its_accents_is_recognised_from_then_on(by_name: Town) -> None:
    assert publish(run(HEADER, row("1", "CŒURDEROY Odile"))).state == "published"
    batch = run(HEADER, row("2", "COEURDEROY ODILE", "Eau"))
    assert question(batch).looks_like == Payer.objects.get(reference="CŒURDEROY ODILE")
    answer(batch, Answer.SAME)
    assert publish(batch).state == "published"
    assert Payer.objects.filter(is_draft=False).count() == 1
    assert run(HEADER, row("3", "COEURDEROY ODILE", "Gaz")).question_count == 0


def test_one_name_with_two_addresses_is_refused(by_name: Town) -> None:
    header = f"{HEADER};Adresse;E-mail"
    batch = run(
        header,
        row("1", "MARTIN", "Cantine", "1 rue A", "paul.martin@example.org"),
        row("2", "MARTIN", "Crèche", "9 rue B", "zoe.martin@example.org"),
    )
    assert batch.state == "refused"
    assert "est donné à deux personnes" in sentences(batch)


def test_what_is_no_name_is_refused_with_its_line(by_name: Town) -> None:
    batch = run(HEADER, row("1", "néant"), row("2", "12345"))
    assert batch.error_count == 2
    assert "qui n'est le nom de personne" in sentences(batch)


def test_statements_do_not_grow_with_the_names(by_name: Town) -> None:
    assert publish(run(HEADER, *(row(f"{n}", f"MARTIN Zoé {n} bis") for n in range(40)))).state == "published"
    with CaptureQueriesContext(connection) as few_statements:
        few = run(HEADER, *(row(f"a{n}", f"MARTIN Zoé {n} bis", "Eau") for n in range(2)))
    with CaptureQueriesContext(connection) as many_statements:
        many = run(HEADER, *(row(f"b{n}", f"MARTIN Zoe {n} bis", "Gaz") for n in range(40)))
    assert (few.question_count, many.question_count) == (0, 40)
    assert len(many_statements) - len(few_statements) <= 6  # names alike are read once for each reading
