"""Files as banks and the Treasury write them: what each line must become, and what nobody may do of it."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.credits import cancel_invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import PaymentDetails, book_payment
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.statement_rows import taken_back
from tenant_apps.reconciliation.statements import services as statements
from tenants.models import AgendaItem
from tests.reconciliation.files import camt_of, entry
from tests.reconciliation.test_services import DAY, again, bring, online, read, states, tried
from tests.reconciliation.test_services import desk as desk
from toolkit import clock

JOURNAL = "Date;Montant;idOp;Refdet;Résultat\n"


def euros(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


def paid(invoice: Invoice, state: str, *, idop: str = "", day: date = DAY, sign: str = "") -> str:
    return f"{day:%d/%m/%Y};{sign}{euros(invoice.amount)};{idop};{invoice.reference};{state}\n"


def transfer(
    desk: SimpleNamespace, invoice: Invoice, *, number: str = "", means: Means = Means.TRANSFER
) -> Payment:
    return book_payment(
        actor=desk.clerk,
        lines=[Part(invoice, invoice.amount)],
        means=means,
        paid_on=DAY,
        details=PaymentDetails(number=number),
    )[0]


def balance(invoice: Invoice) -> Decimal:
    invoice.refresh_from_db()
    return invoice.balance


# --- 1: what a journal says of each payment, in a column of its own ----------------------------------


@pytest.mark.parametrize(
    "word", ["Abandonné", "Refusée", "En attente", "R", "Carte refusée", "Échec", "Non payé"]
)
def test_not_paid_is_no_money(desk: SimpleNamespace, word: str) -> None:
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    found = bring(desk, JOURNAL + paid(desk.bills[0], word))
    assert states(found) == ["ignored"]
    assert word in found.rows.get().reason
    attempt.refresh_from_db()
    assert attempt.state == "reported"
    assert not Payment.objects.exists()


@pytest.mark.parametrize("word", ["Mystère", "", "Payé partiellement", "À payer", "12"])
def test_a_word_that_is_not_known_to_mean_paid_waits(desk: SimpleNamespace, word: str) -> None:
    """It confirms nothing by itself, also when it is looked at again."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    known = online(desk.bills[1], desk.alice)
    text = JOURNAL + paid(desk.bills[0], word) + paid(desk.bills[1], word, idop=known.attempt.operation)
    found = bring(desk, text)
    for _ in range(2):
        assert states(found) == ["doubtful", "doubtful"]
        assert f"« {word or 'vide'} »" in found.rows.first().reason
        again(desk, found)
    attempt.refresh_from_db()
    assert attempt.state == "reported"


@pytest.mark.parametrize("word", ["P", "V", "Payé", "Paiement accepté", "réglée", "PAYÉ PAR CARTE", "OK"])
def test_words_for_paid_are_money(desk: SimpleNamespace, word: str) -> None:
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    assert states(bring(desk, JOURNAL + paid(desk.bills[0], word))) == ["matched"]
    attempt.refresh_from_db()
    assert attempt.state == "paid"


def test_a_state_in_a_column_that_is_not_read_is_a_doubt(desk: SimpleNamespace) -> None:
    """Its title is unknown and one row of it is fine: the others are not overlooked."""
    tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    found = bring(
        desk, JOURNAL.replace("Résultat", "Obs") + paid(desk.bills[0], "Abandonné") + paid(desk.bills[1], "x")
    )
    assert states(found) == ["doubtful", "unmatched"]
    assert "La colonne « Obs », qui n'est pas lue, dit « Abandonné »" in found.rows.first().reason
    assert not Payment.objects.exists()


def test_states_are_known_by_what_the_column_holds(desk: SimpleNamespace) -> None:
    text = JOURNAL.replace("Résultat", "Obs") + paid(desk.bills[0], "Abandonné") + paid(desk.bills[1], "Payé")
    assert states(bring(desk, text)) == ["ignored", "unmatched"]


# --- 5, 10: paid twice, or for a cancelled invoice ---------------------------------------------------


def test_a_debt_paid_twice_is_left_over(desk: SimpleNamespace) -> None:
    bill = desk.bills[0]
    online(bill, desk.alice)
    found = bring(desk, JOURNAL + paid(bill, "P", idop="op-elsewhere"))
    row = found.rows.get()
    assert (row.state, row.invoice) == ("doubtful", bill)
    assert "trop-perçu" in row.reason
    services.book_row(actor=desk.clerk, row=row, invoice=bill, means=Means.CARD)
    extra = Payment.objects.get(provider="journal")
    assert (extra.unallocated, extra.payer, extra.amount) == (10, bill.payer, 10)
    row.refresh_from_db()
    assert (row.state, row.payment) == ("matched", extra)
    assert "trop-perçu" in row.reason
    with pytest.raises(NotPossible):
        services.book_row(actor=desk.clerk, row=row, invoice=bill, means=Means.CARD)
    assert Payment.objects.count() == 2


