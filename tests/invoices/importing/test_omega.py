"""JVS Omega: what its JSON gives, what is refused, and what a hostile JSON costs."""

import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.importing.format import HEAD
from tenant_apps.invoices.importing.formats.omega import FORMAT
from tenant_apps.invoices.importing.records.kinds import CreditRow, InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tenant_apps.invoices.importing.registry import recognised
from tenant_apps.invoices.models import Invoice
from tests.invoices.importing.batches import publish, sentences
from tests.invoices.importing.files import MEGABYTE, memory
from toolkit.reading.errors import FileError
from toolkit.reading.json_items import MOST_ITEM

USUAL: dict[str, Any] = {
    **{"facture_id": 1, "exercice": 2026, "nofacture": "2026-00001", "datefact": "2026-10-01"},
    **{"datech": "2026-10-31", "ttc": 50.0, "nap": 37.5, "solde": 37.5, "preleve": "N", "annulee": "N"},
    **{
        "avoir": "N",
        "budget": "EAU",
        "numcontrat": "C000101",
        "nompers": "MARTIN Alice",
        "mail": "a@example.org",
    },
}


def one(**values: Any) -> dict[str, Any]:
    return {**USUAL, **values}


def read(content: Any, reading: Reading | None = None) -> tuple[list[Record], list[str], list[str]]:
    """(records, sentences of errors, sentences of warnings). Raises FileError."""
    text = content if isinstance(content, str) else json.dumps(content)
    found = list(FORMAT.rows(io.BytesIO(text.encode()), reading or Reading()))
    problems = [item for item in found if isinstance(item, RowProblem)]
    return (
        [item for item in found if not isinstance(item, RowProblem)],
        [str(item) for item in problems if item.is_error],
        [str(item) for item in problems if not item.is_error],
    )


def invoice(**values: Any) -> InvoiceRow:
    """The only invoice of a file, which has no problem."""
    rows, errors, _warnings = read([one(**values)])
    assert not errors
    (row,) = rows
    assert isinstance(row, InvoiceRow)
    return row


# --- an invoice -----------------------------------------------------------------------------------


def test_an_invoice() -> None:
    row = invoice()
    assert (row.number, row.amount, row.payer, row.last_name) == (
        *("2026-00001", Decimal("37.50"), "C000101", "MARTIN Alice"),
    )
    assert (row.issued_on, row.due_on, row.emails) == (
        date(2026, 10, 1),
        date(2026, 10, 31),
        ("a@example.org",),
    )
    assert (row.subject, row.by_debit, row.said) == ("Facture 2026-00001", False, {"last_name", "email"})


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"nap": None, "ttc": 37.5}, "amount", Decimal("37.50")),
        ({"nap": 36.900000000000006, "solde": "36,90"}, "amount", Decimal("36.90")),
        ({"nap": "1 234,50", "solde": None, "ttc": 2000}, "amount", Decimal("1234.50")),
        ({"datefact": "2026-09-30T22:00:00Z"}, "issued_on", date(2026, 10, 1)),
        ({"datefact": "01/10/2026"}, "issued_on", date(2026, 10, 1)),
        ({"datefact": "2026-10-01T00:00:00"}, "issued_on", date(2026, 10, 1)),
        ({"numcontrat": 101}, "payer", "101"),
        ({"numcontrat": 101.0}, "payer", "101"),
        ({"mail": None}, "emails", ()),
        ({"preleve": "O"}, "by_debit", True),
        ({"preleve": True}, "by_debit", True),
        ({"preleve": 1}, "by_debit", True),
        ({"preleve": "05/11/2026"}, "debit_on", date(2026, 11, 5)),
        ({"nompers": "4711"}, "last_name", ""),
    ],
)
def test_ways_to_write_a_value(values: dict[str, Any], name: str, expected: object) -> None:
    assert getattr(invoice(**values), name) == expected


def test_an_absent_key_says_nothing_and_null_says_empty() -> None:
    absent = {key: value for key, value in USUAL.items() if key != "mail"}
    rows, _errors, _warnings = read([absent])
    assert isinstance(rows[0], InvoiceRow)
    assert rows[0].said == {"last_name"}
    assert invoice(mail=None).said == {"last_name", "email"}


