"""The Treasury's journal and the bank's statement beside what we booked: nothing twice, nothing lost, in words."""

import io
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.books.ledger import write_receipt
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import PaymentDetails, book_payment
from tenant_apps.payments.counter.deposits import close_deposit
from tenant_apps.payments.models import Allocation, Attempt, Means, Payment
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import CannotRead, NotPossible
from tenant_apps.reconciliation.figures import accountant_rows, day_figures
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.statements import processing
from tenant_apps.reconciliation.statements.services import ask_import, look_again, receive_statement
from tests.races import at_once
from tests.reconciliation.files import camt_of, entry
from toolkit import clock

DAY = date(2026, 11, 12)
TITLES = "Date;Montant;idOp;Refdet;Numauto;Numcli;Moyen\n"


@pytest.fixture
def desk(
    town: Any, make_account: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> SimpleNamespace:
    alice = make_account("alice@example.net")
    return SimpleNamespace(
        alice=alice,
        clerk=make_account("clerk@example.net", role=Role.CLERK),
        payer=(payer := make_payer(alice, last_name="DUPRE")),
        bills=[make_invoice(payer, amount=amount) for amount in ("10", "20", "30", "40")],
    )


def tried(invoice: Invoice, account: Account, state: str = "paid", *, protocol: str = "payfip") -> Attempt:
    return Attempt.objects.create(
        invoice=invoice, account=account, product=invoice.product, provider=protocol, state=state,
        merchant="001964", fiscal_year="2026", reference=invoice.reference, label="Facture", mode="W",
        amount=invoice.amount, email=account.email, free_at=timezone.now(),
        operation=f"op-{invoice.pk}" if protocol == "payfip" else None,
    )  # fmt: skip


def online(invoice: Invoice, account: Account, *, day: date = DAY, protocol: str = "payfip") -> Payment:
    attempt = tried(invoice, account, protocol=protocol)
    payment = Payment.objects.create(
        attempt=attempt, product=attempt.product, provider=protocol,
        provider_reference=attempt.operation or str(attempt.uuid), means=Means.CARD, amount=invoice.amount,
        paid_on=day, recorded_by="treasury", authorization="A1", payer=invoice.payer,
    )  # fmt: skip
    write_receipt(
        payment, [Allocation.objects.create(payment=payment, invoice=invoice, amount=invoice.amount)]
    )
    return payment


def csv_line(
    invoice: Invoice,
    *,
    idop: str = "",
    amount: str = "",
    day: date = DAY,
    reference: str = "",
    number: str = "A1",
) -> str:
    money = amount or f"{invoice.amount}".replace(".", ",")
    return f"{day:%d/%m/%Y};{money};{idop};{reference or invoice.reference};{number};001964;CB\n"


def bring(
    desk: SimpleNamespace, text: str, kind: str = "journal", name: str = "journal.csv", **more: str
) -> Statement:
    """A file sent, its columns as they are guessed, read by the worker to its end."""
    file = io.BytesIO(text.encode())
    statement, _new = receive_statement(actor=desk.clerk, kind=kind, file=file, name=name, **more)
    return read(desk, statement)


def read(desk: SimpleNamespace, statement: Statement, **more: Any) -> Statement:
    """Imported with its own mapping, or the one given. Raises CannotRead."""
    asked = {"mapping": statement.mapping, **more}
    found = ask_import(actor=desk.clerk, statement=statement, **asked)
    processing.process_waiting()
    found.refresh_from_db()
    if found.problem:
        raise CannotRead(found.problem)
    return found


def again(desk: SimpleNamespace, statement: Statement) -> int:
    """« Chercher de nouveau »; how many lines are matched now that were not."""
    before = statement.rows.filter(state="matched").count()
    look_again(actor=desk.clerk, statement=statement)
    processing.process_waiting()
    statement.refresh_from_db()
    return statement.rows.filter(state="matched").count() - before


def states(statement: Statement) -> list[str]:
    return list(statement.rows.values_list("state", flat=True))


def test_by_idop_by_reference_and_unknown(desk: SimpleNamespace) -> None:
    first, second = online(desk.bills[0], desk.alice), online(desk.bills[1], desk.alice, protocol="tipi")
    text = (
        TITLES
        + csv_line(desk.bills[0], idop=first.attempt.operation, reference="AUTRE1")
        + csv_line(desk.bills[1])
    )
    text += csv_line(desk.bills[2]) + csv_line(desk.bills[3], reference="INCONNUE1")
    found = bring(desk, text)
    assert states(found) == ["matched", "matched", "unmatched", "unmatched"]
    rows = list(found.rows.all())
    assert (rows[0].payment, rows[1].payment) == (first, second)
    assert rows[2].invoice == desk.bills[2]  # paid without us: one press books it
    assert "sans passer par le portail" in rows[2].reason
    assert (found.first_day, found.last_day, found.new_count) == (DAY, DAY, 4)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"amount": "9,99"}, "doubtful", "nous avons enregistré 10,00"),
        ({"idop": "", "amount": "9,99"}, "doubtful", "le montant ou la date diffère"),
        ({"idop": "", "day": DAY - timedelta(days=30), "number": "B2"}, "doubtful", "la date diffère"),
    ],
)
def test_doubtful_in_words(desk: SimpleNamespace, change: dict[str, Any], state: str, words: str) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, TITLES + csv_line(desk.bills[0], **{"idop": payment.attempt.operation, **change}))
    assert states(found) == [state]
    assert words in found.rows.get().reason.replace("\xa0", " ")


