"""Staff's search of invoices and payments, by a name or by any reference that a screen or a document shows."""

import re
from datetime import date
from typing import Literal
from uuid import UUID

from django.db.models import F, Func, Q, QuerySet, Value

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Allocation, AttemptInvoice, Payment
from tenant_apps.payments.payability.reading import awaited
from toolkit.scope import Scope

Settled = Literal["", "unpaid", "late", "apart", "paid"]
WORDS = 6  # the first words of a search; the others are ignored
_RECEIPT = r"[0-9A-Fa-f]{8,32}"


def invoices_for_staff(
    scope: Scope, *, today: date, words: str = "", state: str = "", settled: Settled = ""
) -> QuerySet[Invoice]:
    """The invoices of `scope` that match `words`, newest first.

    `settled`: `unpaid` and `late` are to be paid now; `apart` are unpaid, but their payer has nothing to do.
    """
    invoices = scope.of(Invoice.objects.select_related("payer", "product")).order_by("-id")
    if state:
        invoices = invoices.filter(state=state)
    if settled == "paid":
        invoices = invoices.filter(paid__gte=F("amount"))
    elif settled == "apart":
        invoices = invoices.filter(paid__lt=F("amount")).exclude(awaited())
    elif settled:
        invoices = invoices.filter(awaited())
    if settled == "late":
        invoices = invoices.filter(due_on__lt=today)
    return matching(invoices, words)


def matching(invoices: QuerySet[Invoice], words: str) -> QuerySet[Invoice]:
    """Those of `invoices` where each of `words` matches the payer, the number or a reference that we print.

    Punctuation and spaces in a reference do not count.
    """
    if not words.strip():
        return invoices
    invoices = invoices.alias(plain_number=_plain("number"))
    each = Q()
    for word in words.split()[:WORDS]:
        each &= (
            Q(number__icontains=word)
            | Q(payer__last_name__icontains=word)
            | Q(payer__first_name__icontains=word)
            | Q(payer__reference__icontains=word)
            | _of_reference(word)
        )
    return invoices.filter(each | _of_reference(words) if " " in words.strip() else each)


def _of_reference(text: str) -> Q:
    bare = plain(text)
    if len(bare) < 3:
        return Q(pk__in=[])
    found = Q(reference__icontains=bare) | Q(plain_number__icontains=bare)
    if len(bare) >= 6:
        several = AttemptInvoice.objects.filter(attempt__several=True, attempt__reference__iexact=bare)
        found |= Q(pk__in=several.values("invoice_id"))
    if re.fullmatch(_RECEIPT, bare):
        paid = Allocation.objects.filter(payment__in=of_receipt(bare)).values("invoice_id")
        tried = AttemptInvoice.objects.filter(attempt__payment__in=of_receipt(bare)).values("invoice_id")
        found |= Q(pk__in=paid) | Q(pk__in=tried)
    return found


def payments_matching(word: str) -> Q:
    """Payments whose invoices, attempt or receipt have the reference `word`."""
    bare = plain(word)
    if len(bare) < 3:
        return Q(pk__in=[])
    invoices = Invoice.objects.alias(plain_number=_plain("number")).filter(
        Q(reference__icontains=bare) | Q(plain_number__icontains=bare)
    )
    found = Q(pk__in=Allocation.objects.filter(invoice__in=invoices).values("payment_id"))
    found |= Q(attempt__reference__iexact=bare)
    if re.fullmatch(_RECEIPT, bare):
        found |= Q(pk__in=of_receipt(bare).values("pk"))
    return found


def of_receipt(reference: str) -> QuerySet[Payment]:
    """The payments whose public id begins with `reference`, at least 8 hexadecimal digits. It uses the index."""
    low, high = (UUID(reference.ljust(32, sign)) for sign in "0f")
    return Payment.objects.filter(uuid__range=(low, high))


def plain(text: str) -> str:
    """A reference without its punctuation: « 2015-RS-00-8001516 » → « 2015RS008001516 »."""
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _plain(column: str) -> Func:
    return Func(F(column), Value("[^A-Za-z0-9]"), Value(""), Value("g"), function="regexp_replace")
