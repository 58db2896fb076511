"""Files of the Treasury and of banks: each row is read, or refused with the name of its column."""

import io
from datetime import date
from decimal import Decimal

import pytest

from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.reading import camt, table
from tenant_apps.reconciliation.reading.columns import guess
from tenant_apps.reconciliation.reading.layout import layout_of
from tenant_apps.reconciliation.reading.rows import Identities, ReadRow, UnreadableRow
from tenant_apps.reconciliation.reading.words import Said
from tests.reconciliation.files import CAMT, camt_of, entry

JOURNAL = (
    "Date transaction;Montant payé;idOp;Référence dette;N° autorisation;Identifiant collectivité;"
    "Moyen de paiement\n"
)
LINE = "12/11/2026;37,50;op-1;2026-001-000001;A12;1964;Carte bancaire\n"


def rows_of(text: str | bytes, kind: str = "journal", **more: object) -> list[ReadRow | UnreadableRow]:
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    layout = layout_of(stream)
    return list(table.read(stream, layout, kind, {**guess(kind, layout.titles, layout.samples), **more}))


def test_a_journal_line_is_read() -> None:
    (row,) = rows_of(JOURNAL + LINE)
    assert isinstance(row, ReadRow)
    assert (row.number, row.booked_on, row.amount) == (2, date(2026, 11, 12), Decimal("37.50"))
    assert (row.idop, row.reference, row.authorization) == ("op-1", "2026001000001", "A12")
    assert (row.numcli, row.means) == ("001964", "card")  # a spreadsheet dropped the zeros


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_usual_encodings_and_separators(encoding: str, delimiter: str) -> None:
    text = (JOURNAL + LINE.replace("37,50", "37.50")).replace(";", delimiter)
    (row,) = rows_of(text.encode(encoding))
    assert isinstance(row, ReadRow)
    assert row.reference == "2026001000001"


@pytest.mark.parametrize(
    ("cell", "day"),
    [("12112026", (2026, 11, 12)), ("12/11/26", (2026, 11, 12)), ("2026-11-12T10:00:00", (2026, 11, 12))],
)
def test_dates_met_in_the_field(cell: str, day: tuple[int, int, int]) -> None:
    (row,) = rows_of(JOURNAL + LINE.replace("12/11/2026", cell))
    assert isinstance(row, ReadRow)
    assert row.booked_on == date(*day)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("37,50", "trente", "« Montant payé » (« trente ») n'est pas un montant"),
        ("37,50", "", "« Montant payé » est vide"),
        ("12/11/2026", "32/11/2026", "« Date transaction » (« 32/11/2026 ») n'est pas une date"),
        ("12/11/2026", "", "« Date transaction » est vide"),
    ],
)
def test_a_bad_row_is_named_and_kept(old: str, new: str, words: str) -> None:
    first, bad, last = rows_of(JOURNAL + LINE + LINE.replace(old, new, 1) + LINE)
    assert isinstance(first, ReadRow)
    assert isinstance(last, ReadRow)
    assert isinstance(bad, UnreadableRow)
    assert bad.number == 3
    assert words in bad.message
    assert "op-1" in bad.raw.values()


def test_a_bank_s_preamble_debits_and_footer() -> None:
    text = (
        "Compte 00012345678;;;\nPériode du 01/11/2026 au 30/11/2026;;;\n\n"
        "Date;Libellé;Débit;Crédit\n"
        "12/11/2026;VIR DUPRE 2026-001-000001;;37,50\n13/11/2026;FRAIS;12,00;\n14/11/2026;REJET;;-5,00\n"
        "Total;;12,00;37,50\n"
    )
    first, fee, reject, footer = rows_of(text, "bank")
    assert isinstance(first, ReadRow)
    assert (first.amount, first.outgoing, first.number) == (Decimal("37.50"), False, 5)
    assert isinstance(fee, ReadRow)
    assert (fee.amount, fee.outgoing) == (12, True)
    assert isinstance(reject, ReadRow)
    assert (reject.amount, reject.outgoing) == (5, True)
    assert isinstance(footer, UnreadableRow)


def test_amounts_in_cents() -> None:
    (row,) = rows_of(JOURNAL + LINE.replace("37,50", "3750"), _cents=True)
    assert isinstance(row, ReadRow)
    assert row.amount == Decimal("37.50")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("37,50", "12,50", "n'est pas un nombre entier de centimes"),
        ("12/11/2026", "2026-13-40T10:00", "date"),
    ],
)
def test_nothing_is_rounded_and_no_cell_stops_the_file(old: str, new: str, words: str) -> None:
    bad, good = rows_of(
        JOURNAL + LINE.replace(old, new).replace("37,50", "3750") + LINE.replace("37,50", "3750"), _cents=True
    )
    assert isinstance(bad, UnreadableRow)
    assert words in bad.message
    assert isinstance(good, ReadRow)


