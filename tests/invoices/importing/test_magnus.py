"""Magnus: what its ZIP gives, what is refused, and an import from the ZIP to the invoices and PDFs that are online."""

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.importing.format import HEAD
from tenant_apps.invoices.importing.formats.magnus import FORMAT, line_of, lot_of
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tenant_apps.invoices.importing.registry import recognised
from tenant_apps.invoices.models import Invoice
from tests.invoices.importing.batches import archive, pdf, publish, sentences
from tests.invoices.importing.files import MEGABYTE, memory
from toolkit.reading.errors import FileError

USUAL = {
    **{
        1: "1",
        2: "T",
        3: "O",
        4: "123",
        5: "00",
        6: "2026",
        7: "M",
        8: "FAM000101",
        10: "MARTIN",
        11: "ALICE",
    },
    **{12: "1 PLACE DE LA MAIRIE", 15: "31320", 16: "Pechabou", 18: "CANTINE", 20: "Facture_4101", 24: "R"},
    **{25: "05/10/2026", 30: "37.50", 31: "0.00", 70: "O", 71: "N", 93: "MME"},
}


def line(values: dict[int, str] | None = None) -> str:
    """USUAL with other values."""
    return line_of({**USUAL, **(values or {})})


def read(
    *lines: str, rules: Rules | None = None, **beside: bytes
) -> tuple[list[InvoiceRow], list[str], list[str]]:
    """(invoices, sentences of errors, sentences of warnings); `PJ=b"…"` is WTAMC001PJ.txt. Raises FileError."""
    others = {f"WTAMC001{name}.txt": content for name, content in beside.items()}
    file = io.BytesIO(lot_of("\n".join(lines), others))
    found = list(FORMAT.rows(file, Reading(rules or Rules(due_days=30))))
    problems = [one for one in found if isinstance(one, RowProblem)]
    return (
        [one for one in found if isinstance(one, InvoiceRow)],
        [str(one) for one in problems if one.is_error],
        [str(one) for one in problems if not one.is_error],
    )


# --- an invoice -----------------------------------------------------------------------------------


def test_lines_of_an_invoice_are_added_up() -> None:
    more = {7: "S", 18: "CANTINE", 30: "12,40", 31: "0.10", 54: "PERI"}
    rows, errors, warnings = read(line(), line(more), line({1: "2", 20: "Facture_4102"}))
    assert not errors + warnings
    assert [(row.line, row.number, row.amount) for row in rows] == [
        (1, "4101", Decimal("50.00")),
        (3, "4102", Decimal("37.50")),
    ]
    assert (rows[0].payer, rows[0].due_on, rows[0].document) == (
        "FAM000101",
        date(2026, 11, 4),
        "Facture_4101",
    )


def test_a_debit_has_its_day_and_no_rule_means_thirty_days() -> None:
    debit = line({71: "O", 72: "05/12/2026"})
    rows, errors, warnings = read(debit, line({1: "2", 20: "F-2"}), rules=Rules())
    assert not errors
    assert [(row.by_debit, row.debit_on, row.due_on) for row in rows] == [
        (True, date(2026, 12, 5), date(2026, 12, 5)),
        (False, None, date(2026, 11, 4)),
    ]
    assert "30 jours après la date" in warnings[0]
    rows, _errors, _warnings = read(line({71: "O", 72: ""}))
    assert (rows[0].by_debit, rows[0].debit_on) == (True, None)


def test_the_printed_number_comes_first_then_the_name_of_the_pdf() -> None:
    rows, errors, _warnings = read(
        line({111: "N-7"}),
        line({1: "2", 20: "Avis 2026-12"}),
        line({1: "3", 20: "CAN004101"}),
        line({1: "4", 20: ""}),
    )
    assert [row.number for row in rows] == ["N-7", "2026-12", "CAN004101"]
    assert "« Numéro » est vide" in errors[0]


