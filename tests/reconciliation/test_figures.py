"""The figures of a day, and what one side has and the other lacks."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import book_payment
from tenant_apps.payments.models import Means
from tenant_apps.reconciliation import queries
from tenant_apps.reconciliation.figures import accountant_rows, day_figures
from tests.reconciliation.desk import DAY, TITLES, bring, csv_line, online, transfer
from toolkit import clock
from toolkit.scope import EVERYTHING


def test_the_day_by_regie_and_means(desk: SimpleNamespace) -> None:
    online(desk.bills[0], desk.alice)
    transfer(desk, desk.bills[1])
    book_payment(
        actor=desk.clerk, lines=[Part(desk.bills[2], Decimal("30"))], received=Decimal("35"),
        means=Means.CASH, paid_on=DAY,
    )  # fmt: skip
    cancel_payment(actor=desk.clerk, payment=transfer(desk, desk.bills[3]), reason="erreur")
    figures = {(one.product, one.means): (one.count, one.total) for one in day_figures(EVERYTHING, DAY, DAY)}
    assert figures == {
        ("Régie cantine", "carte bancaire"): (1, 10),
        ("Régie cantine", "virement"): (2, 60),
        ("Régie cantine", "espèces"): (1, 35),
    }
    assert [one.left_over for one in day_figures(EVERYTHING, DAY, DAY)] == [0, 5, 0]
    rows = list(accountant_rows(EVERYTHING, DAY, DAY))
    assert [row[8] for row in rows] == [10, 20, 30, 5, 40]
    # The cancellation is a ledger line of its own day, which is today: the earlier day keeps its receipt.
    (taken_back,) = day_figures(EVERYTHING, clock.today(), clock.today())
    assert (taken_back.means, taken_back.total) == ("annulation (virement)", -40)
    assert next(accountant_rows(EVERYTHING, clock.today(), clock.today()))[-1] == "erreur"
    assert not day_figures(EVERYTHING, DAY + timedelta(days=1), DAY + timedelta(days=9))


def test_missing_on_either_side(desk: SimpleNamespace) -> None:
    assert queries.journal_period(EVERYTHING) is None
    absent, listed = online(desk.bills[0], desk.alice), online(desk.bills[1], desk.alice)
    bring(desk, TITLES + csv_line(desk.bills[1]) + csv_line(desk.bills[2], reference="INCONNUE1"))
    first, last = queries.journal_period(EVERYTHING) or (DAY, DAY)
    assert list(queries.absent_from_journal(EVERYTHING, first, last)) == [absent]
    assert [one.reference for one in queries.unknown_to_us(EVERYTHING, first, last)] == ["INCONNUE1"]
    assert listed.statement_rows.count() == 1