def test_a_cancelled_payment_is_doubtful(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice)
    cancel_payment(actor=desk.clerk, payment=payment, reason="prélèvement rejeté")
    assert states(bring(desk, TITLES + csv_line(desk.bills[0], idop=payment.attempt.operation))) == [
        "doubtful"
    ]


def test_the_same_operation_twice_is_a_duplicate(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, TITLES + csv_line(desk.bills[0], idop=payment.attempt.operation) * 2)
    assert states(found) == ["matched", "duplicate"]
    assert states(bring(desk, TITLES + csv_line(desk.bills[0], day=DAY + timedelta(days=1)))) == ["duplicate"]


def test_the_same_file_and_an_overlapping_one(desk: SimpleNamespace) -> None:
    for bill in desk.bills:
        online(bill, desk.alice)
    text = TITLES + csv_line(desk.bills[0]) + csv_line(desk.bills[1])
    first = bring(desk, text)
    again = bring(desk, text, name="copie.csv")
    assert again == first
    assert StatementRow.objects.count() == 2
    other = bring(desk, TITLES + csv_line(desk.bills[1]) + csv_line(desk.bills[2]))
    assert (other.new_count, other.known_count) == (1, 1)
    assert states(other) == ["known", "matched"]
    assert StatementRow.objects.exclude(state="known").count() == 3
    assert AuditEntry.objects.filter(verb="statement.imported").count() == 2


def test_bad_rows_are_kept(desk: SimpleNamespace) -> None:
    found = bring(desk, TITLES + csv_line(desk.bills[0]) + "hier;10,00;;X;;;\n" + csv_line(desk.bills[1]))
    assert states(found) == ["unmatched", "unreadable", "unmatched"]
    bad = found.rows.get(state="unreadable")
    assert (bad.number, bad.raw[0]) == (3, ["Date", "hier"])
    assert (found.first_day, found.last_day) == (DAY, DAY)
    services.ignore_row(actor=desk.clerk, row=bad, reason="ligne de test du Trésor")
    with pytest.raises(NotPossible):
        services.reopen_row(actor=desk.clerk, row=bad)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "vide"), (b"une phrase", "pas un tableau"), (b"A;B\n1;2\n", "Dites quelle colonne")],
)
def test_what_cannot_be_imported_leaves_nothing(desk: SimpleNamespace, content: bytes, words: str) -> None:
    with pytest.raises(CannotRead, match=words):
        bring(desk, content.decode())
    assert not StatementRow.objects.exists()


def test_the_mapping_is_kept_for_the_next_file(desk: SimpleNamespace) -> None:
    def receive(text: str) -> Statement:
        file = io.BytesIO(text.encode())
        return receive_statement(actor=desk.clerk, kind="journal", file=file, name="x.csv")[0]

    first = receive("Le jour;Combien;Quoi\n12/11/2026;10,00;2026001000001\n")
    assert first.mapping == {}
    wanted = {"booked_on": "Le jour", "amount": "Combien", "reference": "Quoi"}
    read(desk, first, mapping=wanted)
    assert receive("Le jour;Combien;Quoi\n13/11/2026;11,00;2026001000002\n").mapping == wanted


