"""Properties: a table that is written in any way is read the same, and the quick way reads as the careful one."""

import csv as writer
import dataclasses
import io
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_apps.invoices.importing.formats.csv import FORMAT
from tenant_apps.invoices.importing.records.kinds import LABELS, InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rows import Rows

NAMES = [
    "LEFÈVRE",
    "Müller",
    "Benoît",
    "D'ARC",
    "Saint-Éloi",
    "Conceição",
    "DE LA TOUR",
    "Sacré-Cœur",
    "Nguyễn",
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-15", "cp850", "mac_roman"]


def recent() -> st.SearchStrategy[date]:
    return st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def bills(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Invoices with different numbers; one column may hold anything that a clerk types."""
    numbers = draw(st.lists(st.integers(1, 99999), min_size=1, max_size=5, unique=True))
    return [
        {
            "number": f"2026-{number:05}",
            "issued_on": (issued_on := draw(recent())),
            "due_on": draw(st.dates(issued_on, date(2028, 1, 31))),
            "amount": draw(st.decimals("0.01", "99999999.99", places=2)),
            "subject": draw(
                st.sampled_from(["Cantine", 'Le "Petit Bois"', "Eau ; 2e semestre", "a, b", "é\nà"])
            ),
            "payer": f"U{draw(st.integers(1, 999))}",
            "last_name": draw(st.sampled_from(NAMES)),
        }
        for number in numbers
    ]


@given(bills(), st.sampled_from(ENCODINGS), st.sampled_from(";,\t"), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200)
def test_a_written_table_is_read_the_same(
    written: list[dict[str, Any]], encoding: str, delimiter: str, end: str
) -> None:
    out = io.StringIO()
    to = writer.writer(out, delimiter=delimiter, lineterminator=end)
    to.writerow([LABELS[name] for name in written[0]])
    for bill in written:
        amount = f"{bill['amount']:.2f}".replace(".", ",")
        days = {name: f"{bill[name]:%d/%m/%Y}" for name in ("issued_on", "due_on")}
        to.writerow({**bill, **days, "amount": amount}.values())
    try:
        content = out.getvalue().encode(encoding)
    except UnicodeEncodeError:
        return
    found = list(FORMAT.rows(io.BytesIO(content)))
    assert not [one for one in found if isinstance(one, RowProblem) and one.is_error]
    rows = [one for one in found if isinstance(one, InvoiceRow)]
    assert [{name: getattr(row, name) for name in written[0]} for row in rows] == [
        {**bill, "subject": " ".join(bill["subject"].split())} for bill in written
    ]


def made(records: list[Mapping[str, str]], *, quickly: bool) -> list[Record]:
    rows = Rows()
    if not quickly:
        rows._quick = None
    return [found for line, cells in enumerate(records, 2) for found in rows.make(line, cells)]


USUAL = {
    "number": "2026-001",
    "issued_on": "05/10/2026",
    "due_on": "31/10/2026",
    "amount": "42,00",
    "subject": "Cantine d'août",
    "fiscal_year": "2026",
    "payer": "U7",
    "title": "Mme",
    "last_name": "LEFÈVRE",
    "address1": "3 rue Haute",
    "address2": "",
    "postcode": "35000",
    "city": "Rennes",
    "email": "Anne@Example.org",
    "product": "EAU",
    "document": "a.pdf",
    "reference": "",
}
ODD = st.one_of(
    st.sampled_from(
        [
            *("1 234,50 €", "1\u202f234,50\u00a0€", "12 345", "123 456", "1\u00a0234", "12,5\u00a0", "R & B"),
            *(
                "N° 3",
                "l’école",
                "«\u00a0Été\u00a0»",
                "œuvre",
                "CÅ“ur",
                "Å’uvre",
                "Åse",
                "Eau & études",
                "123.0",
            ),
            *("a&b;", "&eacute;", "’01", "«", "–", "37,50\u202f", "05/10/2026\u00a0", "Régie d'eau n° 2"),
            *(
                "",
                " ",
                "0",
                "00",
                "1",
                "  a",
                "a  b",
                "-",
                "1,5",
                "1.50 €",
                "€ 3",
                "12 €",
                "100000",
                "99999,99",
                "0,00",
            ),
            *(
                "1e5",
                "1E+05",
                "12E4",
                "1,00E+11",
                "JANV-26",
                "26-MAI",
                "A-1",
                "a-1",
                "A_1",
                "A 1",
                "007",
                "FAM-12",
            ),
            *(
                "x",
                "X1",
                "néant",
                "MARTIN Paul",
                "#REF!",
                "=1",
                '="01"',
                "'01",
                "&amp;",
                "HÃ©",
                "Nâ€™",
                "JOÃO",
                "\ufffd",
            ),
            *(
                "a\x1fb",
                "a\nb",
                "\ta",
                "a\u00a0b",
                "e\u0301",
                "\u200ba",
                "A--1",
                "-A",
                "A-",
                "46300",
                "6000",
                "44000.0",
            ),
            *(
                "05/10/2026",
                "2026-10-05",
                "05/10/26",
                "31/02/2026",
                "01/01/2019",
                "01/01/2062",
                "05/10/2026 08:00",
            ),
            *(
                "a@b.fr",
                "a@b.fr;c@d.fr",
                "a@b",
                "a.b@c-d.fr",
                "a@-b.fr",
                "é@b.fr",
                "A@B.FR",
                "aucun",
                "a@xn--b.fr",
            ),
            *(
                "2025",
                "20266",
                "ABC123",
                "abc-123",
                "12345",
                "x" * 41,
                "x" * 81,
                "1" * 31,
                "Mme et M.",
                "M. 2",
                "a" * 200,
            ),
        ]
    ),
    st.text(max_size=12),
    st.from_regex(r"[A-Za-z0-9 .,@_-]{0,12}", fullmatch=True),
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(USUAL)), ODD, max_size=3), min_size=1, max_size=4))
@settings(max_examples=800)
def test_the_quick_way_reads_as_the_careful_one(changes: list[dict[str, str]]) -> None:
    records = [{**USUAL, **changed} for changed in changes]
    assert made(records, quickly=True) == made(records, quickly=False)


@given(st.sets(st.sampled_from(sorted(USUAL)), max_size=6))
def test_absent_cells_too(absent: set[str]) -> None:
    record = {name: text for name, text in USUAL.items() if name not in absent}
    numbers = [{**record, "number": number} for number in ("A1", "A1", "a1", "A-1")]
    assert made([record, *numbers], quickly=True) == made([record, *numbers], quickly=False)


def test_the_quick_way_is_taken() -> None:
    rows = Rows()
    assert rows._quick is not None
    assert rows._quick.read(2, USUAL, may_guess_year=False) is not None
    (row,) = made([USUAL], quickly=True)
    assert isinstance(row, InvoiceRow)
    assert dataclasses.replace(row, said=frozenset()) == InvoiceRow(
        line=2,
        number="2026-001",
        issued_on=date(2026, 10, 5),
        due_on=date(2026, 10, 31),
        amount=Decimal("42.00"),
        subject="Cantine d'août",
        fiscal_year=2026,
        reference="2026001",
        payer="U7",
        title="Mme",
        last_name="LEFÈVRE",
        address="3 rue Haute",
        postcode="35000",
        city="Rennes",
        emails=("anne@example.org",),
        product="EAU",
        document="a.pdf",
    )
