"""A thousand random pairs of acts on two real connections: the accounts are always right.

Answers are read early and applied late, twice or in any order, while the counter, a second tab, staff and time act.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_tenants.utils import tenant_context
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.online import paying, review
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.states import AttemptState
from tenant_apps.products.models import Product
from tenants.models import Town
from tests.payments.conftest import Simulator

S = AttemptState
WANTED = 1000
# The results that the payer can reach at the Treasury. P and V are final.
TRUTH = {
    Outcome.PENDING: (
        *(Outcome.PAID_CARD, Outcome.PAID_DEBIT, Outcome.REFUSED_CARD, Outcome.REFUSED_DEBIT),
        *(Outcome.ABANDONED, Outcome.OTHER, Outcome.TOO_OLD),
    ),
    Outcome.ABANDONED: (Outcome.PAID_CARD, Outcome.REFUSED_CARD),
    Outcome.REFUSED_CARD: (Outcome.PAID_CARD,),
    Outcome.OTHER: (Outcome.PAID_DEBIT, Outcome.REFUSED_DEBIT),
}


BOOKS = """
SELECT i.paid, i.amount,
    (SELECT COALESCE(SUM(a.amount), 0) FROM payments_allocation a JOIN payments_payment p ON p.id = a.payment_id
     WHERE a.invoice_id = i.id AND p.cancelled_at IS NULL),
    COUNT(p.id), COUNT(DISTINCT p.provider_reference),
    COUNT(*) FILTER (WHERE (t.state = 'paid') <> (p.id IS NOT NULL)),
    COUNT(*) FILTER (WHERE t.state IN ('created', 'started', 'reported', 'review')),
    COUNT(*) FILTER (WHERE s.live <> (t.state IN ('created', 'started', 'reported', 'review'))),
    COUNT(*) FILTER (WHERE t.amount <> (SELECT SUM(z.amount) FROM payments_attemptinvoice z WHERE z.attempt_id = t.id)
        OR p.unallocated < 0 OR p.unallocated <> p.amount - (SELECT COALESCE(SUM(a.amount), 0)
        FROM payments_allocation a WHERE a.payment_id = p.id))
