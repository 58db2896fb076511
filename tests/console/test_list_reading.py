"""A list of towns as an operator's clerk writes it: every spelling is read, every mistake is named with its remedy."""

import io

import pytest

from shared_apps.console.opening import NewTown
from shared_apps.console.townlist import reading
from toolkit.reading.errors import FileError

WHOLE = "Adresse;Nom;Nom officiel;SIREN;Code INSEE;Adresse de contact;Responsable (e-mail);Régie;Numcli\r\n"
LAUZERTE = (
    "lauzerte;Lauzerte;Commune de Lauzerte;218200970;82097;regie@lauzerte.example.org;"
    "Maire@lauzerte.example.org;Régie cantine;001964\r\n"
)


def read(text: str, encoding: str = "utf-8") -> reading.TownList:
    return reading.read(io.BytesIO(text.encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("sign", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_every_spelling_of_a_table(encoding: str, sign: str, end: str) -> None:
    text = (WHOLE + LAUZERTE).replace(";", sign).replace("\r\n", end)
    found = read(text, encoding)
    assert not found.problems
    [line] = found.lines
    assert line.number == 2
    assert line.new == NewTown(
        slug="lauzerte",
        name="Lauzerte",
        legal_name="Commune de Lauzerte",
        siren="218200970",
        insee="82097",
        contact_email="regie@lauzerte.example.org",
        manager="maire@lauzerte.example.org",
        regie="Régie cantine",
        number="001964",
    )


def test_what_a_spreadsheet_adds_is_taken_away() -> None:
    text = (
        "slug;commune;siren;insee;contact;numcli\n"
        + 'lauzerte;Lauzerte;218 200 970;="01001";a@b.fr;\'001964\n'
    )
    [line] = read(text).lines
    assert (line.new.siren, line.new.insee, line.new.number) == ("218200970", "01001", "001964")


def test_the_manager_is_the_contact_where_there_is_none() -> None:
    [line] = read("Adresse;Nom;Responsable\nlauzerte;Lauzerte;maire@example.org\n").lines
    assert line.new.contact_email == line.new.manager == "maire@example.org"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("Saint Été;Saint-Été;;a@b.fr;;;", "Adresse", "« saint-ete »"),
        ("admin;Admin;;a@b.fr;;;", "Adresse", "réservé à la plateforme"),
        (";Lauzerte;;a@b.fr;;;", "Adresse", "est vide"),
        ("lauzerte;;;a@b.fr;;;", "Nom", "est vide"),
        (f"lauzerte;{'x' * 121};;a@b.fr;;;", "Nom", "120 caractères au plus"),
        ("lauzerte;Lauzerte;218200971;a@b.fr;;;", "SIREN", "n'existe pas"),
        ("lauzerte;Lauzerte;2,182E+8;a@b.fr;;;", "SIREN", "au format « Texte »"),
        ("lauzerte;Lauzerte;;;;;", "Contact", "l'adresse du service"),
        ("lauzerte;Lauzerte;;pas une adresse;;;", "Contact", "une espace"),
        ("lauzerte;Lauzerte;;a@b.fr;nobody;;", "Responsable", "nom@exemple.fr"),
        ("lauzerte;Lauzerte;;a@b.fr;;1001;", "INSEE", "écrivez 01001"),
        ("lauzerte;Lauzerte;;a@b.fr;;2C001;", "INSEE", "cinq chiffres"),
        ("lauzerte;Lauzerte;;a@b.fr;;;1964", "Numcli", "six chiffres"),
        ("lauzerte;Lauzerte;;a@b.fr;;;001964;trop", "", "« ; », qui sépare"),
    ],
)
def test_a_mistake_names_its_line_its_column_and_its_remedy(row: str, column: str, words: str) -> None:
    head = "Adresse;Nom;SIREN;Contact;Responsable;INSEE;Numcli\n"
    found = read(head + "pechabou;Pechabou;;regie@b.fr;;;\n" + row + "\n")
    assert [line.new.slug for line in found.lines] == ["pechabou"]
    [problem] = found.problems
    assert (problem.number, problem.column) == (3, column)
    assert words in problem.words
    assert not column or f"« {column} »" in problem.words


def test_every_mistake_of_a_line_is_said_at_once() -> None:
    found = read("Adresse;Nom;SIREN;Contact\nÀ;;1;x\n")
    assert {problem.column for problem in found.problems} == {"Adresse", "Nom", "SIREN", "Contact"}


def test_the_same_town_twice() -> None:
    found = read("Adresse;Nom;SIREN;Contact\na1;A;218200970;a@b.fr\na1;B;;a@b.fr\nc1;C;218200970;a@b.fr\n")
    assert [line.new.slug for line in found.lines] == ["a1"]
    assert [(problem.number, problem.column) for problem in found.problems] == [(3, "Adresse"), (4, "SIREN")]
    assert all("à la ligne 2" in problem.words for problem in found.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "vide"),
        ("\n\n", "vide"),
        ("Nom;Contact\nLauzerte;a@b.fr\n", "Il manque la colonne « Adresse »"),
        ("Adresse;Contact\nlauzerte;a@b.fr\n", "Il manque la colonne « Nom »"),
        ("Adresse;Nom\nlauzerte;Lauzerte\n", "Adresse de contact"),
        ("Adresse;Nom;Contact;Responsble\nlauzerte;Lauzerte;a@b.fr;\n", "« Responsble » n'est pas connue"),
        ("Adresse;Slug;Nom;Contact\nlauzerte;lauzerte;Lauzerte;a@b.fr\n", "disent la même chose"),
        ("Adresse;Nom;Contact\n", "aucune commune"),
        ('Adresse;Nom;Contact\nlauzerte;"Lauzerte;a@b.fr\nautre;Autre;a@b.fr\n', "guillemet"),
        ("Adresse;Nom;Contact\n" + "a;A;a@b.fr\n" * (reading.MOST_LINES + 1), "plus de 1000 lignes"),
    ],
)
def test_a_file_that_is_no_list(text: str, words: str) -> None:
    with pytest.raises(FileError, match=words):
        read(text)


@pytest.mark.parametrize(("content", "words"), [(b"PK\x03\x04xx", "classeur"), (b"%PDF-1.7", "PDF")])
def test_another_kind_of_file(content: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        reading.read(io.BytesIO(content))
