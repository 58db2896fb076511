"""kill -9 between every two steps of a payment's road: each attempt ends in the Treasury's truth, without a click.

attempt committed → SOAP call → idOp stored → redirect → paid at the Treasury → notified or polled → settle → receipt.
The moments are found from outside: the simulator says what it has heard, PostgreSQL says who waits for a lock that we
hold. Hours that must pass are shifted in the database (`Stack.later`), never slept.
"""

import pytest

from tests.demo import wait
from tests.faults.payer import Bill, Payer, pays
from tests.faults.stack import Stack

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("demo-faults"), pytest.mark.timeout(600)]
CREATE, READ = "creerPaiementSecurise", "recupererDetailPaiementSecurise"


def begin_again(stack: Stack, payer: Payer, bill: Bill) -> None:
    """After the loss: the invoice is free, a new attempt pays it, and what nobody holds is never paid."""
    idop = payer.pay(bill)
    assert idop
    pays(stack, idop)
    bill.settles()
    stack.behave(clock=16 * 60)
    for operation in stack.operations(bill.reference):
        assert bool(operation["opened"]) == (operation["idop"] == idop)
    states = [state for state, _ in bill.attempts()]
    assert states[-1] == "paid"
    assert "paid" not in states[:-1]


@pytest.mark.parametrize("failure", ["slow", "slow-after"])
def test_the_web_dies_while_the_treasury_opens_the_payment(
    stack: Stack, payer: Payer, bill: Bill, failure: str
) -> None:
    stack.behave(soap=failure, soap_on="create", delay=2)
    before = stack.last_event()
    lost = payer.press_and_lose_the_answer(bill)
    wait(lambda: stack.asked(CREATE, before))
    assert bill.attempts() == [("created", None)]  # committed before the call
    stack.kill("web")
    lost.join(90)
    stack.start("web")
    wait(lambda: stack.operations(bill.reference))  # the Treasury has opened it, for nobody
    stack.behave(soap="ok")
    assert payer.pay(bill) is None  # busy: the first one may still be alive, for two minutes
    stack.two_minutes_later()
    wait(lambda: bill.state() == "expired")
    begin_again(stack, payer, bill)


def test_the_web_dies_with_the_idop_in_its_hands(stack: Stack, payer: Payer, bill: Bill) -> None:
    with stack.held("LOCK TABLE public.treasury_route IN EXCLUSIVE MODE") as somebody_waits:
        lost = payer.press_and_lose_the_answer(bill)
        wait(somebody_waits)
        stack.kill("web")
    lost.join(90)
    assert bill.attempts() == [("created", None)]
    assert len(stack.operations(bill.reference)) == 1
    stack.start("web")
    stack.two_minutes_later()
    wait(lambda: bill.state() == "expired")
    begin_again(stack, payer, bill)


def test_the_web_dies_before_the_redirect(stack: Stack, payer: Payer, bill: Bill) -> None:
    lost = payer.press_and_lose_the_answer(bill)
    wait(lambda: bill.state() == "started")
    stack.kill("web")
    lost.join(90)
    stack.start("web")
    assert payer.pay(bill) == bill.attempts()[-1][1]  # the same payer goes on with the idOp that was lost
    stack.behave(clock=16 * 60)
    stack.later()
    wait(lambda: bill.state() == "expired")  # P4: nobody came in the quarter of an hour
    begin_again(stack, payer, bill)


def test_the_worker_is_dead_when_the_payer_pays(stack: Stack, payer: Payer, bill: Bill) -> None:
    idop = payer.pay(bill)
    stack.kill("worker")
    pays(stack, idop)  # the notification reaches the web process
    stack.start("worker")
    stack.later()
    bill.settles()


def test_the_worker_dies_while_it_asks(stack: Stack, payer: Payer, bill: Bill) -> None:
    idop = payer.pay(bill)
    stack.behave(soap="slow", soap_on="read", delay=2)
    before = stack.last_event()
    pays(stack, idop)
    wait(lambda: stack.asked(READ, before))
    stack.kill("worker")
    stack.behave(soap="ok")
    assert bill.state() == "started"
    stack.start("worker")
    stack.later()
    bill.settles()


@pytest.mark.parametrize(
    "lock",
    [
        "SELECT 1 FROM invoices_invoice WHERE id = {pk} FOR UPDATE",
        "LOCK TABLE payments_allocation IN EXCLUSIVE MODE",
    ],
    ids=["answered", "half-booked"],
)
def test_the_worker_dies_while_it_settles(stack: Stack, payer: Payer, bill: Bill, lock: str) -> None:
    idop = payer.pay(bill)
    with stack.held(lock.format(pk=bill.pk)) as somebody_waits:
        pays(stack, idop)
        wait(somebody_waits)
        stack.kill("worker")
    assert (bill.state(), bill.paid()) == ("started", 0)  # all of it or nothing
    stack.start("worker")
    stack.later()
    bill.settles()


def test_the_worker_dies_before_the_receipt_is_written(stack: Stack, payer: Payer, bill: Bill) -> None:
    idop = payer.pay(bill)
    with stack.held("LOCK TABLE mail_outgoingmail IN EXCLUSIVE MODE") as somebody_waits:
        pays(stack, idop)
        # Whoever delivers messages may wait there first.
        wait(lambda: somebody_waits() and bill.state() == "paid")
        stack.kill("worker")
    assert (bill.state(), bill.paid(), bill.receipts()) == ("paid", bill.amount, [])
    stack.start("worker")
    stack.later()
    bill.settles()


def test_the_worker_dies_with_the_receipt_sent_and_not_noted(stack: Stack, payer: Payer, bill: Bill) -> None:
    """The one place where a repeat cannot be excluded: it is marked, and has the same Message-ID."""
    stack.ask(
        "CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END$$"
    )
    stack.ask(
        "CREATE TRIGGER wait_for_the_test BEFORE UPDATE ON mail_outgoingmail FOR EACH ROW "
        "WHEN (NEW.state = 'sent') EXECUTE FUNCTION wait_for_the_test()"
    )
    idop = payer.pay(bill)
    with stack.held("SELECT pg_advisory_xact_lock(42)") as somebody_waits:
        pays(stack, idop)
        wait(somebody_waits)
        assert len(bill.caught()) == 1
        stack.kill("worker")
    stack.ask("DROP FUNCTION wait_for_the_test() CASCADE")
    assert bill.receipts() == [("sending", False)]
    stack.start("worker")
    stack.later()
    bill.settles(may_repeat=True)
    first, second = (mail["headers"]["Message-ID"] for mail in bill.caught())
    assert first == second