FROM invoices_invoice i LEFT JOIN payments_attemptinvoice s ON s.invoice_id = i.id
LEFT JOIN payments_attempt t ON t.id = s.attempt_id
LEFT JOIN payments_payment p ON p.attempt_id = t.id WHERE i.id = ANY(%(invoices)s) GROUP BY i.id
"""
# The invoices to pay together: each alone, overlapping pairs, all of them, in any order.
SETS = ((0,), (0, 1), (2, 1), (1,), (2, 0, 1), (2, 0))


class Hand(threading.Thread):
    """A thread with its own connection that does the acts it gets, in the town."""

    def __init__(self, town: Town, start: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.town, self.begin = town, start
        self.todo: queue.Queue[Callable[[], Any] | None] = queue.Queue()
        self.done: queue.Queue[BaseException | None] = queue.Queue()
        self.start()

    def run(self) -> None:
        with tenant_context(self.town):
            while (act := self.todo.get()) is not None:
                try:
                    self.begin.wait(20)
                    act()
                    self.done.put(None)
                except BaseException as error:
                    self.done.put(error)
        connection.close()


@dataclass
class Stage:
    """What all examples share. `interleavings` counts the pairs of acts done at the same time."""

    town: Town
    people: list[Account]
    clerk: Account
    bill: Callable[[], Invoice]
    hands: list[Hand] = field(default_factory=list)
    interleavings: int = 0


class Money(RuleBasedStateMachine):
    """Three invoices of one product, everybody who acts on them, and the true result of each idOp."""

    stage: Stage

    @initialize()
    def an_invoice(self) -> None:
        self.invoices = [self.stage.bill() for _ in range(3)]
        self.truth: dict[int, Outcome] = {}
        self.under_way: list[tuple[int, Outcome]] = []  # answers read from the Treasury and not yet applied
        self.opened = 0
        self.together(self.second_tab(0), self.second_tab(1))

    # --- acts: each returns what a Hand will do -----------------------------------------------------
    def second_tab(self, who: int) -> Callable[[], Any]:
        ticked = [self.invoices[n] for n in SETS[who % len(SETS)]]

        def act() -> None:
            try:
                attempt = paying.start_payment_of(actor=self.stage.people[who % 2], invoices=ticked).attempt
            except NotPayable:
                return
            self.truth[attempt.pk] = Outcome.PENDING

        return act

    def deliver(self, n: int) -> Callable[[], Any]:
        """Apply an answer that was read before, once or twice, as the return, the poller or staff do."""
        if not self.under_way:
            return lambda: None
        pk, outcome = self.under_way[n % len(self.under_way)]
        if n % 3:
            self.under_way.remove((pk, outcome))
        attempt = Attempt.objects.get(pk=pk)
        status = Status(
            outcome,
            amount=attempt.amount,
            reference=attempt.reference,
            merchant=attempt.merchant,
            mode=attempt.mode,
        )
        return lambda: settle(attempt_id=pk, status=status, source="poller")

    def counter(self, n: int) -> Callable[[], Any]:
        amount = Decimal((5, 10, 20)[n % 3])
        invoice = self.invoices[n % 3]
        return lambda: book_counter_payment(
            actor="system", invoice=invoice, means=Means.CASH, amount=amount, paid_on=invoice.issued_on
        )

    def staff(self, n: int) -> Callable[[], Any]:
        in_review = Attempt.objects.filter(invoice__in=self.invoices, state=S.REVIEW).first()
        if in_review is None:
            return self.deliver(n)
        decide = review.confirm_attempt if n % 2 else review.refuse_attempt

        def act() -> None:
            try:
                decide(actor=self.stage.clerk, attempt=in_review)
            except review.NotOpen:
                """The Treasury was quicker."""

        return act

    def bounced(self, n: int) -> Callable[[], Any]:
        debit = Payment.objects.filter(
            attempt__invoice__in=self.invoices, means=Means.DEBIT, cancelled_at=None
        ).first()
        if debit is None:
            return self.deliver(n)

        def act() -> None:
            try:
                review.reject_debit(
                    actor=self.stage.clerk, attempt=debit.attempt, reason="Provision insuffisante"
                )
            except review.NotOpen:
                """Rejected by the other hand."""

        return act

    def together(self, *acts: Callable[[], Any]) -> None:
        for hand, act in zip(self.stage.hands, acts, strict=True):
            hand.todo.put(act)
        raised = [hand.done.get(timeout=60) for hand in self.stage.hands]
        assert raised == [None, None], raised
        self.stage.interleavings += 1

    # --- rules --------------------------------------------------------------------------------------
    def payer_acts(self, n: int) -> None:
        """The payer acts at the Treasury. Somebody reads the answer before or after that."""
        pk = list(self.truth)[n % len(self.truth)]
        before = self.truth[pk]
        choices = TRUTH.get(before, ())
        if n % 5 == 0:
            self.under_way.append((pk, before))  # it will be applied when it is no longer true
        if choices:
            self.truth[pk] = choices[n % len(choices)]
        self.under_way.append((pk, self.truth[pk]))

    @rule(
        first=st.sampled_from(["deliver"] * 3 + ["counter", "staff", "bounced", "second_tab"]),
        second=st.sampled_from(["deliver"] * 5 + ["second_tab"]),
        n=st.integers(0, 50),
        m=st.integers(0, 50),
    )
    def two_things_at_once(self, first: str, second: str, n: int, m: int) -> None:
        self.payer_acts(m)
        self.together(getattr(self, first)(n), getattr(self, second)(m))
        self.the_books_are_right()

    @rule(n=st.integers(0, 50))
    def the_same_answer_twice_at_once(self, n: int) -> None:
        self.payer_acts(n)
        self.together(self.deliver(3 * n), self.deliver(3 * n))
        self.the_books_are_right()

    @rule(hours=st.booleans())
    def time_passes(self, hours: bool) -> None:
        """Two minutes pass, after which « abandoned » is applied; or two hours, after which the attempt expires."""
        mine = Attempt.objects.filter(invoice__in=self.invoices)
        mine.filter(abandoned_seen_at__isnull=False).update(
            abandoned_seen_at=F("abandoned_seen_at") - timedelta(minutes=2)
        )
        if hours:
            mine.filter(state=S.STARTED).update(free_at=timezone.now())

    # --- what is always true ------------------------------------------------------------------------
    def the_books_are_right(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(BOOKS, {"invoices": [invoice.pk for invoice in self.invoices]})
            rows = cursor.fetchall()
        assert len(rows) == 3
        for paid, amount, allocated, payments, references, odd, live, astray, uneven in rows:
            assert paid == allocated <= amount
            assert payments == references
            assert odd == 0  # PAID without money, or money without PAID
            assert live <= 1
            assert astray == 0  # a live part of an ended attempt, or the other way round
            assert uneven == 0  # sums of parts and of allocations that do not add up

    def teardown(self) -> None:
        """Apply the true result of each idOp: what was paid is booked once, with one receipt."""
        for pk, outcome in self.truth.items():
            self.under_way = [(pk, outcome)]
            self.deliver(0)()
        paid = {pk for pk, outcome in self.truth.items() if outcome.is_paid}
        booked = list(Payment.objects.filter(attempt__invoice__in=self.invoices))
        assert paid <= {payment.attempt_id for payment in booked}
        self.the_books_are_right()
        queue_planned()
        for payment in booked:
            assert OutgoingMail.objects.filter(key__startswith=f"receipt:{payment.uuid}").count() == 1


def test_a_thousand_interleavings(
    live_town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
) -> None:
    people = [make_account("alice@example.net"), make_account("bob@example.net")]
    payer = make_payer(*people)
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    Product.objects.update(takes_several=True)
    stage = Stage(live_town, people, clerk, lambda: make_invoice(payer))
    barrier = threading.Barrier(2)
    stage.hands = [Hand(live_town, barrier) for _ in range(2)]
    machine = type("MoneyHere", (Money,), {"stage": stage})
    try:
        while stage.interleavings < WANTED:  # Hypothesis chooses the number of steps of an example
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=10,
                    stateful_step_count=40,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
    finally:
        for hand in stage.hands:
            hand.todo.put(None)
            hand.join(10)