def test_a_cut_name_is_completed_and_a_pattern_gives_the_number() -> None:
    """The column holds fifty signs. The table of PDFs has the whole name; without it, the only PDF that begins so."""
    name = "Facture de cantine et de garderie d'octobre_2026-4101"
    rules = Rules(due_days=30, document_pattern="Facture de cantine et de garderie d'octobre_{numero}.pdf")
    rows, errors, _warnings = read(
        line({20: name[:50]}), rules=rules, PJ=f'"1";"{name}.pdf";"";"006"'.encode()
    )
    assert not errors
    assert [(row.number, row.document) for row in rows] == [("2026-4101", f"{name}.pdf")]
    content = lot_of(line({20: name[:50]}), {f"PJ/{name}.pdf": pdf("8"), "PJ/Facture.pdf": pdf("9")})
    found = list(FORMAT.rows(io.BytesIO(content), Reading(rules)))
    assert [one.document for one in found if isinstance(one, InvoiceRow)] == [f"{name}.pdf"]


def test_solidary_debtors_are_named_and_see_nothing() -> None:
    rows, errors, warnings = read(
        line(), TSOL=b'"19";"1";"FAM000101";"MARTIN";"BOB";"";""\n"19";"1";"";"DUPRE";"EVE"'
    )
    assert ([row.last_name for row in rows], errors) == (["MARTIN"], [])
    assert "MARTIN BOB, DUPRE EVE doit aussi cette somme" in warnings[0]


def test_what_is_not_payable_online_there_is_told_once() -> None:
    _rows, _errors, warnings = read(line({70: "N"}), line({1: "2", 20: "F-2", 70: "N"}))
    assert len(warnings) == 1
    assert "2 factures ne sont pas payables par internet" in warnings[0]


def test_quotes_inside_a_cell_may_not_be_doubled() -> None:
    rows, errors, _warnings = read(line({12: '1 RUE "X"'}), line({1: "2", 20: "F-2", 12: '2 RUE ""Y""'}))
    assert not errors
    assert [row.address for row in rows] == ['1 RUE "X"', '2 RUE "Y"']


def test_windows_letters() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("WTAMC001.txt", line({10: "LEFÈVRE"}).encode("cp1252"))
    found = list(FORMAT.rows(out, Reading(Rules(due_days=1))))
    assert [one.last_name for one in found if isinstance(one, InvoiceRow)] == ["LEFÈVRE"]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (
            {8: "FAM000102"},
            "« Code tiers » (« FAM000102 »), à la ligne 2, n'est pas celui de la ligne principale",
        ),
        ({20: "Facture_9"}, "« Pièce justificative »"),
        ({71: "O"}, "« Prélèvement »"),
        ({30: "1e308"}, "« Montant HT » (« 1e308 »), à la ligne 2, n'est pas un montant"),
        ({30: "NaN"}, "(« NaN »), à la ligne 2, n'est pas un montant"),
        ({31: "12,345678"}, "« Montant TVA »"),
        ({30: "-37.50"}, "doit être supérieur à zéro"),
        ({30: "0.001"}, "« Montant »"),
        ({24: "D"}, "dans le sens « D »"),
        ({2: "M"}, "du type « M »"),
    ],
)
def test_a_line_that_does_not_agree_refuses_its_invoice(second: dict[int, str], words: str) -> None:
    rows, errors, _warnings = read(line(), line({7: "S", **second}), line({1: "2", 20: "F-2"}))
    assert [row.number for row in rows] == ["F-2"]
    assert words in errors[0]
    assert errors[0].startswith("Ligne 1")


