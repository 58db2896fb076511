"""Tables as clerks send them: each case is read right, or refused in words with row, column, value and remedy."""

import codecs
import io
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

import pytest

from tenant_apps.invoices.importing.format import HEAD, Confidence
from tenant_apps.invoices.importing.formats import csv
from tenant_apps.invoices.importing.records.doubts import MOST_SAID
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, RowProblem
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, Reading, Rules
from tests.invoices.importing.files import read
from toolkit import clock, sheets
from toolkit.reading.errors import FileError, UnsureEncoding

TITLES = (
    "Numéro;Date;Échéance;Montant;Objet;Code redevable;Exercice;Civilité;Nom;Prénom;Adresse;CP;Ville;E-mail;"
    "Régie;Fichier PDF"
)
VALUES = "P1;05/10/2026;31/10/2026;42,00;Piscine;U7;2026;Mme;RIVIERE;Anne;3 rue Haute;35000;Rennes;;;"
PLAIN = TITLES.replace("é", "e").replace("É", "E")


def row(**cells: str) -> str:
    """VALUES with other cells, by the first word of their title, in lower case and without accents."""
    names = (
        *("numero", "date", "echeance", "montant", "objet", "code", "exercice", "civilite", "nom", "prenom"),
        *("adresse", "cp", "ville", "email", "regie", "fichier"),
    )
    return ";".join((dict(zip(names, VALUES.split(";"), strict=True)) | cells).values())


def table(*rows: str, titles: str = TITLES) -> str:
    return "\r\n".join((titles, *rows)) + "\r\n"


def read_by(content: str | bytes, **rules: object) -> tuple[list[InvoiceRow], list[RowProblem]]:
    """(rows, problems) of a CSV of a source with these rules."""
    raw = content.encode() if isinstance(content, str) else content
    found = list(csv.FORMAT.rows(io.BytesIO(raw), Reading(Rules(**rules))))  # type: ignore[arg-type]
    return (
        [one for one in found if isinstance(one, InvoiceRow)],
        [one for one in found if isinstance(one, RowProblem)],
    )


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "cp1252", "iso8859-15", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    ("last_name", "first_name", "subject"),
    [
        ("FRANÇOIS", "MICHÈLE", "CANTINE DE NOËL"),
        ("Lefèvre", "Benoît", "Cantine d'août"),
        ("GARCIA", "Cédric", "Étude de février"),
    ],
)
def test_accents_of_every_system(encoding: str, last_name: str, first_name: str, subject: str) -> None:
    """Titles without accents: only the names tell the encoding."""
    content = table(row(nom=last_name, prenom=first_name, objet=subject), titles=PLAIN).encode(encoding)
    rows, errors, _ = read(content)
    assert not errors
    assert (rows[0].last_name, rows[0].first_name, rows[0].subject) == (last_name, first_name, subject)


@pytest.mark.parametrize("amount", ["37,50 €", "37,50"])
def test_the_signs_that_only_iso_8859_15_has(amount: str) -> None:
    content = table(row(montant=amount, objet="École du Sacré-Cœur"), titles=PLAIN).encode("iso8859-15")
    rows, errors, _ = read(content)
    assert not errors
    assert (rows[0].amount, rows[0].subject) == (Decimal("37.50"), "École du Sacré-Cœur")


def test_a_euro_alone_tells_iso_8859_15() -> None:
    rows, errors, _ = read(table(row(montant="37,50 €"), titles=PLAIN).encode("iso8859-15"))
    assert (rows[0].amount, errors) == (Decimal("37.50"), [])


@pytest.mark.parametrize("name", ["MARTÔN", "JOÃO", "MANÈS"])
def test_a_word_that_two_encodings_write_is_asked_about(name: str) -> None:
    """Never a wrong name: the question shows the word in each reading, and the answer is a rule of the source."""
    right = "cp1252" if name == "MARTÔN" else "cp850"
    content = table(row(nom=name), titles=PLAIN).encode(right)
    with pytest.raises(FileError, match="n'est pas certain") as refused:
        read(content)
    assert f"« {name} » (ligne 2)" in str(refused.value)
    assert "règles de la provenance" in str(refused.value)
    assert isinstance(refused.value, UnsureEncoding)
    choices = [refused.value.choice, *refused.value.choice.others]
    assert ((name, 2),) in [one.samples for one in choices]
    rows, _ = read_by(content, encoding=right)
    assert rows[0].last_name == name