def test_a_payment_for_a_cancelled_invoice_is_left_over(desk: SimpleNamespace) -> None:
    bill = desk.bills[3]
    cancel_invoice(actor=desk.clerk, invoice=bill, reason="séjour annulé")
    found = bring(desk, JOURNAL + paid(bill, "P"))
    row = found.rows.get()
    assert row.invoice == bill
    assert f"La facture {bill.number} est annulée par un avoir" in row.reason
    bill.refresh_from_db()
    services.book_row(actor=desk.clerk, row=row, invoice=bill, means=Means.CARD)
    assert Payment.objects.get().unallocated == 40


def test_an_invoice_that_is_not_published_takes_no_money(desk: SimpleNamespace) -> None:
    found = bring(desk, JOURNAL + paid(desk.bills[0], "P"))
    Invoice.objects.filter(pk=desk.bills[0].pk).update(state="draft")
    desk.bills[0].refresh_from_db()
    with pytest.raises(NotPossible, match="pas en ligne"):
        services.book_row(actor=desk.clerk, row=found.rows.get(), invoice=desk.bills[0], means=Means.CARD)


# --- 6, 11, 12: money taken back ---------------------------------------------------------------------


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
    """Both lines stay explained: the money came, and went."""
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
    assert not queries.absent_from_journal(DAY, DAY + timedelta(days=9))


@pytest.mark.parametrize("word", ["Impayé", "Remboursé", "Rejet prélèvement", "Contestation"])
def test_taken_back_by_a_word_alone(desk: SimpleNamespace, word: str) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, JOURNAL + paid(desk.bills[0], word, day=DAY + timedelta(days=2)))
    row = found.rows.get()
    assert (row.state, row.payment, row.returned) == ("doubtful", payment, True)


def test_cancelled_before_it_was_paid_or_after(desk: SimpleNamespace) -> None:
    """« Annulé » of an earlier attempt is no money; of a payment that we hold, a person must look."""
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
    services.reopen_row(actor=desk.clerk, row=edf)  # a person may know better than the reading
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


# --- 7: a statement has an account, a line its identity ----------------------------------------------


def test_refused_on_monday_paid_on_tuesday(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice, day=DAY + timedelta(days=1))
    idop = payment.attempt.operation
    monday = bring(desk, JOURNAL + paid(desk.bills[0], "R", idop=idop))
    tuesday = bring(desk, JOURNAL + paid(desk.bills[0], "P", idop=idop, day=DAY + timedelta(days=1)))
    assert (states(monday), states(tuesday)) == (["ignored"], ["matched"])
    assert tuesday.rows.get().payment == payment


ACCOUNT = "Compte {};;\n\nDate;Libellé;Montant\n12/11/2026;REMISE DE CHEQUES;250,00\n"


def test_equal_lines_of_two_accounts_are_two(desk: SimpleNamespace) -> None:
    one = bring(desk, ACCOUNT.format("00011111111"), "bank")
    other = bring(desk, ACCOUNT.format("00022222222"), "bank")
    assert (one.account, other.account) == ("00011111111", "00022222222")
    assert (one.new_count, other.new_count, other.known_count) == (1, 1, 0)
    bare = ACCOUNT.split("\n\n")[1]
    third = bring(desk, bare, "bank", "piscine.csv", account="Régie piscine")
    fourth = bring(desk, bare, "bank", "cantine.csv", account="Régie cantine")  # the same bytes
    assert third.pk != fourth.pk
    assert fourth.new_count == 1
    # One account, however it is written: the equal line of the other extract is asked about.
    assert states(bring(desk, bare + "\n", "bank", "piscine2.csv", account="regie PISCINE")) == ["duplicate"]


def test_two_extracts_of_one_day(desk: SimpleNamespace) -> None:
    """An overlap is known in silence; two parts of a day leave an equal line to a person."""
    titles = "Date;Libellé;Montant\n"
    equal, other = "12/11/2026;REMISE CB;10,00\n", "12/11/2026;REMISE CB;{},00\n"
    morning = bring(desk, titles + equal + other.format(11), "bank")
    evening = bring(desk, titles + other.format(12) + equal, "bank")
    assert (states(morning), states(evening)) == (["unmatched"] * 2, ["unmatched", "duplicate"])
    doubt = evening.rows.last()
    assert "est-ce la même ?" in doubt.reason
    services.other_operation(actor=desk.clerk, row=doubt)
    whole = bring(desk, titles + equal * 2 + other.format(11) + other.format(12), "bank")
    assert states(whole) == ["known"] * 4
    more = bring(desk, titles + equal * 3, "bank")
    assert states(more) == ["duplicate", "duplicate", "unmatched"]


