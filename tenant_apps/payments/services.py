"""The services of payments that other rooms may call. No other code writes money.

The code is in `online`, `counter`, `corrections` and `control`; an import contract forbids other rooms to import
these. What other rooms may read is in `queries`, `payability` and `readers`.
"""

from tenant_apps.payments.control.findings import close_finding
from tenant_apps.payments.corrections.credits import cancel_invoice, reduce_invoice
from tenant_apps.payments.corrections.payments import allocate, cancel_payment, record_refund
from tenant_apps.payments.counter.booking import (
    CASH_LIMIT,
    JOURNAL,
    OFFLINE,
    CounterRow,
    PaymentDetails,
    book_counter_payment,
    book_payment,
    cash_limit_sentence,
)
from tenant_apps.payments.counter.declarations import refuse_declaration
from tenant_apps.payments.counter.deposits import close_deposit
from tenant_apps.payments.online.agreements import (
    Change,
    ask_number,
    change_agreement,
    change_of,
    number_is_in_use,
)
from tenant_apps.payments.online.going_live import (
    ask_label,
    check_test_payment,
    go_forward,
    recognise,
    start_test_payment,
)
from tenant_apps.payments.online.incoming.notifications import ask_soon, receive_return
from tenant_apps.payments.online.paying import (
    StartedPayment,
    ask,
    check_now,
    declare_paid,
    resume_payment,
    start_payment,
    start_payment_of,
)
from tenant_apps.payments.online.review import confirm_attempt, refuse_attempt, reject_debit

__all__ = [
    "CASH_LIMIT",
    "JOURNAL",
    "OFFLINE",
    "Change",
    "CounterRow",
    "PaymentDetails",
    "StartedPayment",
    "allocate",
    "ask",
    "ask_label",
    "ask_number",
    "ask_soon",
    "book_counter_payment",
    "book_payment",
    "cancel_invoice",
    "cancel_payment",
    "cash_limit_sentence",
    "change_agreement",
    "change_of",
    "check_now",
    "check_test_payment",
    "close_deposit",
    "close_finding",
    "confirm_attempt",
    "declare_paid",
    "go_forward",
    "number_is_in_use",
    "receive_return",
    "recognise",
    "record_refund",
    "reduce_invoice",
    "refuse_attempt",
    "refuse_declaration",
    "reject_debit",
    "resume_payment",
    "start_payment",
    "start_payment_of",
    "start_test_payment",
]