def test_a_confirmed_encoding_does_not_break_a_file_that_is_sure() -> None:
    rows, _ = read_by(table(row(nom="HÉLÈNE")), encoding="cp850")
    assert rows[0].last_name == "HÉLÈNE"
    with pytest.raises(FileError, match="n'est pas certain"):  # nor one that it cannot be
        read_by(table(row(nom="MARTÔN"), titles=PLAIN).encode("cp1252"), encoding="mac_roman")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_unicode_text_of_excel(encoding: str) -> None:
    content = table(row(nom="ÉTÉ")).replace(";", "\t").encode(encoding)
    rows, errors, _ = read(content)
    assert not errors
    assert rows[0].last_name == "ÉTÉ"
    assert csv.recognise(content[:HEAD], "x.txt") == Confidence.CERTAIN or encoding != "utf-16"


def test_one_windows_line_in_a_utf_8_file_is_read_and_named() -> None:
    content = table(row(nom="MÉNARD", prenom="Hélène"), titles=PLAIN).encode()
    content += row(numero="P2", code="U8", prenom="Benoît").encode("cp1252") + b"\r\n"
    rows, errors, notices = read(content)
    assert not errors
    assert [one.first_name for one in rows] == ["Hélène", "Benoît"]
    assert rows[0].last_name == "MÉNARD"
    assert "La ligne 3 n'est pas en UTF-8" in notices[0].message
    assert "« Benoît »" in notices[0].message


def test_a_dos_line_in_a_utf_8_file_is_refused_and_named() -> None:
    content = table(row(prenom="Hélène")).encode() + row(numero="P2", prenom="Benoît").encode("cp850")
    with pytest.raises(FileError, match="La ligne 3 n'est pas dans le même encodage"):
        read(content)


@pytest.mark.parametrize(
    ("name", "words"), [("HÃ©lÃ¨ne", "HÃ©lÃ¨ne"), ("H\ufffdl\ufffdne", "\ufffd"), ("DUPRÃ‰", "DUPRÃ‰")]
)
def test_accents_that_are_damaged_already_are_told_with_line_and_value(name: str, words: str) -> None:
    rows, errors, notices = read(table(row(), row(numero="P2", prenom=name)))
    assert (len(rows), errors) == (2, [])
    assert [(one.line, one.field) for one in notices] == [(3, "Prénom")]
    assert words in notices[0].message
    assert "accents abîmés" in notices[0].message


@pytest.mark.parametrize("name", ["JOÃO", "ÂNGELA", "Ångström", "PÂQUES", "Ã"])
def test_sound_letters_are_not_called_damaged(name: str) -> None:
    assert read(table(row(prenom=name)))[1:] == ([], [])


def test_the_end_sign_of_dos() -> None:
    rows, errors, _ = read(table(row()).encode("cp1252") + b"\x1a")
    assert (len(rows), errors) == (1, [])


def test_marks_of_unicode_twice_and_in_the_middle() -> None:
    content = codecs.BOM_UTF8 + codecs.BOM_UTF8 + table(row()).encode()
    content += codecs.BOM_UTF8 + table(row(numero="P2", code="U8")).encode()
    rows, errors, notices = read(content)
    assert ([one.number for one in rows], errors) == (["P1", "P2"], [])
    assert [(one.line, "titres sont répétés" in one.message) for one in notices] == [(3, True)]


def test_entities_of_web_pages_are_read() -> None:
    rows, errors, _ = read(table(row(nom='"RIVIERE &amp; FILS"', ville='"L&#39;Ha&yuml;"')))
    assert not errors
    assert (rows[0].last_name, rows[0].city) == ("RIVIERE & FILS", "L'Haÿ")
    assert read(table(row(nom="R & B")))[0][0].last_name == "R & B"


# --- the shape of the table ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title",
    [
        "Date d’échéance",
        "Date d'échéance",
        "DT_ECH",
        "datech",
        '"Date\nd\'échéance"',
        "Date limite de paiement",
    ],
)
def test_titles_in_every_spelling(title: str) -> None:
    rows, errors, _ = read(table(row(), titles=TITLES.replace("Échéance", title)))
    assert not errors
    assert rows[0].due_on == date(2026, 10, 31)