@pytest.mark.parametrize(
    "content",
    [
        [one()],
        {"factures": [one()]},
        {"date": "2026-10-01", "budgets": ["EAU"], "meta": {"n": [1]}, "factures": [one()], "fin": True},
        "\ufeff" + json.dumps([one()]),
        "  \n" + json.dumps([one()], indent=4) + "\n\n",
    ],
)
def test_the_list_is_the_file_or_under_one_key(content: Any) -> None:
    rows, errors, _warnings = read(content)
    assert (len(rows), errors) == (1, [])


def test_windows_letters() -> None:
    text = json.dumps([one(nompers="LEFÈVRE")], ensure_ascii=False)
    rows = list(FORMAT.rows(io.BytesIO(text.encode("cp1252"))))
    assert isinstance(rows[0], InvoiceRow)
    assert rows[0].last_name == "LEFÈVRE"


def test_what_is_not_read_is_named() -> None:
    _rows, _errors, warnings = read([one(iban="X", Releve=12)])
    assert warnings == ["Ces valeurs du fichier ne sont pas lues : « iban », « Releve »."]


# --- paid, cancelled, credited --------------------------------------------------------------------


@pytest.mark.parametrize(
    "values", [{"solde": 0}, {"solde": "0,00"}, {"nap": 0, "solde": 0}, {"nap": 0, "solde": None}]
)
def test_what_is_settled_is_not_billed(values: dict[str, Any]) -> None:
    rows, errors, warnings = read([one(**values), one(nofacture="2", numcontrat="C2")])
    assert (len(rows), errors) == (1, [])
    assert "1 facture n'a plus rien à payer : elle est laissée de côté (2026-00001)" in warnings[0]


def test_a_part_that_is_paid_already_is_asked_about() -> None:
    """The rest is right on a first import, and wrong when the part was paid here."""
    content = [one(solde=7.5)]
    found = list(FORMAT.rows(io.BytesIO(json.dumps(content).encode())))
    (problem,) = found
    assert isinstance(problem, RowProblem)
    assert (problem.field, problem.value, problem.cells["amount"]) == ("Montant", "7.50", "")
    assert "une partie est déjà réglée" in problem.message
    rows, errors, _warnings = read(content, Reading(corrections={1: {"amount": "7,50"}}))
    assert not errors
    assert isinstance(rows[0], InvoiceRow)
    assert rows[0].amount == Decimal("7.50")


@pytest.mark.parametrize("word", ["O", "oui", True, 1, "12/10/2026", "2026-10-12"])
def test_a_cancelled_invoice_is_a_credit_of_all(word: object) -> None:
    rows, errors, _warnings = read([one(annulee=word)], Reading(Rules(prefix="E-", product="EAU")))
    assert not errors
    (credit,) = rows
    assert isinstance(credit, CreditRow)
    assert (credit.number, credit.fiscal_year, credit.amount, credit.product) == (
        "E-2026-00001",
        2026,
        None,
        "EAU",
    )