@pytest.mark.parametrize("word", ["R", "Z", "A", "Carte refusée", "abandonné"])
def test_a_refused_payment_is_said_to_be_none(word: str) -> None:
    (row,) = rows_of(JOURNAL + LINE.replace("Carte bancaire", word))
    assert isinstance(row, ReadRow)
    assert row.said == Said.NOT_PAID


def test_money_taken_back_is_another_line_than_the_money() -> None:
    came, went = rows_of(JOURNAL + LINE + LINE.replace("37,50", "-37,50"))
    assert Identities("journal").of(came) != Identities("journal").of(went)


def test_what_is_no_table() -> None:
    for content in (b"\x00\x01\x02", b"une phrase\n", b"%PDF-1.7\n"):
        with pytest.raises(CannotRead):
            layout_of(io.BytesIO(content))


def test_two_equal_lines_are_two_and_the_same_in_another_file() -> None:
    rows = rows_of("Date;Montant\n" + "12/11/2026;10,00\n" * 2)
    one, other = Identities("journal"), Identities("journal")
    first = [one.of(row) for row in rows]
    assert len(set(first)) == 2
    assert first == [other.of(row) for row in rows]
    assert first[0] != Identities("bank").of(rows[0])


# --- CAMT.053 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["02", "04", "08"])
def test_a_statement_with_batches(version: str) -> None:
    batch = entry("30.00", details=[("10.00", "2026-001-000001", "DUPRE"), ("20.00", "CANTINE", "LEFEVRE")])
    text = camt_of(
        entry("37.50", details=[("", "VIR 2026001000002", "MARTIN")]), batch, entry("5.00", side="DBIT")
    )
    rows = list(camt.read(io.BytesIO(text.replace("053.001.02", f"053.001.{version}").encode())))
    assert all(isinstance(row, ReadRow) for row in rows)
    read = [(row.amount, row.outgoing, row.payer_name) for row in rows if isinstance(row, ReadRow)]
    assert read == [
        (Decimal("37.50"), False, "MARTIN"),
        (Decimal("10.00"), False, "DUPRE"),
        (Decimal("20.00"), False, "LEFEVRE"),
        (Decimal("5.00"), True, ""),
    ]


def test_a_batch_whose_details_do_not_add_up_is_one_doubtful_line() -> None:
    text = camt_of(entry("31.00", details=[("10.00", "A", "X"), ("20.00", "B", "Y")]))
    (row,) = camt.read(io.BytesIO(text.encode()))
    assert isinstance(row, ReadRow)
    assert row.amount == 31
    assert row.doubt


def test_bad_entries_are_named() -> None:
    text = camt_of(entry("10.00").replace('Ccy="EUR"', 'Ccy="CHF"'), entry("dix"), entry("10.001"))
    rows = list(camt.read(io.BytesIO(text.encode())))
    assert [type(row) for row in rows] == [UnreadableRow] * 3


def test_a_reversal_goes_the_way_its_side_says() -> None:
    """ISO 20022: DBIT with RvslInd takes an earlier credit back (an unpaid cheque, a rejected transfer)."""
    text = camt_of(*[entry("37.50", side=side) for side in ("DBIT", "CRDT")])
    text = text.replace("</CdtDbtInd>", "</CdtDbtInd><RvslInd>true</RvslInd>")
    back, again = camt.read(io.BytesIO(text.encode()))
    assert isinstance(back, ReadRow)
    assert isinstance(again, ReadRow)
    assert (back.outgoing, again.outgoing) == (True, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Sts>BOOK</Sts>", "<Sts>PDNG</Sts>"),
        ("<Sts>BOOK</Sts>", "<Sts><Cd>INFO</Cd></Sts>"),
        ("37.50", "1" + "0" * 40),
    ],
)
def test_what_is_no_money_yet_or_never(old: str, new: str) -> None:
    text = camt_of(entry("37.50").replace(old, new), entry("1.00").replace("<Sts>BOOK", "<Sts><Cd>BOOK</Cd>"))
    bad, good = camt.read(io.BytesIO(text.encode()))
    assert isinstance(bad, UnreadableRow)
    assert isinstance(good, ReadRow)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + CAMT.replace("ENTRIES", "&e;"),
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + CAMT.replace("ENTRIES", "&b;"),
        CAMT.replace("ENTRIES", entry("1.00"))[:-40],
        "<html><body>502</body></html>",
    ],
    ids=["xxe", "bomb", "cut", "html"],
)
def test_hostile_or_broken_xml(text: str) -> None:
    with pytest.raises(CannotRead):
        list(camt.read(io.BytesIO(text.encode())))
