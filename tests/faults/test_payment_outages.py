"""The Treasury away for an hour; PostgreSQL crashed under load: nothing is lost, nothing is paid twice."""

import threading

import pytest

from tests.demo import wait
from tests.faults.payer import Bill, Payer, new_bill, pays
from tests.faults.stack import Stack

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("demo-faults"), pytest.mark.timeout(600)]


def checks(bill: Bill) -> int:
    ((found,),) = bill.stack.ask("SELECT max(checks) FROM payments_attempt WHERE invoice_id = %s", bill.pk)
    return int(found)


def test_the_treasury_is_away_for_an_hour(stack: Stack, payer: Payer, bill: Bill) -> None:
    """503, then nobody listens; the hour is shifted in the database. Paid at the Treasury, told by nobody."""
    idop = payer.pay(bill)
    stack.behave(soap="down", notifications="off")
    pays(stack, idop)
    for _ in range(2):
        seen = checks(bill)
        stack.later()
        wait(lambda seen=seen: checks(bill) > seen)  # type: ignore[misc]
        ((spaced,),) = stack.ask(
            "SELECT next_check_at - now() < interval '31 minutes' AND next_check_at > now() "
            "FROM payments_attempt WHERE invoice_id = %s",
            bill.pk,
        )
        assert spaced
    assert payer.comes_back(bill) == 200
    # Still held: it may be paid, and it is. A press leads to that same operation, which the Treasury opens once.
    assert payer.pay(bill) == idop
    assert len(bill.attempts()) == 1
    other = new_bill(stack)
    assert payer.pay(other) is None  # the resident is told, the invoice is free again at once
    assert other.attempts() == [("expired", None)]

    seen = checks(bill)
    stack.behave(soap="refused", delay=4)
    wait(lambda: not stack.treasury_listens())
    stack.later()
    wait(lambda: checks(bill) > seen)
    assert bill.state() == "started"

    wait(stack.treasury_listens)
    stack.later()
    bill.settles()
    idop = payer.pay(other)
    assert idop
    stack.behave(notifications="on")
    pays(stack, idop)
    other.settles()


def test_the_database_crashes_twice_under_load(stack: Stack, payer: Payer, bill: Bill) -> None:
    """Payers come back, notifications arrive, the worker asks, new attempts begin; then every session is lost."""
    bills = [bill, *(new_bill(stack) for _ in range(4))]
    late = [new_bill(stack) for _ in range(3)]
    idops = [payer.pay(one) for one in bills]
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for one in bills:
                Payer(stack, payer.session).comes_back(one)

    threads = [threading.Thread(target=look, daemon=True) for _ in range(2)]
    threads += [threading.Thread(target=pays, args=(stack, idop), daemon=True) for idop in idops]
    for thread in threads:
        thread.start()
    beginning = [payer.press_and_lose_the_answer(one) for one in late]
    for _ in range(2):
        stack.crash_the_database()
    over.set()
    for thread in [*threads, *beginning]:
        thread.join(60)
    wait(lambda: payer.comes_back(bill) == 200)

    stack.two_minutes_later()
    for one in bills:
        one.settles(may_repeat=None)
    stack.two_minutes_later()
    for one in late:  # begun or lost, but known: what was lost is swept, and can begin again
        wait(lambda one=one: "created" not in {state for state, _ in one.attempts()})  # type: ignore[misc]
        assert {state for state, _ in one.attempts()} <= {"started", "expired"}
        assert one.paid() == 0
        for operation in stack.operations(one.reference):
            assert not operation["opened"]


@pytest.mark.parametrize(("method", "name"), [("GET", "idOp"), ("POST", "idop")])
def test_a_notification_in_the_night_for_an_attempt_that_we_gave_up(
    stack: Stack, payer: Payer, bill: Bill, method: str, name: str
) -> None:
    """The payer sits on the bank's page for hours; expired is only what we show."""
    stack.behave(notifications="night", notification_method=method, notification_field=name)
    idop = payer.pay(bill)
    stack.simulator("POST", f"operations/{idop}/open")
    stack.ask("UPDATE payments_attempt SET free_at = now() WHERE invoice_id = %s", bill.pk)  # two hours later
    stack.later()
    wait(lambda: bill.state() == "expired")
    pays(stack, idop)
    assert bill.paid() == 0  # nobody has told us yet
    stack.simulator("POST", "clock", advance=24 * 3600)
    bill.settles()
