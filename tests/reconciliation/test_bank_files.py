"""Tables and XML as banks write them: how each row is read."""

import io
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.statements import services as statements
from tests.reconciliation.desk import DAY, bring, read, states
from tests.reconciliation.files import camt_of, entry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # 05
            "Date;Libellé;Débit;Crédit\n25/11/2026;VIR;0,00;69,90\n25/11/2026;FRAIS;5,00;0,00\n",
            [("69.90", False), ("5.00", True)],
        ),
        (  # 06
            "Date;Libellé;Débit;Crédit\n25/11/2026;VIR M OU MME BLANC, PAUL, ANNE, 3 RUE, 31000 TOULOUSE, C;;22,20\n"
            "26/11/2026;FRAIS;1,50;\n",
            [("22.20", False), ("1.50", True)],
        ),
        (  # 07
            "Date;Libellé;Débit;Crédit;;\n25/11/2026;VIR ROUX;;15,00;EUR;12\n25/11/2026;FRAIS;3,00;;EUR;12\n",
            [("15.00", False), ("3.00", True)],
        ),
        (  # 22
            "Date;Libellé;Montant\n2026/11/25;A;1,01\n20261125;B;1,02\n25/11/26 10:22;C;1,03\n25/11/2026;D;5,00-\n",
            [("1.01", False), ("1.02", False), ("1.03", False), ("5.00", True)],
        ),
        (
            "Date;Libellé;Montant\n25/11/2026;A;-5,00 €\n25/11/2026;B;(5,00)\n25/11/2026;C;5,00 D\n"
            "25/11/2026;D;+5,00\n",
            [("5.00", True), ("5.00", True), ("5.00", True), ("5.00", False)],
        ),
    ],
    ids=["05", "06", "07", "22", "signs"],
)
def test_what_banks_write(desk: SimpleNamespace, text: str, expected: list[tuple[str, bool]]) -> None:
    found = bring(desk, text, "bank")
    read_ = found.rows.values_list("amount", "outgoing", "booked_on__year")
    assert list(read_) == [(Decimal(amount), outgoing, 2026) for amount, outgoing in expected]


@pytest.mark.parametrize(
    ("cells", "words"),
    [("0,00;0,00", "est nul"), ("5,00;6,00", "un débit et un crédit à la fois"), (";", "est vide")],
)
def test_amounts_that_say_nothing(desk: SimpleNamespace, cells: str, words: str) -> None:
    found = bring(
        desk, f"Date;Libellé;Débit;Crédit\n25/11/2026;VIR;{cells}\n25/11/2026;FRAIS;5,00;\n", "bank"
    )
    assert states(found)[0] == "unreadable"
    assert words in found.rows.first().reason


def test_titles_and_separator_can_be_said(desk: SimpleNamespace) -> None:
    """No title is known and a label is full of commas. A table without titles is read too."""
    text = (
        "Jour;Quoi;Moins;Plus\n25/11/2026;BLANC, PAUL, ANNE, LILAS, TOULOUSE;;22,20\n26/11/2026;FRAIS;1,50;\n"
    )
    found = bring_as(desk, text, {"booked_on": "Jour", "label": "Quoi", "debit": "Moins", "amount": "Plus"})
    assert [row.amount for row in found.rows.all()] == [Decimal("22.20"), Decimal("1.50")]
    bare = "25/11/2026;BLANC, PAUL;22,20\n26/11/2026;ROUX;1,50\n"
    mapping = {"booked_on": "Colonne 1", "label": "Colonne 2", "amount": "Colonne 3"}
    assert bring_as(desk, bare, mapping).rows.count() == 2
    odd = "a|b;c|d\n25/11/2026|x;y|7,00\n"
    chosen = {"delimiter": "|", "titles_line": 1}
    found = bring_as(desk, odd, {"booked_on": "a", "label": "b;c", "amount": "d"}, **chosen)
    assert found.rows.get().label == "x;y"


def bring_as(desk: SimpleNamespace, text: str, mapping: dict[str, str], **more: Any) -> Statement:
    found, _new = statements.receive_statement(
        actor=desk.clerk, kind="bank", file=io.BytesIO(text.encode()), name="x.csv"
    )
    return read(desk, found, mapping=mapping, **more)


def test_a_day_without_movement(desk: SimpleNamespace) -> None:
    for text, name in ((camt_of(), "vide.xml"), ("Date;Libellé;Montant\n", "vide.csv")):
        found = bring(desk, text, "bank", name)
        assert (found.state, found.new_count, found.problem) == ("done", 0, "")


def test_structured_remittance_names_its_invoice(desk: SimpleNamespace) -> None:
    bill, cut = desk.bills[0], desk.bills[1]
    strd = (
        "<RmtInf><Strd><RfrdDocInf><Nb>{}</Nb></RfrdDocInf><AddtlRmtInf>Cantine</AddtlRmtInf></Strd></RmtInf>"
    )
    first = entry("10.00", details=[("", "X", "")], reference="A").replace(
        "<RmtInf><Ustrd>X</Ustrd></RmtInf>", strd.format(bill.number)
    )
    first = first.replace("</RltdPties>", "<UltmtDbtr><Nm>ENFANT</Nm></UltmtDbtr></RltdPties>").replace(
        "<Dbtr><Nm></Nm></Dbtr>", "<Dbtr><Nm>PARENT</Nm></Dbtr>"
    )
    halves = f"{cut.number[:9]}</Ustrd><Ustrd>{cut.number[9:]} MERCI"
    second = entry("20.00", details=[("", halves, "")], reference="B")
    found = bring(desk, camt_of(first, second), "bank", "r.xml")
    assert [row.invoice for row in found.rows.all()] == [bill, cut]
    assert found.rows.first().payer_name == "PARENT / ENFANT"
    assert "Cantine" in found.rows.first().label


def test_hours_of_banks_are_utc(desk: SimpleNamespace) -> None:
    late = entry("10.00").replace("<Dt>2026-11-12</Dt>", "<DtTm>2026-11-12T23:30:00Z</DtTm>")
    assert bring(desk, camt_of(late), "bank", "r.xml").rows.get().booked_on == DAY + timedelta(days=1)
    text = "Date;Libellé;Montant\n2026-11-12T23:30:00+00:00;VIR;7,00\n"
    assert bring(desk, text, "bank").rows.get().booked_on == DAY + timedelta(days=1)