@pytest.mark.parametrize(
    "order",
    [
        [{}, {1: "2", 20: "F-2"}, {7: "S"}],  # a part of invoice 1 stands elsewhere
        [{7: "S"}],
        [{}, {}],
        [{7: "S"}, {7: "M"}],
    ],
)
def test_a_part_of_an_invoice_is_never_lost(order: list[dict[int, str]]) -> None:
    rows, errors, _warnings = read(*map(line, order))
    assert "4101" not in {row.number for row in rows}
    assert any("ne se suivent pas" in one for one in errors)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({25: "31/02/2026"}, "« Date »"),
        ({25: "05/10/26"}, "« Date »"),
        ({6: "26"}, "« Exercice »"),
        ({8: ""}, "« Code redevable »"),
        ({8: "MARTIN ALICE"}, "contient un nom"),
        ({8: "#REF!"}, "« Code redevable »"),
        ({8: "0"}, "n'est le code de personne"),
        ({18: "x" * 161}, "« Objet » est trop long"),
        ({20: "=1+1"}, ""),
        ({7: "X"}, "ni une ligne principale (M) ni sa suite (S)"),
        ({71: "O", 72: "31/02/2026"}, "« Prélevé le »"),
    ],
)
def test_values_that_are_none(cells: dict[int, str], words: str) -> None:
    rows, errors, _warnings = read(line(cells))
    assert (not rows and any(words in one for one in errors)) if words else rows


@pytest.mark.parametrize("text", ['"1";"T"', '"' * 125, line() + ';"more"', "€" * 1000, "<xml/>"])
def test_lines_that_are_no_lines(text: str) -> None:
    rows, errors, _warnings = read(text, line({1: "2"}))
    assert len(rows) == 1
    assert "valeurs au lieu de 125" in errors[0]


def test_a_number_comes_once() -> None:
    rows, errors, _warnings = read(line(), line({1: "2", 8: "FAM000102"}))
    assert len(rows) == 1
    assert "figure déjà à la ligne 1" in errors[0]


# --- the ZIP --------------------------------------------------------------------------------------


def test_a_zip_of_pdfs_is_not_a_lot() -> None:
    for content in (archive(X1=pdf("x")).getvalue(), lot_of("", {"PJ/a.pdf": b"%PDF"})[:4]):
        assert FORMAT.recognise(content[:HEAD], "magnus.zip") is None
    folder = io.BytesIO()
    with zipfile.ZipFile(folder, "w") as z:
        z.writestr("PJ/Facture_1.pdf", pdf("1"))
    assert recognised(folder.getvalue()[:HEAD], "PJ.zip") is not FORMAT


def _zip(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files:
            z.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _link() -> zipfile.ZipInfo:
    found = zipfile.ZipInfo("PJ/link.pdf")
    found.external_attr = 0o120777 << 16
    return found


def _locked() -> bytes:
    """A lot whose entries say that a password protects them."""
    content = bytearray(lot_of(line()))
    content[6] |= 1
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


HOSTILE = {
    "not a ZIP": b"PK\x03\x04 WTAMC001.txt and nothing else",
    "cut": lot_of(line())[:-30],
    "no table of lines": _zip(("WTAMC001PJ.txt", b'"1";"a.pdf"')),
    "two lots": _zip(("a/WTAMC001.txt", line().encode()), ("b/WTAMC002.txt", line().encode())),
    "traversal": _zip(("WTAMC001.txt", line().encode()), ("../PJ/a.pdf", b"%PDF")),
    "absolute": _zip(("WTAMC001.txt", line().encode()), ("/etc/a.pdf", b"%PDF")),
    "a link": _zip(("WTAMC001.txt", line().encode()), (_link(), b"/etc/passwd")),
    "a password": _locked(),
    "a bomb": _zip(("WTAMC001.txt", b"0" * (30 * MEGABYTE))),
    "a bomb beside": _zip(("WTAMC001.txt", line().encode()), ("PJ/a.pdf", b"0" * (30 * MEGABYTE))),
    "an endless line": _zip(("WTAMC001.txt", line().encode() + bytes(range(48, 58)) * 20_000)),
    "bytes that are no text": _zip(("WTAMC001.txt", bytes(range(256)) * 10)),
    "a damaged table": lot_of(line()).replace(b"\x00\x00WTAMC001.txt", b"\x00\x00WTAMC001.txt\xff\xff", 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_zip_that_cannot_be_trusted_or_read(name: str) -> None:
    with memory() as peak, pytest.raises(FileError):
        list(FORMAT.rows(io.BytesIO(HOSTILE[name]), Reading(Rules(due_days=1))))
    assert peak() < 20 * MEGABYTE


def test_a_zip_inside_is_not_opened() -> None:
    content = _zip(("WTAMC001.txt", line().encode()), ("PJ/Facture_4101.zip", lot_of(line())))
    rows = list(FORMAT.rows(io.BytesIO(content), Reading(Rules(due_days=1))))
    assert len([one for one in rows if isinstance(one, InvoiceRow)]) == 1


# --- write → read -----------------------------------------------------------------------------------

_WORD = st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x17F), min_size=1, max_size=20)
_EURO = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("9999.99"), places=2)
_DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2090, 12, 31))
_INVOICE = st.fixed_dictionaries(
    {
        "name": _WORD,
        "city": _WORD,
        "day": _DAYS,
        "parts": st.lists(_EURO, min_size=1, max_size=5),
        "debit": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_INVOICE, max_size=8))
