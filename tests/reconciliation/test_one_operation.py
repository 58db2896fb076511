"""One operation is one payment, whoever learns of it first: the Treasury's look-up, its journal, or a clerk."""

from types import SimpleNamespace

import pytest

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.online.paying import start_payment
from tenant_apps.reconciliation import services
from tenant_apps.reconciliation.errors import NotPossible
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator
from tests.reconciliation.desk import TITLES, again, bring, csv_line, online, states
from toolkit import clock


def test_another_operation_of_the_same_reference_is_not_the_one_we_have(desk: SimpleNamespace) -> None:
    """All attempts on an invoice share reference and amount; another idOp is other money."""
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, TITLES + csv_line(desk.bills[0], idop="op-elsewhere"))
    assert states(found) == ["doubtful"]
    assert "payée deux fois" in found.rows.get().reason
    assert states(bring(desk, TITLES + csv_line(desk.bills[0], idop=payment.attempt.operation))) == [
        "matched"
    ]


def paying(desk: SimpleNamespace, simulator: Simulator) -> Attempt:
    """An attempt that we believed abandoned. It was paid at the Treasury since, and we do not know."""
    attempt = start_payment(actor=desk.alice, invoice=desk.bills[0]).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.filter(pk=attempt.pk).update(state="expired", next_check_at=None)
    attempt.refresh_from_db()
    return attempt


def test_a_line_without_idop_is_not_booked_beside_the_attempt_it_is(
    desk: SimpleNamespace, simulator: Simulator
) -> None:
    attempt = paying(desk, simulator)
    found = bring(desk, TITLES + csv_line(desk.bills[0], day=clock.today()))
    assert states(found) == ["doubtful"]
    attempt.refresh_from_db()
    assert attempt.next_check_at is not None  # it is looked up again
    with pytest.raises(NotPossible, match="confirme un paiement en ligne"):
        services.book_row(actor=desk.clerk, row=found.rows.get(), invoice=desk.bills[0], means=Means.CARD)
    assert Payment.objects.get().attempt == attempt
    assert again(desk, found) == 1


def test_nothing_is_booked_while_the_treasury_is_silent(desk: SimpleNamespace, simulator: Simulator) -> None:
    paying(desk, simulator)
    found = bring(desk, TITLES + csv_line(desk.bills[0]))
    simulator.behave(soap="down")
    with pytest.raises(NotPossible, match="ne répond pas"):
        services.book_row(actor=desk.clerk, row=found.rows.get(), invoice=desk.bills[0], means=Means.CARD)
    assert not Payment.objects.exists()


def test_a_line_booked_by_mistake_is_booked_again(desk: SimpleNamespace) -> None:
    """Cancelled, reopened, and booked for the right invoice: the money must not stay with the cancelled payment."""
    found = bring(desk, TITLES + csv_line(desk.bills[0]))
    one = found.rows.get()
    wrong, right = desk.bills[1], desk.bills[0]
    services.book_row(actor=desk.clerk, row=one, invoice=wrong, means=Means.CARD)
    services.reopen_row(actor=desk.clerk, row=one)
    with pytest.raises(NotPossible, match="annulez d'abord"):
        services.book_row(actor=desk.clerk, row=one, invoice=right, means=Means.CARD)
    cancel_payment(actor=desk.clerk, payment=Payment.objects.get(), reason="erreur de facture")
    services.book_row(actor=desk.clerk, row=one, invoice=right, means=Means.CARD)
    one.refresh_from_db()
    assert one.payment.cancelled_at is None
    assert [Invoice.objects.get(pk=bill.pk).paid for bill in (wrong, right)] == [0, 10]