def test_a_known_line_is_shown_and_can_be_another_operation(desk: SimpleNamespace) -> None:
    text = "Date;Libellé;Montant\n12/11/2026;REMISE CB;10,00\n12/11/2026;REMISE CB;11,00\n"
    bring(desk, text, "bank")
    found = bring(desk, text + "\n", "bank")
    row = found.rows.first()
    assert row.state == "known"
    services.other_operation(actor=desk.clerk, row=row)
    found.refresh_from_db()
    assert (states(found), found.new_count, found.known_count) == (["unmatched", "known"], 1, 1)


# --- 8: direction, columns, undo ---------------------------------------------------------------------


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


def test_an_import_is_withdrawn_until_money_is_booked_from_it(desk: SimpleNamespace) -> None:
    first = bring(desk, JOURNAL + paid(desk.bills[0], "P") + paid(desk.bills[1], "P"))
    later = bring(desk, JOURNAL + paid(desk.bills[1], "P") + paid(desk.bills[2], "P"))
    assert states(later) == ["known", "unmatched"]
    gone = statements.withdraw_statement(actor=desk.clerk, statement=first)
    assert (gone.state, gone.new_count, gone.rows.count()) == ("received", 0, 0)
    read_all()
    later.refresh_from_db()
    assert (states(later), later.new_count, later.known_count) == (["unmatched"] * 2, 2, 0)
    # Imported again with its columns put right, and then it knows the other's.
    assert states(read(desk, gone)) == ["unmatched", "known"]
    services.book_row(actor=desk.clerk, row=first.rows.first(), invoice=desk.bills[0], means=Means.CARD)
    with pytest.raises(NotPossible, match="ligne 2"):
        statements.withdraw_statement(actor=desk.clerk, statement=first)
    cancel_payment(actor=desk.clerk, payment=Payment.objects.get(), reason="erreur")
    statements.withdraw_statement(actor=desk.clerk, statement=first)
    statements.discard_statement(actor=desk.clerk, statement=first)
    assert not Statement.objects.filter(pk=first.pk).exists()
    with pytest.raises(NotPossible):
        statements.discard_statement(actor=desk.clerk, statement=later)


def read_all() -> None:
    from tenant_apps.reconciliation.statements import processing

    processing.process_waiting()


# --- 9: names, cancelled payments, days to come ------------------------------------------------------


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


def test_days_to_come_are_never_booked(desk: SimpleNamespace) -> None:
    soon = clock.today() + timedelta(days=30)
    attempt = tried(desk.bills[1], desk.alice, "reported", protocol="tipi")
    found = bring(desk, JOURNAL + paid(desk.bills[0], "P", day=soon) + paid(desk.bills[1], "P", day=soon))
    assert states(found) == ["doubtful", "doubtful"]
    assert "à venir" in found.rows.first().reason
    attempt.refresh_from_db()
    assert attempt.state == "reported"
    with pytest.raises(NotPossible, match="à venir"):
        services.book_row(actor=desk.clerk, row=found.rows.first(), invoice=desk.bills[0], means=Means.CARD)
    with pytest.raises(NotPayable, match="à venir"):
        book_payment(
            actor=desk.clerk, lines=[Part(desk.bills[0], Decimal(1))], means=Means.CASH, paid_on=soon
        )
    assert not Payment.objects.exists()


# --- 20: the day's total -----------------------------------------------------------------------------


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
    (offer,) = queries.totals(row)
    services.match_total(actor=desk.clerk, row=row, total=offer)
    assert states(found) == ["matched"]
    assert list(queries.parts(row)) == payments
    with pytest.raises(NotPossible):
        services.match_total(actor=desk.clerk, row=row, total=offer)
    assert not queries.totals(row)  # they are on a line now
    cancel_payment(actor=desk.clerk, payment=payments[3], reason="erreur")
    read_all()
    assert states(found) == ["doubtful"]
    services.reopen_row(actor=desk.clerk, row=row)
    assert not queries.parts(row).exists()


# --- 12: reading -------------------------------------------------------------------------------------


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
    """No title is known and a label is full of commas; a table without titles at all is read too."""
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