def test_what_is_written_is_read(invoices: list[dict[str, Any]]) -> None:
    written = []
    for n, one in enumerate(invoices, 1):
        for place, part in enumerate(one["parts"]):
            written.append(
                line(
                    {
                        **{1: f"{n}", 7: "S" if place else "M", 8: f"F{n}", 10: one["name"], 16: one["city"]},
                        **{
                            6: f"{one['day'].year}",
                            20: f"Facture_{n}",
                            25: f"{one['day']:%d/%m/%Y}",
                            30: f"{part}",
                        },
                        **(
                            {71: "O", 72: f"{one['day'] + timedelta(days=9):%d/%m/%Y}"}
                            if one["debit"]
                            else {}
                        ),
                    }
                )
            )
    if not written:
        return
    rows, errors, _warnings = read(*written)
    assert not errors
    found = [(row.number, row.amount, row.last_name, row.city, row.issued_on, row.by_debit) for row in rows]
    assert found == [
        (f"{n}", sum(one["parts"]), one["name"], one["city"], one["day"], one["debit"])
        for n, one in enumerate(invoices, 1)
    ]


# --- a whole import, and many lines ---------------------------------------------------------------------


def test_an_import_from_the_zip_to_its_pdfs_online(town: Any, tmp_path: Path) -> None:
    lines = [
        line(),
        line({7: "S", 30: "12.40"}),
        line({1: "2", 8: "FAM000102", 10: "DURAND", 20: "Facture_4102"}),
    ]
    content = lot_of("\n".join(lines), {f"PJ/Facture_{n}.pdf": pdf(f"{n}") for n in (4101, 4102)})
    batch = services.create_batch(actor="system", rows_file=io.BytesIO(content), rows_name="lot.zip")
    processing.process_waiting()
    batch.refresh_from_db()
    assert (batch.format, batch.state) == ("magnus", "ready"), sentences(batch)
    assert publish(batch).state == "published"
    found = Invoice.objects.order_by("number").select_related("document", "payer")
    assert [(one.number, one.amount, one.payer.reference) for one in found] == [
        ("4101", Decimal("49.90"), "FAM000101"),
        ("4102", Decimal("37.50"), "FAM000102"),
    ]
    assert all(one.document is not None for one in found)
    assert "WTAMC" not in sentences(batch)


def test_memory_does_not_grow_with_the_lines() -> None:
    text = "\n".join(
        line({1: f"{n}", 8: f"F{n}", 20: f"Facture_{n}", 30: f"{n % 900 + 1}.50"}) for n in range(20_000)
    )
    content = lot_of(text)
    with memory() as peak:
        rows = sum(
            isinstance(one, InvoiceRow)
            for one in FORMAT.rows(io.BytesIO(content), Reading(Rules(due_days=1)))
        )
    assert rows == 20_000
    assert peak() < 25 * MEGABYTE
