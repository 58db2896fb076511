"""Reading a CSV: what is accepted, and beside it what is refused and with which words. No database."""

import contextlib
import csv
import dataclasses
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.samples import batch
from tenant_apps.invoices.importing.formats.csv import FORMAT
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tests.invoices.importing.files import HEADER, MEGABYTE, ROW, changed, lines, memory, read
from toolkit.reading.errors import FileError

RECENT = changed(date="02/09/2026", due="31/08/2027")  # a due date of long ago would be doubtful


def one(row: str) -> InvoiceRow:
    rows, errors, _notices = read(lines(row))
    assert not errors
    assert len(rows) == 1
    return rows[0]


def test_a_row() -> None:
    row = one(ROW)
    assert (row.line, row.number, row.payer, row.subject) == (2, "2015-001-001078", "F001", "FACTURATION")
    assert (row.issued_on, row.due_on) == (date(2015, 9, 2), date(2016, 8, 31))
    assert row.amount == Decimal("25.00")
    assert row.emails == ("alice@example.net",)
    assert (row.fiscal_year, row.reference) == (2015, "2015001001078")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_exports_of_every_kind_read_the_same(delimiter: str, encoding: str) -> None:
    bills = [dataclasses.replace(bill, subject="Été – noël") for bill in batch.batch(40)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([batch.HEADER, *(bill.row() for bill in bills), ["TOTAL", "", "", "1 234,50 €"]])
    rows, errors, notices = read(out.getvalue().encode(encoding))
    assert not errors
    assert [(row.number, row.amount, row.due_on, row.subject, row.emails) for row in rows] == [
        (bill.number, bill.amount, bill.due_on, bill.subject, bill.emails) for bill in bills
    ]
    assert rows[0].last_name == bills[0].name[1]
    assert [notice.line for notice in notices] == [42]  # the footer: left out, with a warning
    assert "total" in notices[0].message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(end: str) -> None:
    rows, errors, _ = read(end.join((HEADER, ROW, changed(number="2"))) + end)
    assert [row.line for row in rows] == [2, 3]
    assert not errors


@pytest.mark.parametrize(
    "header",
    [
        "N°;DATE FACTURE;Date d'échéance;Montant TTC (€);Libellé;N° redevable;Mail;Budget;PDF",
        "numero_facture;date_facture;date_echeance;montant_ttc;libelle;code_famille;courriel;regie;fichier_pdf",
        "N° de facture;Date d'émission;Date limite de paiement;Net à payer;Désignation;Code famille;"
        "Adresse mail;Code régie;Nom du fichier",
        "Facture n°;Date de la facture;Échéance;Montant total;Intitulé;Référence redevable;E-mails;Produit;Document",
    ],
)
def test_headers_as_vendors_write_them(header: str) -> None:
    rows, errors, _ = read(f"{header}\n{changed(product='EAU', pdf='a.pdf')}\n")
    assert not errors
    assert (rows[0].number, rows[0].payer, rows[0].product, rows[0].document) == (
        "2015-001-001078",
        "F001",
        "EAU",
        "a.pdf",
    )
    assert rows[0].emails == ("alice@example.net",)


def test_two_columns_for_one_value_are_said() -> None:
    rows, _, notices = read(f"{HEADER};Net à payer\n{ROW};24,00\n")
    assert rows[0].amount == Decimal("24.00")  # the amount to be paid, after deductions
    assert "« Net à payer »" in notices[0].message
    assert "« Montant »" in notices[0].message


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_one_refusal(content: bytes) -> None:
    with contextlib.suppress(FileError):  # any other exception fails the test
        read(content)


@given(st.binary(max_size=60), st.integers(min_value=0, max_value=200))
def test_a_file_with_rubbish_in_it_is_rows_or_refusals(rubbish: bytes, place: int) -> None:
    content = lines(ROW, changed(number="2")).encode()
    with contextlib.suppress(FileError):  # any other exception fails the test
        read(content[:place] + rubbish + content[place:])


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (changed(number=""), "Numéro", "vide"),
        (changed(number="1" * 41), "Numéro", "40"),
        (changed(number="2015\x9d001"), "Numéro", "illisibles"),
        (changed(date="31/02/2015"), "Date", "n'est pas une date"),
        (changed(due=""), "Échéance", "vide"),
        (changed(due="01/09/2015"), "Échéance", "avant la date"),
        (changed(amount="-1"), "Montant", "supérieur à zéro"),
        (changed(amount="100 000 000,00"), "Montant", "99 999 999,99"),
        (changed(subject=""), "Objet", "vide"),
        (changed(payer=" "), "Code redevable", "vide"),
        (changed(email="alice(at)example.net"), "E-mail", "alice(at)example.net"),
        (changed(email="lisa@gmaıl.com"), "E-mail", "contient « ı »"),
        (changed(email="élise@example.net"), "E-mail", "sans accent avant le @"),
        (ROW + ";reste", "", "plus de valeurs que de titres"),
    ],
)
def test_a_bad_row_is_named(row: str, field: str, words: str) -> None:
    rows, errors, _ = read(lines(changed(number="1"), row))
    assert [good.number for good in rows] == ["1"]  # the rows around it are read
    assert [(error.line, error.field) for error in errors] == [(3, field)]
    assert words in errors[0].message
    assert str(errors[0]).startswith("Ligne 3 : ")