def test_the_titles_of_vendors() -> None:
    content = "NUM_FACT;DT_EMI;DT_ECH;MT_TTC;LIB;CODE_RED;MEL\nP1;05/10/2026;31/10/2026;42,00;Eau;U7;a@example.org\n"
    rows, errors, _ = read(content)
    assert not errors
    assert (rows[0].number, rows[0].amount, rows[0].emails) == ("P1", Decimal("42.00"), ("a@example.org",))


def test_the_titles_of_omega() -> None:
    titles = "nofacture;datefact;datech;nap;solde;preleve;annulee;avoir;numcontrat;nompers;objet"
    content = (
        f"{titles}\n1;05/10/2026;31/10/2026;42,00;42,00;O;N;;C7;RIVIERE;Eau\n"
        "2;05/10/2026;31/10/2026;42,00;42,00;N;O;;C8;RIVIERE;Eau\n3;05/10/2026;31/10/2026;42,00;2,00;N;N;;C9;RIVIERE;Eau\n"
    )
    rows, errors, notices = read(content)
    assert [(one.number, one.payer, one.last_name, one.by_debit) for one in rows] == [
        ("1", "C7", "RIVIERE", True)
    ]
    assert [(one.line, one.field) for one in errors] == [(4, "solde")]
    assert [(one.line, one.field) for one in notices if one.line] == [(3, "annulee")]


@pytest.mark.parametrize(
    ("above", "line"),
    [("sep=;\r\n", 3), ('"sep=;"\r\n', 3), ("Commune de Rennes;;;\r\nÉdité le 01/10/2026;;;\r\n", 4)],
)
def test_what_stands_above_the_titles(above: str, line: int) -> None:
    rows, errors, notices = read(above + table(row()))
    assert not errors
    assert rows[0].line == line
    assert bool(notices) == ("sep=" not in above)
    if notices:
        assert "Les titres sont à la ligne 3 : les 2 lignes au-dessus ne sont pas lues." in notices[0].message


def test_sep_is_obeyed() -> None:
    content = "sep=,\n" + table(row(montant='"42,00"')).replace(";", ",")
    assert read(content)[0][0].amount == Decimal("42.00")


def test_titles_on_each_page_are_said_once() -> None:
    pages = [line for number in range(4) for line in (row(numero=f"P{number}"), TITLES)]
    rows, errors, notices = read(table(*pages))
    assert (len(rows), errors) == (4, [])
    assert len(notices) == 1


def test_a_comma_too_many_is_called_so() -> None:
    content = "Numéro,Date,Échéance,Montant,Objet,Code redevable\nP1,05/10/2026,31/10/2026,42.00,Eau,U7,\n"
    _, errors, _ = read(content)
    assert [(one.line, "une virgule de trop à la fin" in one.message) for one in errors] == [(2, True)]
    assert "« , »" in read(content.replace("U7,", "U7,x"))[1][0].message
    assert read(content.replace(",", ";"))[1] == []


def test_a_row_that_is_cut_is_told() -> None:
    rows, errors, notices = read(table("P1;05/10/2026;31/10/2026;42,00;Eau;U7;2026;Mme;RIVIERE"))
    assert (rows[0].last_name, errors) == ("RIVIERE", [])
    assert "« Adresse », « CP », « Ville », « E-mail »" in notices[0].message
    assert notices[0].line == 2


def test_many_cut_rows_do_not_fill_the_report() -> None:
    rows = [f"P{n};05/10/2026;31/10/2026;42,00;Eau;U7;2026" for n in range(60)]
    found, _, notices = read(table(*rows))
    assert (len(found), len(notices)) == (60, MOST_SAID + 1)
    assert "pas toutes citées" in notices[-1].message


def test_an_open_quote_is_named_where_it_opens() -> None:
    rows = [row(), row(numero="P2", objet='"Piscine'), *(row(numero=f"Q{n}") for n in range(5))]
    with pytest.raises(FileError, match=re.escape("à la ligne 3 : un guillemet")):
        read(table(*rows))
    # Even when a quote below seems to close it: its cell would hold the rows between.
    rows[5] = row(numero="Q9", objet='Piscine"')
    with pytest.raises(FileError, match=re.escape("à la ligne 3 : un guillemet")):
        read(table(*rows))


