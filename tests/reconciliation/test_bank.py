"""The bank statement compared with what we booked: transfers, deposits, the total of a day, names in a label."""

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import book_payment
from tenant_apps.payments.counter.deposits import close_deposit
from tenant_apps.payments.models import Means
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import NotPossible
from tests.reconciliation.desk import DAY, bring, euros, online, read_all, states, transfer
from tests.reconciliation.files import camt_of, entry
from toolkit.scope import EVERYTHING


def test_a_bank_statement(desk: SimpleNamespace) -> None:
    named = transfer(desk, desk.bills[0])
    transfer(desk, desk.bills[1])
    cheques = [
        book_payment(actor=desk.clerk, lines=[Part(bill, bill.amount)], means=Means.CHEQUE, paid_on=DAY)[0]
        for bill in desk.bills[2:3]
    ]
    docket = close_deposit(
        actor=desk.clerk, means=Means.CHEQUE, payments=[one.uuid for one in cheques], deposited_on=DAY
    )
    text = camt_of(
        entry("10.00", details=[("", f"VIR {desk.bills[0].number}", "M DUPRE")], reference="R1"),
        entry("20.00", details=[("", "VIREMENT", "INCONNU")], reference="R2"),
        entry("30.00", day="2026-11-14", details=[("", "REMISE CHEQUES", "")], reference="R3"),
        entry("40.00", details=[("", f"FACTURE {desk.bills[3].reference}", "AUTRE")], reference="R4"),
        entry("3.00", side="DBIT", reference="R5"),
        entry("99.00", details=[("", "DIVERS", "")], reference="R6"),
    )
    found = bring(desk, text, "bank", "releve.xml")
    assert states(found) == ["matched", "doubtful", "matched", "doubtful", "ignored", "unmatched"]
    rows = list(found.rows.all())
    assert rows[0].payment == named
    assert rows[2].deposit == docket
    assert rows[3].invoice == desk.bills[3]
    services.book_row(actor=desk.clerk, row=rows[3], invoice=desk.bills[3], means=Means.TRANSFER)
    desk.bills[3].refresh_from_db()
    assert desk.bills[3].is_paid
    later = camt_of(
        entry("99.00", details=[("", "DIVERS", "")], reference="R6"), entry("1.00", reference="R7")
    )
    assert bring(desk, later, "bank", "suite.xml").known_count == 1


@pytest.mark.parametrize(
    ("number", "label", "state"),
    [
        ("1", "FACTURE 2026-11 VIR", "doubtful"),  # a 1 may be in any label
        ("4567", "VIR 1234567", "doubtful"),
        ("R-4567", "VIR R-4567 MERCI", "matched"),
    ],
)
def test_a_transfer_s_number_names_it_whole(
    desk: SimpleNamespace, number: str, label: str, state: str
) -> None:
    transfer(desk, desk.bills[0], number=number)
    found = bring(desk, camt_of(entry("10.00", details=[("", label, "INCONNU")])), "bank", "releve.xml")
    assert states(found) == [state]


@pytest.mark.parametrize(
    ("label", "state"),
    [
        ("VIR SEPA MME BLANC MARIE CANTINE OCTOBRE", "doubtful"),
        ("VIR SEPA M LUC MARIE CANTINE", "matched"),
        ("VIR SEPA M MARIÉ Luc", "matched"),
        ("VIR SEPA MARIE", "doubtful"),
    ],
)
def test_one_word_is_no_name(
    desk: SimpleNamespace, make_payer: Any, make_invoice: Callable[..., Invoice], label: str, state: str
) -> None:
    bill = make_invoice(make_payer(last_name="MARIE", first_name="Luc"), amount="25.50")
    transfer(desk, bill)
    text = f"Date;Libellé;Débit;Crédit\n12/11/2026;{label};;25,50\n"
    assert states(bring(desk, text, "bank")) == [state]


def test_the_day_s_total_of_a_regie_is_its_card_payments(
    desk: SimpleNamespace, make_invoice: Callable[..., Invoice]
) -> None:
    bills = [make_invoice(desk.payer, amount=f"{n}.10") for n in range(1, 10)]
    payments = [online(bill, desk.alice) for bill in bills]
    total = sum(payment.amount for payment in payments)
    text = f"Date;Libellé;Crédit\n13/11/2026;VIR DGFIP REGIE {bills[0].product.numcli} 9 OP;{euros(Decimal(total))}\n"
    found = bring(desk, text, "bank")
    row = found.rows.get()
    assert row.state == "doubtful"
    assert "total de 9 règlements par carte bancaire du 12/11/2026" in row.reason
    (offer,) = queries.totals(EVERYTHING, row)
    services.match_total(actor=desk.clerk, row=row, total=offer)
    assert states(found) == ["matched"]
    assert list(queries.parts(row)) == payments
    with pytest.raises(NotPossible):
        services.match_total(actor=desk.clerk, row=row, total=offer)
    assert not queries.totals(EVERYTHING, row)  # these payments are on a row now
    cancel_payment(actor=desk.clerk, payment=payments[3], reason="erreur")
    read_all()
    assert states(found) == ["doubtful"]
    services.reopen_row(actor=desk.clerk, row=row)
    assert not queries.parts(row).exists()


@pytest.mark.parametrize("title", ["Sens", "Débit/Crédit", "Truc"])
def test_a_direction_column(desk: SimpleNamespace, title: str) -> None:
    bill = desk.bills[0]
    text = (
        f"Date;Libellé;Montant;{title}\n25/11/2026;VIR RECU {bill.number};10,00;C\n"
        f"26/11/2026;VIR REJETE RETOUR {desk.bills[1].number};33,30;D\n26/11/2026;FRAIS;22,20;D\n"
    )
    found = bring(desk, text, "bank")
    assert list(found.rows.values_list("outgoing", flat=True)) == [False, True, True]
    assert states(found) == ["doubtful", "doubtful", "ignored"]


def test_a_direction_that_is_not_known_waits(desk: SimpleNamespace) -> None:
    transfer(desk, desk.bills[0])
    text = f"Date;Libellé;Montant;Sens\n12/11/2026;VIR {desk.bills[0].number};10,00;X\n"
    found = bring(desk, text, "bank")
    assert states(found) == ["doubtful"]
    assert "Son sens, « X »" in found.rows.get().reason
