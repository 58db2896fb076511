"""What other rooms may read of payments, beside `queries` and `payability`: counter, baskets, printed documents.

These readers take no person: the view that calls them has checked the role, and hands over the scope.
"""

from tenant_apps.payments.books.ledger import only_product, received_on
from tenant_apps.payments.control.evidence import shown as evidence
from tenant_apps.payments.corrections.payments import can_undo
from tenant_apps.payments.counter.declarations import declaration, declarations
from tenant_apps.payments.counter.deposits import (
    MEANS as DEPOSIT_MEANS,
)
from tenant_apps.payments.counter.deposits import (
    MOST as MOST_DEPOSITED,
)
from tenant_apps.payments.counter.deposits import (
    Undeposited,
    deposit,
    deposits,
    payments_in,
    undeposited,
    undeposited_by_means,
)
from tenant_apps.payments.counter.desk import (
    Which,
    booked_under,
    by_person,
    chosen_invoices,
    credits_of,
    left_over_figures,
    money_left_over,
    open_invoices,
    other_invoices,
    payment_for_staff,
    payments_for_staff,
    same_cheque,
)
from tenant_apps.payments.counter.search import Settled, invoices_for_staff
from tenant_apps.payments.online.baskets import by_product, offered_together, paid_by
from tenant_apps.payments.online.going_live import missing
from tenant_apps.payments.printing.papers import docket as docket_pdf
from tenant_apps.payments.printing.papers import means_in_words
from tenant_apps.payments.printing.papers import receipt as receipt_for_staff_pdf
from tenant_apps.payments.printing.receipts import receipt as receipt_for_resident_pdf
from tenant_apps.payments.providers.registry import capabilities_of, labels_of

__all__ = [
    "DEPOSIT_MEANS",
    "MOST_DEPOSITED",
    "Settled",
    "Undeposited",
    "Which",
    "booked_under",
    "by_person",
    "by_product",
    "can_undo",
    "capabilities_of",
    "chosen_invoices",
    "credits_of",
    "declaration",
    "declarations",
    "deposit",
    "deposits",
    "docket_pdf",
    "evidence",
    "invoices_for_staff",
    "labels_of",
    "left_over_figures",
    "means_in_words",
    "missing",
    "money_left_over",
    "offered_together",
    "only_product",
    "open_invoices",
    "other_invoices",
    "paid_by",
    "payment_for_staff",
    "payments_for_staff",
    "payments_in",
    "receipt_for_resident_pdf",
    "receipt_for_staff_pdf",
    "received_on",
    "same_cheque",
    "undeposited",
    "undeposited_by_means",
]
