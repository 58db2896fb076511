"""Tables read by the rules of their source: her own titles, what a rule fills, people and PDFs without invoices."""

import io
from typing import Any

import pytest

from tenant_apps.invoices.importing.formats import csv, spreadsheet
from tenant_apps.invoices.importing.records.kinds import DocumentRow, InvoiceRow, PayerRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tenant_apps.invoices.importing.tables.titles import find_columns, keys_of
from toolkit.reading.errors import FileError

# Five sets of titles that no two programs share, with the same invoice under them.
HER_OWN = {
    "short": "NUM_FACT;DT_EMI;DT_ECH;MT_TTC;LIB;CODE_RED;MEL",
    "one word": "nofacture;datefact;datech;nap;prestation;nompers;mail",
    "sentences": "N° pièce;Émise le;À payer avant;Somme due;Motif;Compte usager;Adresse électronique",
    "capitals": "PIECE;JOUR;LIMITE;EUROS;QUOI;TIERS;CONTACT",
    "english": "Invoice;Issued;Due;Total due;Label;Customer;Mail address",
}
FIELDS = ("number", "issued_on", "due_on", "amount", "subject", "payer", "email")
ROW = "2026-001-7;01/10/2026;31/10/2026;37,50;Cantine;F7;alice@example.org"


def read(content: str, rules: Rules, **more: Any) -> list[Record]:
    return list(csv.FORMAT.rows(io.BytesIO(content.encode()), Reading(rules, **more)))


def errors(records: list[Record]) -> list[str]:
    return [str(one) for one in records if isinstance(one, RowProblem) and one.is_error]


def only(records: list[Record], kind: type) -> Any:
    assert errors(records) == []
    (found,) = [one for one in records if isinstance(one, kind)]
    return found


@pytest.mark.parametrize("titles", HER_OWN.values(), ids=HER_OWN)
def test_her_own_titles_are_shown_then_named_then_read(titles: str) -> None:
    content = f"{titles}\n{ROW}\n"
    view = csv.columns(io.BytesIO(content.encode()), Reading())
    assert view.titles == tuple(titles.split(";"))
    assert view.rows == [(2, ROW.split(";"))]
    rules = Rules(columns=dict(zip(view.keys, FIELDS, strict=True)))
    assert view.missing(rules) == []
    invoice = only(read(content, rules), InvoiceRow)
    assert (invoice.number, invoice.payer, f"{invoice.amount}") == ("2026-001-7", "F7", "37.50")
    assert invoice.emails == ("alice@example.org",)
    book = io.BytesIO(spreadsheet.workbook([titles.split(";"), ROW.split(";")]))
    assert spreadsheet.columns(book, Reading()).titles == view.titles
    again = only(list(spreadsheet.FORMAT.rows(book, Reading(rules))), InvoiceRow)
    assert (again.number, again.amount) == (invoice.number, invoice.amount)


def test_what_the_source_says_comes_before_the_guess() -> None:
    titles = "Numéro;Date;Échéance;Montant;Solde;Objet;Code redevable"
    content = f"{titles}\n1;01/10/2026;31/10/2026;120,00;20,00;Eau;F1\n"
    assert "« Solde » (20,00) n'est pas le montant (120,00)" in errors(read(content, Rules()))[0]
    balance = Rules(columns={"solde": "amount", "montant": ""})
    assert (
        f"{only(read(content, balance), InvoiceRow).amount}" == "20.00"
    )  # what is left to pay is what is asked


def test_a_column_that_is_not_read_is_named_until_somebody_says_so() -> None:
    content = f"Numéro;Date;Échéance;Montant;Objet;Code redevable;Mel;Tarif\n{ROW};C3\n"
    assert "« Tarif »" in "".join(str(one) for one in read(content, Rules(columns={"mel": "email"})))
    assert "« Tarif »" not in "".join(
        str(one) for one in read(content, Rules(columns={"mel": "email", "tarif": ""}))
    )


def test_a_column_that_a_rule_fills_is_not_missing() -> None:
    content = "Numéro;Date;Montant;Code redevable\n1;01/10/2026;37,50;F1\n"
    with pytest.raises(FileError, match="« Échéance », « Objet »"):
        read(content, Rules())
    rules = Rules(subject="Cantine d'octobre", due_days=30, product="CANTINE", prefix="CAN")
    invoice = only(read(content, rules), InvoiceRow)
    assert (f"{invoice.due_on}", invoice.subject, invoice.product) == (
        "2026-10-31",
        "Cantine d'octobre",
        "CANTINE",
    )
    assert (invoice.number, invoice.reference) == ("CAN1", "2026CAN1")