def test_the_journal_confirms_what_tipi_announced(desk: SimpleNamespace) -> None:
    """That is what « announced » waits for; payments' own service books it, at the journal's day."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    other = tried(desk.bills[1], desk.alice, "reported", protocol="tipi")
    day = DAY - timedelta(days=2)
    found = bring(desk, TITLES + csv_line(desk.bills[0], day=day) + csv_line(desk.bills[1], amount="19,99"))
    attempt.refresh_from_db()
    assert attempt.state == "paid"
    payment = Payment.objects.get(attempt=attempt)
    assert payment.paid_on == day
    assert states(found) == ["matched", "unmatched"]
    assert found.rows.first().payment == payment
    desk.bills[0].refresh_from_db()
    assert desk.bills[0].is_paid
    other.refresh_from_db()
    assert other.state == "reported"
    assert services.confirm_announced(actor=desk.clerk, statement=found) == 0  # again: nothing
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("state", ["expired", "abandoned", "review"])
def test_an_operation_we_believed_unpaid_is_asked_again(desk: SimpleNamespace, state: str) -> None:
    """The journal is no look-up: the poller asks the Treasury, then a new look matches."""
    attempt = tried(desk.bills[0], desk.alice, state)
    found = bring(desk, TITLES + csv_line(desk.bills[0], idop=attempt.operation))
    attempt.refresh_from_db()
    assert attempt.next_check_at is not None
    assert states(found) == ["doubtful"]
    assert not Payment.objects.exists()
    attempt.state = "paid"
    attempt.save()
    Payment.objects.create(
        attempt=attempt, product=attempt.product, provider="payfip", provider_reference=attempt.operation,
        means=Means.CARD,
        amount=attempt.amount, paid_on=DAY, recorded_by="treasury",
    )  # fmt: skip
    assert again(desk, found) == 1
    assert states(found) == ["matched"]


def test_what_was_refused_or_went_out_is_never_income(desk: SimpleNamespace) -> None:
    """A journal that lists refusals confirms nothing by them, and a reading's verdict is not undone by hand."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    refused = csv_line(desk.bills[0]).replace(";CB", ";R")
    found = bring(desk, TITLES + refused + csv_line(desk.bills[1], amount="-20,00"))
    assert states(found) == ["ignored", "doubtful"]
    attempt.refresh_from_db()
    assert attempt.state == "reported"
    aside, back = found.rows.all()
    with pytest.raises(NotPossible, match="pas un encaissement"):
        services.reopen_row(actor=desk.clerk, row=aside)
    with pytest.raises(NotPossible, match="reparti"):
        services.book_row(actor=desk.clerk, row=back, invoice=desk.bills[1], means=Means.CARD)
    assert not Payment.objects.exists()


def test_staff_finish_by_hand(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(
        desk,
        TITLES + csv_line(desk.bills[0], amount="9,99") + csv_line(desk.bills[1]) + csv_line(desk.bills[2]),
    )
    first, second, third = found.rows.all()
    services.match_row(actor=desk.clerk, row=first, payment=payment)
    with pytest.raises(NotPossible):
        services.match_row(actor=desk.clerk, row=second, payment=payment)  # on one line only
    for _ in range(2):  # twice books once
        try:
            services.book_row(actor=desk.clerk, row=second, invoice=desk.bills[1], means=Means.CARD)
        except NotPossible:
            assert _ == 1
    booked = Payment.objects.get(provider="journal")
    assert (booked.amount, booked.paid_on, booked.means) == (20, DAY, "card")
    desk.bills[1].refresh_from_db()
    assert desk.bills[1].is_paid
    with pytest.raises(NotPossible):
        services.ignore_row(actor=desk.clerk, row=third, reason=" ")
    services.ignore_row(actor=desk.clerk, row=third, reason="autre commune")
    assert states(found) == ["matched", "matched", "ignored"]
    services.reopen_row(actor=desk.clerk, row=third)
    services.reopen_row(actor=desk.clerk, row=first)
    assert states(found) == ["unmatched", "matched", "unmatched"]
    entry_ = AuditEntry.objects.get(verb="line.ignored")
    assert (entry_.old["state"], entry_.new["reason"]) == ("unmatched", "autre commune")


def test_missing_on_either_side(desk: SimpleNamespace) -> None:
    assert queries.journal_period() is None
    absent, listed = online(desk.bills[0], desk.alice), online(desk.bills[1], desk.alice)
    bring(desk, TITLES + csv_line(desk.bills[1]) + csv_line(desk.bills[2], reference="INCONNUE1"))
    first, last = queries.journal_period() or (DAY, DAY)
    assert list(queries.absent_from_journal(first, last)) == [absent]
    assert [one.reference for one in queries.unknown_to_us(first, last)] == ["INCONNUE1"]
    assert listed.statement_rows.count() == 1


# --- the bank -------------------------------------------------------------------------------------


def transfer(desk: SimpleNamespace, invoice: Invoice, number: str = "") -> Payment:
    return book_payment(
        actor=desk.clerk, lines=[Part(invoice, invoice.amount)], means=Means.TRANSFER, paid_on=DAY,
        details=PaymentDetails(number=number),
    )[0]  # fmt: skip


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
        ("1", "FACTURE 2026-11 VIR", "doubtful"),  # any label holds a 1
        ("4567", "VIR 1234567", "doubtful"),
        ("R-4567", "VIR R-4567 MERCI", "matched"),
    ],
)
def test_a_transfer_s_number_names_it_whole(
    desk: SimpleNamespace, number: str, label: str, state: str
) -> None:
    transfer(desk, desk.bills[0], number)
    found = bring(desk, camt_of(entry("10.00", details=[("", label, "INCONNU")])), "bank", "releve.xml")
    assert states(found) == [state]