def test_every_error_of_a_row_is_said_at_once() -> None:
    _, errors, _ = read(lines(changed(number="", date="hier", amount="cher")))
    assert [error.field for error in errors] == ["Numéro", "Date", "Montant"]


def test_decimal_commas_in_a_file_of_commas_do_not_shift_the_row() -> None:
    quoted = lines(changed(amount='"25,00"')).replace(";", ",")
    rows, errors, _ = read(quoted)
    assert (rows[0].amount, errors) == (Decimal("25.00"), [])
    rows, errors, _ = read(quoted.replace('"', ""))
    assert not rows  # neither 25 € for « 00 », nor any other amount
    assert "plus de valeurs que de titres" in errors[0].message


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (ROW, "déjà à la ligne 2"),
        (changed(number="2015/001/001078"), "se confond"),  # both would get the same PDF
        (changed(number="2015-001-00107.8", product=""), "même référence de paiement"),
    ],
)
def test_twice_the_same_invoice_names_the_first_line(second: str, words: str) -> None:
    rows, errors, _ = read(lines(ROW, second))
    assert [row.line for row in rows] == [2]
    assert [error.line for error in errors] == [3]
    assert words in errors[0].message
    assert "ligne 2" in errors[0].message


def test_the_same_number_in_another_product_is_another_invoice() -> None:
    rows, errors, _ = read(lines(changed(product="EAU"), changed(product="CANTINE")))
    assert [row.product for row in rows] == ["EAU", "CANTINE"]
    assert not errors


def test_several_addresses() -> None:
    row = one(changed(email='"Alice@Example.net; bob@example.org , alice@example.net"'))
    assert row.emails == ("alice@example.net", "bob@example.org")
    assert one(changed(email="")).emails == ()
    same = "zoe@pechabô.fr; ZOE@PECHABO\u0302.FR, zoe@xn--pechab-nxa.fr"
    assert one(changed(email=f'"{same}"')).emails == ("zoe@xn--pechab-nxa.fr",)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2025-EA-00-123456789", "2025EA00123456789"), ("2015-RS-00-8001516", "2015RS008001516")],
)
def test_the_printed_payment_reference(given: str, kept: str) -> None:
    rows, _, notices = read(f"{HEADER};Référence TIPI;Exercice\n{RECENT};{given};2015\n")
    assert rows[0].reference == kept
    assert not notices


@pytest.mark.parametrize("given", ["1234", "2" * 31, "----------", "réf-été-2015"])
def test_payment_references_refused(given: str) -> None:
    _, errors, _ = read(f"{HEADER};Référence TIPI\n{ROW};{given}\n")
    assert [error.field for error in errors] == ["Référence TIPI"]
    assert "de 6 à 30" in errors[0].message


def test_a_number_too_long_for_a_reference_is_never_cut_in_silence() -> None:
    _, errors, _ = read(lines(changed(number="1" * 38 + "A"), changed(number="1" * 38 + "B")))
    assert [error.field for error in errors] == ["Référence TIPI"] * 2


def test_the_fiscal_year_comes_from_the_date_and_it_is_said_once() -> None:
    rows, _, notices = read(lines(RECENT, RECENT.replace("2015-001-001078", "2")))
    assert {row.fiscal_year for row in rows} == {2026}
    assert len(notices) == 1
    assert "exercice" in notices[0].message
    rows, errors, notices = read(f"{HEADER};Exercice\n{RECENT};2016\n")
    assert (rows[0].fiscal_year, errors, notices) == (2016, [], [])
    _, errors, _ = read(f"{HEADER};Exercice\n{ROW};16\n")
    assert "exercice" in errors[0].message