def test_a_date_for_all_is_of_one_file_only() -> None:
    content = "Numéro;Montant;Échéance;Objet;Code redevable\n1;37,50;31/10/2026;Cantine;F1\n"
    view = csv.columns(io.BytesIO(content.encode()), Reading())
    assert view.missing(Rules()) == ["issued_on"]
    rules = Rules(dates={view.mark: "2026-10-01"})
    assert view.missing(rules) == []
    assert f"{only(read(content, rules), InvoiceRow).issued_on}" == "2026-10-01"
    with pytest.raises(FileError, match="« Date »"):
        read(content.replace("37,50", "38,50"), rules)  # next month's file


def test_titles_that_come_twice_and_columns_without_one_have_keys() -> None:
    header = ["Nom", "Prénom", "Nom", "", "Prénom", "€"]
    assert keys_of(header) == ["nom", "prenom", "nom#2", "#4", "prenom#2", "#6"]
    full = ["Numéro", "Date", "Échéance", "Montant", "Objet", "Code redevable", *header]
    rules = Rules(columns={"nom": "", "prenom": "", "nom#2": "last_name", "prenom#2": "first_name"})
    places = find_columns(full, Reading(rules)).places
    assert (places["last_name"], places["first_name"]) == (8, 10)


PEOPLE = {
    "e-mails": ("Code redevable;E-mail\nF1;alice@example.org\n", {"email"}),
    "addresses": (
        "Code redevable;Adresse;CP;Ville\nF1;1 rue A;44000;Nantes\n",
        {"address1", "postcode", "city"},
    ),
    "residents": (
        "Code redevable;Civilité;Nom;Prénom\nF1;Mme;MARTIN;Alice\n",
        {"title", "last_name", "first_name"},
    ),
}


@pytest.mark.parametrize(("content", "said"), PEOPLE.values(), ids=PEOPLE)
def test_a_file_of_people_says_only_what_its_columns_say(content: str, said: set[str]) -> None:
    person = only(read(content, Rules()), PayerRow)
    assert (person.payer, person.said) == ("F1", said)


def test_a_file_of_people_is_no_file_of_invoices_with_titles_of_its_own() -> None:
    """Else its invoices would be dropped in silence, and its e-mails applied."""
    content = f"PIECE;JOUR;LIMITE;EUROS;QUOI;Code redevable;E-mail\n{ROW}\n"
    with pytest.raises(FileError, match="« Numéro »"):
        read(content, Rules())
    people = "Code redevable;E-mail;Téléphone\nF1;alice@example.org;0240000000\n"
    with pytest.raises(FileError, match="« Montant »"):
        read(people, Rules())  # nobody has said that this column is no amount
    assert only(read(people, Rules(columns={"telephone": ""})), PayerRow).payer == "F1"


def test_a_file_of_pdfs_names_an_invoice_once() -> None:
    found = read("Numéro;Fichier PDF\n2026-1;a.pdf\n2026-2;b.pdf\n2026/1;c.pdf\n;d.pdf\n2026-4;\n", Rules())
    assert [(one.number, one.document) for one in found if isinstance(one, DocumentRow)] == [
        ("2026-1", "a.pdf"),
        ("2026-2", "b.pdf"),
    ]
    assert len(errors(found)) == 3
    assert "figure déjà à la ligne 2" in errors(found)[0]


def test_a_cancelled_invoice_is_left_out() -> None:
    titles = "Numéro;Date;Échéance;Montant;Objet;Code redevable;E-mail;Etat de la facture"
    content = f"{titles}\n{ROW};\n{ROW};annulation\n"
    found = read(content, Rules())
    assert only(found, InvoiceRow).line == 2
    assert "« Etat de la facture » dit « annulation »" in "".join(str(one) for one in found)


@pytest.mark.parametrize("columns", [{}, {"solde": "amount", "montant": ""}], ids=["beside", "as the amount"])
def test_a_balance_that_says_cancelled_is_no_amount(columns: dict[str, str]) -> None:
    content = (
        "Numéro;Date;Échéance;Montant;Solde;Objet;Code redevable\n"
        "1;01/10/2026;31/10/2026;20,00;20,00;Eau;F1\n2;01/10/2026;31/10/2026;20,00;Annulée;Eau;F2\n"
    )
    found = read(content, Rules(columns=columns))
    assert only(found, InvoiceRow).number == "1"
    assert "cette facture est annulée" in "".join(str(one) for one in found)


def test_a_person_with_a_wrong_cell_is_refused_with_its_texts() -> None:
    (problem,) = read("Code redevable;E-mail\nF1;alice@\n", Rules())
    assert isinstance(problem, RowProblem)
    assert problem.cells["email"] == "alice@"
    corrected = read(
        "Code redevable;E-mail\nF1;alice@\n", Rules(), corrections={2: {"email": "alice@example.org"}}
    )
    assert only(corrected, PayerRow).emails == ("alice@example.org",)
