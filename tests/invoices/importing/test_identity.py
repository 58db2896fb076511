"""Names and codes, and what spreadsheets do to them. No database."""

import pytest

from tenant_apps.invoices.importing.people.names import same_family
from tests.invoices.importing.files import HEADER, ROW, changed, lines, read
from toolkit.reading import fields
from toolkit.reading.errors import FieldError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("MARTIN", ""), ("Martin", "Paul")),
        (("CŒURDEROY", ""), ("CURDEROY", "")),  # œ was dropped
        (("CŒURDEROY", ""), ("COEURDEROY", "")),
        (("WAŁĘSA", ""), ("WAESA", "")),
        (("Hélène ÉTÉ", ""), ("ETE HELENE", "")),
        (("LE GOFF", ""), ("LEGOFF", "")),
        (("SAINT-MARTIN", ""), ("St Martin", "")),
        (("MARTIN née DUPONT", "Zoé"), ("DUPONT", "Zoé")),
        (("M. et Mme MARTIN", ""), ("MARTIN", "")),
        (("PAUL", "Martin"), ("MARTIN", "Paul")),
        (("SARL DUPONT", ""), ("Dupont SARL", "")),
        (("D'ARTAGNAN", ""), ("D ARTAGNAN", "")),
    ],
)
def test_one_family_written_in_two_ways(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert same_family(one, other)
    assert same_family(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("MARTIN", "Paul"), ("BERNARD", "Paul")),
        (("MARTIN", ""), ("MARTINEAU", "")),
        (("LEFEVRE", ""), ("LEFEBVRE", "")),
        (("DE LA TOUR", ""), ("DE", "")),
        (("M.", ""), ("MARTIN", "")),
        (("LE GOFF", ""), ("LE GALL", "")),
        (("Paul", ""), ("MARTIN", "Paul")),
    ],
)
def test_two_families(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not same_family(one, other)
    assert not same_family(other, one)


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Famille", "LEROUX"),
        ("Famille", "LEROUX Inès"),
        ("Redevable", "M. et Mme LEROUX"),
        ("Client", "LEROUX Inès 2"),
        ("Code redevable", "LEROUX Inès"),
        ("Code redevable", "LEROUX, Inès"),
    ],
)
def test_a_name_is_never_a_code(title: str, code: str) -> None:
    _, errors, _ = read(
        lines(changed(payer=code)).replace("Code redevable", title).replace(f";{code};", f';"{code}";')
    )
    assert [(error.line, error.field, error.value) for error in errors] == [(2, "Code redevable", code)]
    assert "contient un nom" in errors[0].message


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Famille", "LEROUX01"),
        ("Famille", "FAM-12"),
        ("Redevable", "12"),
        ("Client", "C 0042"),
        ("Code redevable", "LEROUXI"),
        ("Code redevable", "FAM A"),
        ("N° redevable", "2026 EAU 0042"),
    ],
)
def test_a_code_may_hold_letters(title: str, code: str) -> None:
    rows, errors, _ = read(lines(changed(payer=code)).replace("Code redevable", title))
    assert not errors
    assert rows[0].payer == code


@pytest.mark.parametrize(
    "code", ["0", "000", "-", "néant", "NÉANT", "#N/A", "#REF!", "#VALEUR!", "?", "N/C", "####"]
)
def test_what_stands_for_nobody_is_refused_by_line(code: str) -> None:
    rows, errors, _ = read(lines(changed(payer=code), changed(number="2", payer=code)))
    assert not rows
    assert [(error.line, error.field) for error in errors] == [(2, "Code redevable"), (3, "Code redevable")]
    assert code in errors[0].message


@pytest.mark.parametrize(
    ("written", "kept"), [("1,00E+11", None), ("1.5e11", None), ("2E+05", None), ("12E4", "12E4")]
)
@pytest.mark.parametrize("name", ["number", "payer"])
def test_digits_that_are_gone_are_refused(name: str, written: str, kept: str | None) -> None:
    rows, errors, _ = read(lines(changed(**{name: written})))
    assert [getattr(row, name) for row in rows] == ([kept] if kept else [])
    assert [("sont perdus" in error.message, error.line) for error in errors] == ([] if kept else [(True, 2)])


def test_a_payment_reference_in_scientific_notation_is_refused() -> None:
    _, errors, _ = read(f"{HEADER};Référence TIPI\n{ROW};2,02610E+17\n")
    assert [(error.field, error.line) for error in errors] == [("Référence TIPI", 2)]
    assert "sont perdus" in errors[0].message


@pytest.mark.parametrize(
    ("number", "payer", "read_as"),
    [
        ('="002071"', '="00456"', ("002071", "00456")),
        ("'002072", "'00457", ("002072", "00457")),
        ("’002072", "00457", ("002072", "00457")),
        ("2026077.0", "456.0", ("2026077", "456")),
        ("2026077,00", "F-456.0", ("2026077", "F-456.0")),
    ],
)
def test_what_spreadsheets_add_is_read_as_meant(number: str, payer: str, read_as: tuple[str, str]) -> None:
    rows, errors, _ = read(f"{HEADER};CP\n{changed(number=number, payer=payer)};44000.0\n")
    assert not errors
    assert (rows[0].number, rows[0].payer) == read_as
    assert rows[0].postcode == "44000"


def test_an_error_of_a_formula_is_no_text() -> None:
    _, errors, _ = read(f"{HEADER};Nom\n{changed(subject='#REF!')};#VALEUR!\n")
    assert [error.field for error in errors] == ["Objet", "Nom"]
    with pytest.raises(FieldError, match="erreur de formule"):
        fields.text("#NOM?", longest=40)
    assert fields.text("#1 rue Haute", longest=40) == "#1 rue Haute"


def test_columns_that_nothing_reads_are_named() -> None:
    _, errors, notices = read(f"{HEADER};Réglé;Solde;Lot\n{ROW};17,50;7,50;Septembre\n")
    said = " ".join(notice.message for notice in notices)
    assert "« Solde », « Réglé » sont comparées au montant" in said
    assert "« Lot » n'est pas lue" in said
    assert "« Solde » (7,50) n'est pas le montant (25,00 €)" in errors[0].message


def test_what_a_row_has_no_cell_for_is_not_said() -> None:
    rows, _, _ = read(f"{HEADER};Nom;Ville\n{ROW};LEROUX;\n{changed(number='2')};LEROUX\n")
    assert rows[0].said == {"email", "last_name", "city"}  # an empty cell says « empty »
    assert rows[1].said == {"email", "last_name"}  # a row cut short says nothing about the rest