# --- figures --------------------------------------------------------------------------------------


def test_the_day_by_regie_and_means(desk: SimpleNamespace) -> None:
    online(desk.bills[0], desk.alice)
    transfer(desk, desk.bills[1])
    book_payment(
        actor=desk.clerk, lines=[Part(desk.bills[2], Decimal("30"))], received=Decimal("35"),
        means=Means.CASH, paid_on=DAY,
    )  # fmt: skip
    cancel_payment(actor=desk.clerk, payment=transfer(desk, desk.bills[3]), reason="erreur")
    figures = {(one.product, one.means): (one.count, one.total) for one in day_figures(DAY, DAY)}
    assert figures == {
        ("Régie cantine", "carte bancaire"): (1, 10),
        ("Régie cantine", "virement"): (2, 60),
        ("Régie cantine", "espèces"): (1, 35),
    }
    assert [one.left_over for one in day_figures(DAY, DAY)] == [0, 5, 0]
    rows = list(accountant_rows(DAY, DAY))
    assert [row[8] for row in rows] == [10, 20, 30, 5, 40]
    # The cancellation is a line of its own day, which is today: that day keeps what came in.
    (taken_back,) = day_figures(clock.today(), clock.today())
    assert (taken_back.means, taken_back.total) == ("annulation (virement)", -40)
    assert next(accountant_rows(clock.today(), clock.today()))[-1] == "erreur"
    assert not day_figures(DAY + timedelta(days=1), DAY + timedelta(days=9))


def test_ten_thousand_lines_in_seconds(desk: SimpleNamespace, make_invoice: Callable[..., Invoice]) -> None:
    """Streamed and judged a thousand at a time; a hundred of them are known to us."""
    bills = [make_invoice(desk.payer, amount="5") for _ in range(100)]
    for bill in bills:
        online(bill, desk.alice)
    known = [csv_line(bill) for bill in bills]
    text = (
        TITLES + "".join(known) + "".join(csv_line(bills[0], reference=f"AUTRE{n:06}") for n in range(9_900))
    )
    began, processor = time.monotonic(), time.process_time()
    found = bring(desk, text)
    took, work = time.monotonic() - began, time.process_time() - processor
    print(f"10 000 lines in {took:.1f} s, {work:.1f} s of our own work")  # noqa: T201 - shown with -s
    assert found.new_count == 10_000
    assert found.rows.filter(state="matched").count() == 100
    assert work < 20  # the processor's seconds: the machine may be busy with others


def test_two_clerks_import_overlapping_files(live_town: Any, make_account: Any) -> None:
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    rows = [f"12/11/2026;{n},00;;REFER{n:04};;;\n" for n in range(1, 60)]
    files = [TITLES + "".join(rows[:40]), TITLES + "".join(rows[20:])]

    def act(text: str) -> Callable[[], object]:
        return lambda: bring(SimpleNamespace(clerk=clerk), text)

    assert not at_once(live_town, *[act(text) for text in files])
    processing.process_waiting()  # a worker leaves at once while another one reads: it comes back
    assert StatementRow.objects.exclude(state="known").count() == 59
    assert sum(Statement.objects.values_list("known_count", flat=True)) == 20