def test_two_columns_of_one_title_are_told_by_their_place() -> None:
    _, _, notices = read(table(row() + ";PETIT;Léa", titles=f"{TITLES};Nom;Prénom"))
    assert "« Nom (9e colonne) », « Nom (17e colonne) ». C'est « Nom (9e colonne) »" in notices[0].message


def test_two_amounts_that_differ_are_an_error() -> None:
    titles = f"{TITLES};Montant"
    rows, errors, _ = read(table(row() + ";42.00", row(numero="P2") + ";99,00", titles=titles))
    assert [one.number for one in rows] == ["P1"]
    assert [(one.line, one.field, one.value) for one in errors] == [(3, "Montant", "99,00")]
    assert "« 42,00 » et « 99,00 » (17e colonne)" in errors[0].message


def test_a_titre_of_numbers_is_no_civility() -> None:
    rows, errors, notices = read(table(row(civilite="4512"), titles=TITLES.replace("Civilité", "Titre")))
    assert (rows[0].title, "title" in rows[0].said, errors) == ("", False, [])
    assert [(one.line, one.value) for one in notices] == [(2, "4512")]


def test_columns_that_are_not_read_are_named() -> None:
    _, _, notices = read(table(row() + ";a;b", titles=f"{TITLES};Email 1;Email 2"))
    assert notices[0].message == "Les colonnes « Email 1 », « Email 2 » ne sont pas lues."


# --- columns of money -------------------------------------------------------------------------------


def with_column(title: str, value: str, **rules: object) -> tuple[list[InvoiceRow], list[RowProblem]]:
    return read_by(table(f"{row()};{value}", titles=f"{TITLES};{title}"), **rules)


@pytest.mark.parametrize("title", ["Solde", "Reste à payer", "Solde actuel", "Reste dû"])
@pytest.mark.parametrize("value", ["20,00", "-42,00", "0,00", "cher"])
def test_a_balance_that_is_not_the_amount_asks_nobody(title: str, value: str) -> None:
    rows, problems = with_column(title, value)
    assert not rows
    (error,) = [one for one in problems if one.is_error]
    assert (error.line, error.field, error.value) == (2, title, value)
    assert value in error.message
    assert "42,00" in error.message
    assert error.cells["number"] == "P1"  # it can be corrected on the spot


@pytest.mark.parametrize("value", ["42,00", "42.00 €", "", "42"])
def test_a_balance_that_is_the_amount_is_told_once(value: str) -> None:
    rows, problems = with_column("Solde", value)
    assert rows[0].amount == Decimal("42.00")
    assert [(one.line, one.is_error) for one in problems] == [(None, False)]


def test_a_balance_may_be_the_amount_when_a_person_says_so() -> None:
    """The mapping screen makes it the amount; here a file has only it."""
    content = table(row() + ";22,00", titles=f"{TITLES};Réglé").replace("Montant", "Solde TTC")
    with pytest.raises(FileError, match="« Montant »"):
        read(content)
    assert read_by(table(row() + ";20,00", titles=f"{TITLES};Solde"), columns={"solde": ""})[0]


@pytest.mark.parametrize(
    ("title", "value", "words"),
    [
        ("Réglé", "22,00", "la somme entière"),
        ("Réglé", "O", "la somme entière"),
        ("Acompte", "10", "la somme entière"),
        ("Avoir", "5,00", "un avoir ne s'importe pas"),
        ("Avoir", "O", "un avoir ne s'importe pas"),
    ],
)
def test_what_was_paid_or_taken_off_is_never_asked(title: str, value: str, words: str) -> None:
    rows, problems = with_column(title, value)
    assert not rows
    (error,) = [one for one in problems if one.is_error]
    assert (error.line, error.field, error.value) == (2, title, value)
    assert words in error.message


@pytest.mark.parametrize(
    ("title", "value"), [("Réglé", "0,00 €"), ("Réglé", "N"), ("Avoir", ""), ("Avoir", "non")]
)
def test_nothing_paid_and_nothing_taken_off(title: str, value: str) -> None:
    rows, problems = with_column(title, value)
    assert len(rows) == 1
    assert not [one for one in problems if one.is_error]


