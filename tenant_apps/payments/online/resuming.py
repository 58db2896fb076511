"""A second press of the same person goes on with their payment, whose page is not opened yet (decision 0052).

An operation opens one page, once, and not for long. Until then nothing is gained by locking out its own payer.
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

WAIT, LOOK = (
    8.0,
    0.1,
)  # seconds that a second press waits for the provider to answer the first; between two looks
FRESH = timedelta(seconds=15)  # a second press so soon is a double click: the provider has nothing to say yet


def own_attempt(account: Account, invoices: Collection[int]) -> Attempt | None:
    """The live attempt of `account` on just these invoices (their ids), if there is one."""
    live = Attempt.objects.filter(account=account, parts__invoice__in=invoices, parts__live=True)
    attempt = live.order_by("pk").first()
    if attempt is None:
        return None
    parts = AttemptInvoice.objects.filter(attempt=attempt).values_list("invoice_id", flat=True)
    return attempt if set(parts) == set(invoices) else None


def once_opened(attempt: Attempt) -> Attempt:
    """`attempt` as it is once its call to the provider is over, or after `WAIT` seconds."""
    end = time.monotonic() + WAIT
    while attempt.state == AttemptState.CREATED and attempt.free_at > timezone.now():
        if time.monotonic() > end:
            break
        time.sleep(LOOK)
        attempt.refresh_from_db()
    return attempt


def is_fresh(attempt: Attempt) -> bool:
    """It began some seconds ago."""
    return attempt.started_at is not None and timezone.now() - attempt.started_at < FRESH


def page_of(attempt: Attempt) -> str:
    """The provider's page that its payer may still open.

    Empty when there is none, when it is known to be open, or when it asks what is no longer to be paid.
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