def test_a_credit_names_its_invoice_or_is_named() -> None:
    rows, errors, warnings = read(
        [
            one(nofacture="A1", avoir="2026-00001", nap=-12.5, solde=-12.5),
            one(nofacture="A2", avoir="O", nap=-5),
        ]
    )
    assert not errors
    (credit,) = rows
    assert isinstance(credit, CreditRow)
    assert (credit.number, credit.amount, credit.reason) == ("2026-00001", Decimal("12.50"), "Avoir A1")
    assert "L'avoir n° A2 (5,00 €) ne dit pas quelle facture il réduit" in warnings[0].replace("\xa0", " ")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"nap": "37.5 euros et plus"}, "« nap » n'est pas un montant"),
        ({"nap": 12.345, "solde": None}, "a plus de deux décimales"),
        ({"nap": -5, "solde": -5}, "doit être supérieur à zéro"),
        ({"nap": 60}, "dépasse « ttc »"),
        ({"nap": None, "ttc": None, "solde": None}, "« Montant » est vide"),
        ({"avoir": 12.5}, "ni oui, ni non, ni le numéro d'une facture"),
        ({"avoir": "12,50"}, "ni oui, ni non, ni le numéro d'une facture"),
        ({"preleve": "peut-être"}, "« preleve » (« peut-être ») n'est ni oui ni non"),
        ({"annulee": "?"}, "« annulee » (« ? ») n'est ni oui ni non"),
        ({"annulee": "O", "nofacture": ""}, "« nofacture » est vide"),
        ({"annulee": "O", "exercice": "", "datefact": ""}, "« exercice » est vide"),
        ({"nofacture": None}, "« Numéro » est vide"),
        ({"nofacture": "x" * 100_000}, "« Numéro » est trop long"),
        ({"nofacture": [1]}, "« nofacture » contient une liste"),
        ({"numcontrat": {"a": 1}}, "« numcontrat » contient une liste"),
        ({"numcontrat": "MARTIN Alice"}, "contient un nom"),
        ({"numcontrat": None}, "« Code redevable » est vide"),
        ({"numcontrat": 0}, "n'est le code de personne"),
        ({"numcontrat": "1,00E+11"}, "le tableur a remplacé des chiffres"),
        ({"datefact": "31/02/2026"}, "« Date » n'est pas une date"),
        ({"datech": "2026-09-01"}, "« Échéance » est avant la date"),
        ({"datech": None}, "« Échéance » est vide"),
        ({"mail": "alice"}, "n'est pas une adresse e-mail"),
        ({"nompers": "A\u0000B"}, "caractères illisibles"),
        ({"nompers": "\ud83d"}, "caractères illisibles"),
        ({"exercice": 1926}, "« Exercice »"),
    ],
)
def test_a_record_that_cannot_be_read(values: dict[str, Any], words: str) -> None:
    rows, errors, _warnings = read([one(**values), one(nofacture="2", numcontrat="C2")])
    assert [row.number for row in rows if isinstance(row, InvoiceRow)] == ["2"]
    assert words in errors[0].replace("\xa0", " ")
    assert errors[0].startswith("Ligne 1 : ")


def test_two_budgets_are_two_files() -> None:
    rows, errors, _warnings = read([one(), one(nofacture="2", budget="ASST")])
    assert len(rows) == 1
    assert "un même numéro de contrat peut y être une autre personne" in errors[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"nofacture": "1", "nap": 5, "nap": 6}]', "deux fois la valeur « nap »"),
        ('[{"nofacture": "1", "NAP": 5, "nap": 6}]', "deux fois la valeur « nap »"),
        ('[1, "x", null]', "un objet JSON est attendu ici"),
        (
            '[{"nofacture": "1", "nap": 1e308, "ttc": 1, "datefact": "x"}]',
            "« nap » (« 1e308 ») n'est pas un montant",
        ),
        ('[{"nofacture": "1", "nap": 12.3451, "datefact": "x"}]', "a plus de deux décimales"),
        ('[{"nofacture": "1", "nap": %s, "datefact": "x"}]' % ("9" * 5000), "n'est pas un montant"),
    ],
)
def test_what_python_s_json_would_let_through(text: str, words: str) -> None:
    rows, errors, _warnings = read(text)
    assert not rows
    assert words in errors[0]


