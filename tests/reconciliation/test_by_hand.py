"""What staff decide about a row: matched, booked, set aside, opened again. And money that no invoice takes."""

from types import SimpleNamespace

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.credits import cancel_invoice
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import services
from tenant_apps.reconciliation.errors import NotPossible
from tests.reconciliation.desk import DAY, JOURNAL, TITLES, bring, csv_line, online, paid, states


def test_staff_finish_by_hand(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(
        desk,
        TITLES + csv_line(desk.bills[0], amount="9,99") + csv_line(desk.bills[1]) + csv_line(desk.bills[2]),
    )
    first, second, third = found.rows.all()
    services.match_row(actor=desk.clerk, row=first, payment=payment)
    with pytest.raises(NotPossible):
        services.match_row(actor=desk.clerk, row=second, payment=payment)  # a payment is on one row only
    for _ in range(2):  # a second call books nothing
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