@pytest.mark.parametrize("written", ["120 000,00", "100 000"])
def test_an_amount_that_payfip_does_not_take_is_pointed_at(written: str) -> None:
    _, errors, notices = read(f"{HEADER};Exercice\n{RECENT.replace('25,00', written)};2015\n")
    assert not errors
    assert [(notice.line, notice.field) for notice in notices] == [(2, "Montant")]
    assert "en ligne" in notices[0].message


@pytest.mark.parametrize(
    "footer",
    [
        "TOTAL;;;25,00 €;;;;;",
        ";;Total général :;25,00;;;;;",
        "Nombre de factures : 1;;;;;;;;",
        ";;;;;;;;\r\n;;Sous-total;25,00;;;;;",
        "Total",
    ],
)
def test_footers_are_left_out_and_said(footer: str) -> None:
    rows, errors, notices = read(lines("", ROW, "", footer))
    assert len(rows) == 1
    assert not errors
    assert any("total" in notice.message for notice in notices)


def test_an_invoice_whose_subject_speaks_of_a_total_is_no_footer() -> None:
    assert one(changed(subject="Total des repas")).subject == "Total des repas"
    _, errors, _ = read(lines(changed(subject="Total des repas", payer="")))
    assert [error.field for error in errors] == ["Code redevable"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "vide"),
        (b"\xef\xbb\xbf", "vide"),
        (b"\n\n  \n", "vide"),
        (f"{HEADER}\n".encode(), "aucune facture"),
        (f"{HEADER}\nTOTAL;;;0,00;;;;;\n".encode(), "aucune facture"),
        (lines(ROW).replace(";", "|").encode(), "séparés par"),
        (lines(ROW).replace(";", ":").encode(), "séparés par"),
        (f"{ROW}\n{ROW}\n".encode(), "titres des colonnes"),
        (lines(ROW).replace("Montant;", "Prix;").encode(), "« Montant »"),
        (lines(ROW).replace("Montant;", "Prix;").encode(), "Numéro, Date"),  # the titles that were found
        (lines(ROW).encode("utf-8").replace(b"FACTURATION", b"FACTUR\x81TION"), "encodage"),
        (b"PK\x03\x04" + bytes(range(256)) * 20, "classeur"),
        (b"%PDF-1.7\n\x00\x01", "un PDF, pas un CSV"),
        (lines(ROW + '"factures.pdf', changed(number="2")).encode(), "guillemet"),  # otherwise row 2 is swallowed
        (lines(changed(subject='"Salle "Jean Moulin""')).encode(), "ligne 2 : un guillemet"),
        (HEADER.encode() + b"\n" + b"x" * 3_000_000, "trop longue"),
    ],
)  # fmt: skip
def test_a_bad_file_is_explained(content: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        read(content)


def test_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "factures.csv"
    with path.open("wb") as out:
        out.truncate(200 * 1024 * 1024)
    with path.open("rb") as stream, pytest.raises(FileError, match="50 Mo"):
        list(FORMAT.rows(stream))


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenant_apps.invoices.importing.records.rows.MOST_ROWS", 2)
    with pytest.raises(FileError, match="lignes"):
        read(lines(*(changed(number=str(n)) for n in range(3))))


def test_a_quoted_value_on_two_lines_keeps_the_line_numbers_right() -> None:
    rows, errors, _ = read(
        lines(
            changed(subject='"CANTINE\r\nseptembre"'), changed(number="2", amount="rien"), changed(number="3")
        )
    )
    assert [(row.line, row.subject) for row in rows] == [(2, "CANTINE septembre"), (5, "FACTURATION")]
    assert [error.line for error in errors] == [4]


def test_invisible_signs_do_not_make_two_numbers_of_one() -> None:
    rows, errors, _ = read(lines(ROW, changed(number="2015-\u200b001-001078\u202e")))
    assert len(rows) == 1
    assert "déjà à la ligne 2" in errors[0].message


def test_three_thousand_rows_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "factures.csv"
    with path.open("wb") as out:
        batch.write_csv(batch.batch(3000), out)
    with path.open("rb") as stream, memory() as peak:
        count = sum(isinstance(item, InvoiceRow) for item in FORMAT.rows(stream))
    assert count == 3000
    assert peak() < 3 * MEGABYTE  # for the numbers already seen; rows are not kept