HOSTILE = {
    "cut": json.dumps([one()])[:-5],
    "cut between two": json.dumps([one(), one()])[: len(json.dumps(one())) + 2],
    "not JSON": "[nofacture: 1]",
    "two lists": json.dumps({"a": [one()], "b": [one()]}),
    "no list": json.dumps(one()),
    "JSON lines": json.dumps(one()) + "\n" + json.dumps(one()),
    "more after the end": json.dumps([one()]) + "[]",
    "NaN": '[{"nofacture": "1", "nap": NaN}]',
    "Infinity": '[{"nofacture": "1", "nap": -Infinity}]',
    "deep": "[" * 200_000 + "]" * 200_000,
    "deep inside": '[{"nofacture": ' + "[" * 100_000 + "]" * 100_000 + "}]",
    "deep objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "an endless text": '[{"nofacture": "' + "x" * (3 * MOST_ITEM) + '"}]',
    "an endless object": "[{" + ",".join(f'"k{n}": {n}' for n in range(60_000)) + "}]",
    "an endless key": '{"' + "x" * (3 * MOST_ITEM) + '": [1]}',
    "many values beside": "{" + ",".join(f'"k{n}": {n}' for n in range(2000)) + "}",
    "commas": "[" + "," * 1000 + "]",
    "a scalar": "12",
    "nothing": " ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_json_that_cannot_be_read(name: str) -> None:
    with memory() as peak, pytest.raises(FileError):
        list(FORMAT.rows(io.BytesIO(HOSTILE[name].encode())))
    assert peak() < 40 * MEGABYTE


def test_which_files_it_takes() -> None:
    sure = json.dumps([one()]).encode()
    assert recognised(sure[:HEAD], "factures.csv") is FORMAT
    for other in (
        b'{"number": "1"}',
        b'[{"nofacture": "1"}]',
        b"nofacture;datefact;nap\n",
        b"",
        b"%PDF",
        b"PK\x03\x04",
    ):
        assert FORMAT.recognise(other, "omega.json") is None


# --- write → read -----------------------------------------------------------------------------------

_WORD = st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x17F), min_size=1, max_size=20)
_INVOICE = st.fixed_dictionaries(
    {
        "name": _WORD.filter(lambda word: any(sign.isalpha() for sign in word)),
        "day": st.dates(min_value=date(2020, 1, 1), max_value=date(2090, 12, 31)),
        "cents": st.integers(1, 9_999_999),
        "as_text": st.booleans(),
        "debit": st.sampled_from(["N", "O", True, False, None]),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_INVOICE, max_size=8), st.sampled_from([None, 1]), st.booleans(), st.booleans())
def test_what_is_written_is_read(
    invoices: list[dict[str, Any]], indent: int | None, ascii_only: bool, under_a_key: bool
) -> None:
    written = []
    for n, made in enumerate(invoices):
        euros: object = made["cents"] / 100
        if made["as_text"]:
            euros = f"{made['cents'] // 100},{made['cents'] % 100:02}"
        day = made["day"].isoformat()
        written.append(
            one(
                **{
                    "nofacture": f"N{n}",
                    "numcontrat": f"C{n}",
                    "nompers": made["name"],
                    "exercice": made["day"].year,
                },
                **{
                    "datefact": day,
                    "datech": day,
                    "ttc": None,
                    "nap": euros,
                    "solde": euros,
                    "preleve": made["debit"],
                },
            )
        )
    content: Any = {"n": len(written), "factures": written} if under_a_key and written else written
    rows, errors, _warnings = read(json.dumps(content, indent=indent, ensure_ascii=ascii_only))
    assert not errors
    assert [
        (row.number, row.amount, row.last_name, row.issued_on, row.by_debit)
        for row in rows
        if isinstance(row, InvoiceRow)
    ] == [
        (f"N{n}", Decimal(made["cents"]) / 100, made["name"], made["day"], made["debit"] in ("O", True))
        for n, made in enumerate(invoices)
    ]


# --- a whole import, and many invoices ------------------------------------------------------------------


def test_an_import_up_to_the_invoices_online(town: Any) -> None:
    content = [
        one(),
        one(nofacture="2026-00002", numcontrat="C000102", nompers="DURAND Paul", preleve="O", mail=None),
    ]
    batch = services.create_batch(
        actor="system", rows_file=io.BytesIO(json.dumps(content).encode()), rows_name="omega.json"
    )
    processing.process_waiting()
    batch.refresh_from_db()
    assert (batch.format, batch.state) == ("omega", "ready"), sentences(batch)
    assert publish(batch).state == "published"
    found = Invoice.objects.order_by("number").select_related("payer")
    assert [(bill.number, bill.amount, bill.payer.reference, bill.online_hold) for bill in found] == [
        ("2026-00001", Decimal("37.50"), "C000101", ""),
        ("2026-00002", Decimal("37.50"), "C000102", "debit"),
    ]


def test_memory_does_not_grow_with_the_file() -> None:
    text = json.dumps([one(nofacture=f"N{n}", numcontrat=f"C{n}", extra="x" * 300) for n in range(20_000)])
    file = io.BytesIO(text.encode())
    del text
    with memory() as peak:
        assert sum(isinstance(item, InvoiceRow) for item in FORMAT.rows(file)) == 20_000
    assert peak() < 20 * MEGABYTE
