"""The facts that decide the payability of invoices, as SQL that every list uses.

All SQL about what residents owe must join `JOINS` and read `SITUATION`, so that no screen asks for an invoice whose
payment is live or declared, or whose online payment staff have stopped. The invoices are `invoices_invoice i`.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from tenant_apps.invoices.states import InvoiceState, OnlineHold
from tenant_apps.payments.states import AttemptState


class Situation(StrEnum):
    """The most important fact about an invoice, without its product and the day. `SITUATION` computes it."""

    DRAFT = InvoiceState.DRAFT.value
    CANCELLED = InvoiceState.CANCELLED.value
    PAID = "paid"
    CREATED = AttemptState.CREATED.value  # this and the next three: the state of the live attempt
    STARTED = AttemptState.STARTED.value
    REPORTED = AttemptState.REPORTED.value
    REVIEW = AttemptState.REVIEW.value
    DECLARED = "declared"  # « J'ai réglé », not answered
    DEBIT = OnlineHold.DEBIT.value
    DISPUTE = OnlineHold.DISPUTE.value
    COLLECTION = OnlineHold.COLLECTION.value
    DUE = "due"  # none of the others: the payer must pay


# A live attempt comes first: somebody who may have paid must not be asked to pay another way.
SITUATION = """CASE WHEN i.state <> 'published' THEN i.state WHEN i.paid >= i.amount THEN 'paid'
 ELSE coalesce(a.state, CASE WHEN d.id IS NOT NULL THEN 'declared' END, nullif(i.online_hold, ''), 'due') END"""
JOINS = """LEFT JOIN payments_attemptinvoice l ON l.invoice_id = i.id AND l.live
 LEFT JOIN payments_attempt a ON a.id = l.attempt_id
 LEFT JOIN payments_declaration d ON d.invoice_id = i.id AND d.refused_at IS NULL"""
# The ids of invoices that their payers must pay now. Other unpaid invoices wait for somebody else.
AWAITED = f"SELECT i.id FROM invoices_invoice i {JOINS} WHERE i.state = 'published' AND {SITUATION} = 'due'"  # noqa: S608
PRODUCT = "JOIN products_product p ON p.id = i.product_id"
COLUMNS = f"""i.id, i.uuid, i.payer_id, i.number, i.reference, i.subject, i.issued_on, i.due_on, i.amount, i.paid,
 {SITUATION}, i.online_hold, p.id, p.kind, p.protocol, p.mode, p.closed_at IS NOT NULL,
 p.ended_at IS NOT NULL AND NOT p.pays_after_end,
 p.payable_days_after_due, p.payable_days_after_issue, p.offers_declaration, p.takes_several, p.numcli,
 a.uuid, a.provider, a.account_id, a.created_at, a.started_at, a.free_at,
 a.operation IS NOT NULL AND l.amount = i.amount - i.paid AND i.online_hold = '',
 a.abandoned_seen_at IS NOT NULL OR a.outcome = 'used', a.several, a.amount, d.declared_at,
 CASE WHEN i.paid >= i.amount THEN (SELECT max(m.paid_on) FROM payments_allocation x
 JOIN payments_payment m ON m.id = x.payment_id WHERE x.invoice_id = i.id AND m.cancelled_at IS NULL) END"""  # noqa: S608


class Facts(NamedTuple):
    """A row of `COLUMNS`; amounts in euros."""

    id: int
    uuid: UUID
    payer_id: int
    number: str
    reference: str
    subject: str
    issued_on: date
    due_on: date
    amount: Decimal
    paid: Decimal
    situation: str  # a Situation
    online_hold: str
    product_id: int
    kind: str
    protocol: str
    mode: str
    is_closed: bool  # by its provider
    is_ended: bool  # by the town, for what is unpaid too
    days_after_due: int | None
    days_after_issue: int
    offers_declaration: bool
    takes_several: bool
    merchant: str
    # The live attempt
    attempt: UUID | None
    attempt_provider: str | None
    attempt_account: int | None
    begun_at: datetime | None
    started_at: datetime | None
    free_at: datetime | None
    has_page: bool | None  # the attempt has a payment page, for exactly what is still owed
    was_opened: bool | None  # the provider says that the page was opened
    several: bool | None
    attempt_amount: Decimal | None
    declared_at: datetime | None
    paid_on: date | None  # the day of the last payment, once it is paid

    @property
    def balance(self) -> Decimal:
        """What remains to pay, in euros; zero for a cancelled invoice."""
        return Decimal("0.00") if self.situation == Situation.CANCELLED else self.amount - self.paid

    @property
    def is_paid(self) -> bool:
        return self.paid >= self.amount
