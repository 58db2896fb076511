"""Resume a payment: a second click of the same person continues their own attempt (decision 0052).

The provider opens the page of an operation once, within a limited time. Until the page is opened, the payer who
clicks again gets the same page.
"""

import time
from collections.abc import Collection
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from shared_apps.accounts.models import Account
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Attempt, AttemptInvoice
from tenant_apps.payments.payability.deciding import opening_ends
from tenant_apps.payments.providers.base import Outcome
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.states import AttemptState

# Seconds: how long a second click waits for the provider's answer to the first, and between two looks.
WAIT, LOOK = 8.0, 0.1
FRESH = timedelta(seconds=15)  # a second click within this time is a double click: we do not ask the provider


def own_attempt(account: Account, invoices: Collection[int]) -> Attempt | None:
    """The live attempt of `account` on exactly these invoices (their ids); None without one."""
    live = Attempt.objects.filter(account=account, parts__invoice__in=invoices, parts__live=True)
    attempt = live.order_by("pk").first()
    if attempt is None:
        return None
    parts = AttemptInvoice.objects.filter(attempt=attempt).values_list("invoice_id", flat=True)
    return attempt if set(parts) == set(invoices) else None


def once_opened(attempt: Attempt) -> Attempt:
    """`attempt`, read again when its call to the provider is over, or after `WAIT` seconds."""
    end = time.monotonic() + WAIT
    while attempt.state == AttemptState.CREATED and attempt.free_at > timezone.now():
        if time.monotonic() > end:
            break
        time.sleep(LOOK)
        attempt.refresh_from_db()
    return attempt


def is_fresh(attempt: Attempt) -> bool:
    """Whether the attempt started less than FRESH ago."""
    return attempt.started_at is not None and timezone.now() - attempt.started_at < FRESH


def page_of(attempt: Attempt) -> str:
    """The address of the provider's page, if the payer can still open it.

    Empty when there is no page, when the page was opened already, or when its amount is no longer what is owed.
    """
    end = opening_ends(attempt.started_at, attempt.provider)
    if attempt.state != AttemptState.STARTED or not attempt.operation or end is None or timezone.now() >= end:
        return ""
    if attempt.abandoned_seen_at is not None or attempt.outcome == Outcome.USED:
        return ""
    parts = AttemptInvoice.objects.filter(attempt=attempt)
    rest = F("invoice__amount") - F("invoice__paid")
    same = parts.filter(invoice__state=InvoiceState.PUBLISHED, invoice__online_hold="", amount=rest)
    if same.count() != parts.count():
        return ""
    return provider(attempt.provider).page(attempt.operation)