def test_what_was_paid_does_not_matter_when_the_balance_is_the_amount() -> None:
    rows, _ = read_by(table(row() + ";30,00;42,00", titles=f"{TITLES};Réglé;Solde"))
    assert rows[0].amount == Decimal("42.00")


@pytest.mark.parametrize(
    ("title", "value", "debit", "day"),
    [
        ("Prélevé", "O", True, None),
        ("Prélèvement automatique", "oui", True, None),
        ("Prélevé le", "05/11/2026", True, date(2026, 11, 5)),
        ("Mode de règlement", "Prélèvement", True, None),
        ("Prélevé", "N", False, None),
        ("Prélevé", "", False, None),
        ("Mode de règlement", "TIPI", False, None),
    ],
)
def test_an_automatic_debit_is_never_asked_twice(
    title: str, value: str, debit: bool, day: date | None
) -> None:
    rows, problems = with_column(title, value)
    assert (rows[0].by_debit, rows[0].debit_on) == (debit, day)
    assert not [one for one in problems if one.is_error]


def test_a_debit_that_says_something_else_is_refused() -> None:
    rows, problems = with_column("Prélevé", "peut-être")
    assert not rows
    assert "ni O, ni N, ni une date" in problems[-1].message


def test_a_cancelled_invoice_is_left_out_and_named() -> None:
    rows, problems = with_column("Annulée", "O")
    assert not rows
    assert [(one.line, one.field, one.is_error) for one in problems if one.line] == [(2, "Annulée", False)]
    assert len(with_column("Annulée", "N")[0]) == 1


def test_a_settled_invoice_is_left_out_where_the_source_says_so() -> None:
    rows, problems = with_column("Solde", "0,00", negatives=LEAVE_OUT)
    assert not rows
    assert [(one.line, one.is_error) for one in problems if one.line] == [(2, False)]


def test_an_amount_corrected_on_the_spot_is_believed() -> None:
    content = table(f"{row()};20,00", titles=f"{TITLES};Solde").encode()
    reading = Reading(corrections={2: {"amount": "20,00"}})
    found = list(csv.FORMAT.rows(io.BytesIO(content), reading))
    assert [one.amount for one in found if isinstance(one, InvoiceRow)] == [Decimal("20.00")]


# --- values ---------------------------------------------------------------------------------------

Checks = Mapping[str, object]


@pytest.mark.parametrize(
    ("cells", "values", "words"),
    [
        ({"date": "46300", "echeance": "46326"}, {"issued_on": date(2026, 10, 5)}, "nombre d'Excel"),
        ({"cp": "6000"}, {"postcode": "6000"}, "06000"),
        ({"numero": "janv-26"}, {"number": "janv-26"}, "ressemble à une date"),
        ({"numero": "1-MAR"}, {"number": "1-MAR"}, "ressemble à une date"),
        ({"code": "MAI-26"}, {"payer": "MAI-26"}, "ressemble à une date"),
        ({"email": "aucun"}, {"emails": ()}, "sans adresse e-mail"),
        ({"email": "-"}, {"emails": ()}, "sans adresse e-mail"),
        ({"email": "Néant"}, {"emails": ()}, "sans adresse e-mail"),
        ({"date": "01/10/2019", "echeance": "31/12/2019"}, {}, "31/12/2019"),
        ({"date": "01/10/2062", "echeance": "31/12/2062"}, {}, "01/10/2062"),
    ],
)
def test_read_with_a_doubt(cells: Mapping[str, str], values: Checks, words: str) -> None:
    rows, errors, notices = read(table(row(**cells)))
    assert not errors
    assert {name: getattr(rows[0], name) for name in values} == values
    assert notices
    assert all((one.line, bool(one.field)) == (2, True) for one in notices)
    assert any(words in one.message for one in notices)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ({"numero": '="0077"', "code": '="0042"'}, {"number": "0077", "payer": "0042"}),
        ({"numero": "'0077", "code": "'0042"}, {"number": "0077", "payer": "0042"}),
        (
            {"numero": "77.0", "code": "42.0", "cp": "35000.0"},
            {"number": "77", "payer": "42", "postcode": "35000"},
        ),
        ({"civilite": "Monsieur et/ou Madame"}, {"title": "Monsieur et/ou Madame"}),
        ({"cp": "44000 CEDEX 01"}, {"postcode": "44000 CEDEX 01"}),
        ({"montant": "1\u202f234,50\u00a0€"}, {"amount": Decimal("1234.50")}),
        ({"nom": "D'ARC", "prenom": "Jean-Noël"}, {"last_name": "D'ARC", "first_name": "Jean-Noël"}),
        ({"objet": "=CMD|' /C calc'!A0"}, {"subject": "=CMD|' /C calc'!A0"}),
    ],
)
def test_read_without_a_word(cells: Mapping[str, str], values: Checks) -> None:
    rows, errors, notices = read(table(row(**cells)))
    assert (errors, notices) == ([], [])
    assert {name: getattr(rows[0], name) for name in values} == values


