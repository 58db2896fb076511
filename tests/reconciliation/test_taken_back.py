"""Money taken back by the bank or the Treasury, and rows whose payment was cancelled."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from shared_apps.mail.models import OutgoingMail
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.statement_rows import taken_back
from tenants.models import AgendaItem
from tests.reconciliation.desk import DAY, JOURNAL, balance, bring, online, paid, read_all, states, transfer
from tests.reconciliation.files import camt_of, entry
from toolkit.scope import EVERYTHING


def returned(
    amount: str, words: str, *, code: str = "AM04", side: str = "DBIT", day: str = "2026-11-27"
) -> str:
    inside = f"<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf>" if code else ""
    found = entry(amount, side=side, day=day, details=[("", words, "")], reference=f"R{amount}")
    found = found.replace("<RmtInf>", inside + "<RmtInf>")
    return found.replace("</CdtDbtInd>", "</CdtDbtInd><RvslInd>true</RvslInd>")


def test_a_returned_debit_waits_beside_its_payment(desk: SimpleNamespace) -> None:
    bill = desk.bills[0]
    payment = online(bill, desk.alice)
    Payment.objects.filter(pk=payment.pk).update(means=Means.DEBIT)
    found = bring(desk, camt_of(returned("10.00", f"REJET PRELEVEMENT {bill.number}")), "bank", "r.xml")
    row = found.rows.get()
    assert (row.state, row.payment) == ("doubtful", payment)
    assert "revenu impayé : annulez-le ? Motif : la provision est insuffisante (AM04)." in row.reason
    with pytest.raises(NotPossible, match="reparti"):
        services.book_row(actor=desk.clerk, row=row, invoice=bill, means=Means.TRANSFER)
    taken_back.take_back(actor=desk.clerk, row=row, payment=payment)
    payment.refresh_from_db()
    assert "27/11/2026 : la provision est insuffisante (AM04)" in payment.cancel_reason
    assert balance(bill) == 10
    assert OutgoingMail.objects.filter(kind="payment-cancelled").count() == 1
    assert states(found) == ["matched"]
    with pytest.raises(NotPossible):
        taken_back.take_back(actor=desk.clerk, row=row, payment=payment)


def test_a_chargeback_in_the_journal(desk: SimpleNamespace) -> None:
    """Both rows keep their payment: the money came, and went back."""
    payment = online(desk.bills[0], desk.alice)
    idop = payment.attempt.operation
    back = paid(desk.bills[0], "Impayé", idop=idop, day=DAY + timedelta(days=1), sign="-")
    found = bring(desk, JOURNAL + paid(desk.bills[0], "P", idop=idop) + back)
    assert states(found) == ["matched", "doubtful"]
    row = found.rows.last()
    assert (row.payment, row.return_reason) == (payment, "Impayé")
    taken_back.take_back(actor=desk.clerk, row=row, payment=payment)
    assert states(found) == ["matched", "matched"]
    assert balance(desk.bills[0]) == 10
    assert not queries.absent_from_journal(EVERYTHING, DAY, DAY + timedelta(days=9))


@pytest.mark.parametrize("word", ["Impayé", "Remboursé", "Rejet prélèvement", "Contestation"])
def test_taken_back_by_a_word_alone(desk: SimpleNamespace, word: str) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, JOURNAL + paid(desk.bills[0], word, day=DAY + timedelta(days=2)))
    row = found.rows.get()
    assert (row.state, row.payment, row.returned) == ("doubtful", payment, True)


def test_cancelled_before_it_was_paid_or_after(desk: SimpleNamespace) -> None:
    """« Annulé » before the payment is not about money; after a payment that we have, a person must decide."""
    payment = online(desk.bills[0], desk.alice)
    before = paid(desk.bills[0], "Annulé", day=DAY - timedelta(days=1))
    after = paid(desk.bills[0], "Annulé", day=DAY + timedelta(days=1))
    found = bring(desk, JOURNAL + before + after + paid(desk.bills[1], "Annulé"))
    assert states(found) == ["ignored", "doubtful", "ignored"]
    assert found.rows.all()[1].payment == payment


def test_an_unpaid_cheque_by_its_number_and_a_fee(desk: SimpleNamespace) -> None:
    cheque = transfer(desk, desk.bills[0], number="0012", means=Means.CHEQUE)
    text = (
        "Date;Libellé;Montant;Sens\n26/11/2026;CHEQUE IMPAYE 0012;10,00;D\n"
        "26/11/2026;FRAIS CHEQUE IMPAYE 0012;8,00;D\n26/11/2026;PRLV EDF;120,00;D\n26/11/2026;REJET INCONNU;9,00;D\n"
    )
    found = bring(desk, text, "bank")
    assert states(found) == ["doubtful", "ignored", "ignored", "doubtful"]
    first, _fee, edf, last = found.rows.all()
    assert first.payment == cheque
    assert "nous ne trouvons pas le règlement" in last.reason
    services.reopen_row(actor=desk.clerk, row=edf)  # a person may correct the reading
    assert states(found)[2] == "doubtful"
    with pytest.raises(NotPossible, match="reparti"):
        services.match_row(actor=desk.clerk, row=last, payment=cheque)


def test_part_of_a_payment_taken_back_cancels_nothing(desk: SimpleNamespace) -> None:
    payment = transfer(desk, desk.bills[1])
    found = bring(desk, camt_of(returned("5.00", desk.bills[1].number)), "bank", "r.xml")
    assert "pour un autre montant" in found.rows.get().reason
    with pytest.raises(NotPossible, match="ne reprend que"):
        taken_back.take_back(actor=desk.clerk, row=found.rows.get(), payment=payment)
    payment.refresh_from_db()
    assert payment.cancelled_at is None


def test_already_cancelled_by_hand(desk: SimpleNamespace) -> None:
    payment = transfer(desk, desk.bills[0])
    came = bring(desk, camt_of(entry("10.00", details=[("", desk.bills[0].number, "")])), "bank", "a.xml")
    cancel_payment(actor=desk.clerk, payment=payment, reason="rejeté")
    read_all()
    assert states(came) == ["doubtful"]
    found = bring(desk, camt_of(returned("10.00", desk.bills[0].number, code="MD06")), "bank", "r.xml")
    assert "déjà annulé" in found.rows.get().reason
    assert "le débiteur a demandé le remboursement (MD06)" in found.rows.get().reason
    taken_back.take_back(actor=desk.clerk, row=found.rows.get(), payment=payment)
    assert states(found) == states(came) == ["matched"]
    payment.refresh_from_db()
    assert payment.cancel_reason == "rejeté"


@pytest.mark.parametrize("kind", ["bank", "journal"])
def test_the_line_of_a_cancelled_payment_waits_again(desk: SimpleNamespace, kind: str) -> None:
    bill = desk.bills[0]
    if kind == "bank":
        payment = transfer(desk, bill)
        found = bring(desk, f"Date;Libellé;Crédit\n12/11/2026;VIR {bill.number};10,00\n", "bank")
    else:
        payment = online(bill, desk.alice)
        found = bring(desk, JOURNAL + paid(bill, "P", idop=payment.attempt.operation))
    assert states(found) == ["matched"]
    cancel_payment(actor=desk.clerk, payment=payment, reason="saisi par erreur")
    assert AgendaItem.objects.filter(kind="statements").exists()
    read_all()
    assert states(found) == ["doubtful"]
    assert "saisi par erreur" in found.rows.get().reason