def test_a_subject_that_looks_like_a_formula_is_a_text_wherever_it_goes() -> None:
    rows, _, _ = read(table(row(objet="=1+1")))
    assert sheets.cell(rows[0].subject) == "'=1+1"


@pytest.mark.parametrize(
    ("cells", "field", "words"),
    [
        ({"montant": "37,50-"}, "Montant", "un avoir ne s'importe pas comme une facture. Ôtez la ligne"),
        ({"montant": "(37,50)"}, "Montant", "un avoir ne s'importe pas comme une facture. Ôtez la ligne"),
        ({"montant": "−37,50"}, "Montant", "un avoir ne s'importe pas comme une facture. Ôtez la ligne"),
        ({"montant": "-12,50"}, "Montant", "laissez ces lignes de côté par les règles de la provenance"),
        ({"montant": "0,00"}, "Montant", "laissez ces lignes de côté par les règles de la provenance"),
        ({"code": "1,00E+11"}, "Code redevable", "« 1,00E+11 » : le tableur a remplacé des chiffres"),
        ({"numero": "2,02610E+17"}, "Numéro", "« 2,02610E+17 » : le tableur a remplacé des chiffres"),
        ({"code": "0"}, "Code redevable", "n'est le code de personne"),
        ({"objet": "#REF!"}, "Objet", "erreur de formule"),
        ({"nom": "#VALEUR!"}, "Nom", "erreur de formule"),
        ({"ville": "#N/A"}, "Ville", "erreur de formule"),
        ({"date": "31/02/2026"}, "Date", "n'est pas une date"),
        ({"email": "anne.example.org"}, "E-mail", "« anne.example.org »"),
    ],
)
def test_refused_with_its_value(cells: Mapping[str, str], field: str, words: str) -> None:
    rows, errors, _ = read(table(row(numero="N1"), row(**cells)))
    assert [one.number for one in rows] == ["N1"]  # the others are read
    assert [(one.line, one.field, one.value) for one in errors] == [(3, field, next(iter(cells.values())))]
    assert words in errors[0].message
    assert errors[0].cells["payer"]  # the whole row, to be corrected on the spot


@pytest.mark.parametrize("amount", ["-12,50", "0,00", "12,50-", "(12,50)"])
def test_amounts_that_ask_nothing_are_left_out_where_the_source_says_so(amount: str) -> None:
    rows, problems = read_by(table(row(), row(numero="P2", montant=amount)), negatives=LEAVE_OUT)
    assert [one.number for one in rows] == ["P1"]
    assert [(one.line, one.field, one.value, one.is_error) for one in problems] == [
        (3, "Montant", amount, False)
    ]


def test_a_workbook_that_counts_from_1904_is_asked_about() -> None:
    serial = (clock.today() - date(1904, 1, 1)).days
    _, errors, _ = read(table(row(date=str(serial))))
    assert "si le classeur compte depuis 1904" in errors[0].message
    assert clock.in_figures(clock.today()) in errors[0].message


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda n: row(numero=f"P{n}", code=f"U{n}", cp="6000"), MOST_SAID + 1),
        (lambda n: row(numero=f"P{n}", code=f"U{n}", email="aucun"), MOST_SAID + 1),
    ],
)
def test_one_doubt_on_all_rows_does_not_fill_the_report(make: Callable[[int], str], most: int) -> None:
    rows, errors, notices = read(table(*map(make, range(100))))
    assert (len(rows), errors, len(notices)) == (100, [], most)
