"""Plan who is told, in the transaction of the fact; write the messages from the worker.

The key of an alert holds the fact and the address, so telling twice is impossible whatever repeats.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation

from shared_apps.accounts.models import Account, AlertKind
from shared_apps.mail.services import queue_mail
from shared_apps.mail.services import wake as wake_mail
from tenant_apps.alerts import messages, unsubscribing
from tenant_apps.alerts.models import Alert
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Payment
from tenant_apps.payments.standing.reading import standings_of
from tenant_apps.residents.emails.billing import hold_still
from tenant_apps.residents.models import Access, PayerEmail
from tenant_apps.townhall.models import AlertAudience
from tenant_apps.townhall.queries import Letterhead, current_townhall, letterhead
from tenants.work import agenda

NEW_INVOICES = AlertKind.NEW_INVOICES.value
RECEIPT = AlertKind.RECEIPT.value
CHUNK = 200


def plan_new_invoice_alerts(*, batch: UUID) -> int:
    """One alert an address for all the new invoices of `batch`. Returns how many. In the caller's transaction."""
    audience = current_townhall().alert_audience
    if audience == AlertAudience.NOBODY:
        return 0
    payers = Invoice.objects.filter(batch__uuid=batch, state=InvoiceState.PUBLISHED).values("payer_id")
    accounts = Account.objects.filter(
        accesses__payer__in=payers, accesses__ended_at=None, is_active=True, activated_at__isnull=False
    ).distinct()
    told = {account.email: account.reads for account in accounts if NEW_INVOICES not in account.refused}
    if audience == AlertAudience.KNOWN:
        known = set(PayerEmail.objects.filter(payer__in=payers).values_list("email", flat=True))
        told.update(dict.fromkeys(known - set(told) - _silent(known), settings.LANGUAGE_CODE))
    _plan(NEW_INVOICES, batch, told.items())
    return len(told)


def _silent(known: set[str]) -> set[str]:
    """Which of these addresses refuse to be told of new invoices: on their account, or without one by the link."""
    accounts = Account.objects.filter(email__in=known, activated_at__isnull=False)
    choices = {account.email: NEW_INVOICES in account.refused for account in accounts}
    refused = PayerEmail.objects.filter(email__in=known, refused_alerts__contains=[NEW_INVOICES])
    without = set(refused.values_list("email", flat=True)) - set(choices)
    return {email for email, refuses in choices.items() if refuses} | without


def plan_receipt(*, payment: UUID) -> None:
    """One receipt message to whoever paid online, wants one and was not erased since.

    In the caller's transaction, which holds an invoice: one trip.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO alerts_alert (kind, key, email, language, subject_uuid, created_at) "
            "SELECT %s, %s || t.email, t.email, COALESCE(NULLIF(a.language, ''), %s), p.uuid, now() "
            "FROM payments_payment p "
            "JOIN payments_attempt t ON t.id = p.attempt_id LEFT JOIN accounts_account a ON a.id = t.account_id "
            "WHERE p.uuid = %s AND t.email <> '' AND (a.id IS NULL OR NOT a.refused_alerts ? %s) "
            "ON CONFLICT (key) DO NOTHING",
            [RECEIPT, f"{RECEIPT}:{payment}:", settings.LANGUAGE_CODE, payment, RECEIPT],
        )
        if cursor.rowcount:
            agenda.wake("alerts")


def _plan(kind: str, fact: UUID, told: Iterable[tuple[str, str]]) -> None:
    Alert.objects.bulk_create(
        [
            Alert(kind=kind, key=f"{kind}:{fact}:{email}", email=email, language=language, subject_uuid=fact)
            for email, language in told
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )
    agenda.wake("alerts")


def queue_alerts() -> int:
    """Turn planned alerts into outgoing messages, `CHUNK` a transaction. Returns how many."""
    queued = 0
    surroundings = letterhead()
    while True:
        with transaction.atomic():
            hold_still()
            alerts = list(
                Alert.objects.select_for_update(skip_locked=True)
                .filter(queued_at=None)
                .order_by("id")[:CHUNK]
            )
            if not alerts:
                return queued
            _queue(alerts, surroundings)
            Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(queued_at=timezone.now())
            wake_mail()
        queued += len(alerts)


def _queue(alerts: list[Alert], surroundings: Letterhead) -> None:
    by_batch: defaultdict[UUID, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.kind == NEW_INVOICES:
            by_batch[alert.subject_uuid].append(alert)
        else:
            _queue_receipt(alert, surroundings)
    for batch, group in by_batch.items():
        _queue_new_invoices(batch, group, surroundings)


def _queue_new_invoices(batch: UUID, alerts: list[Alert], surroundings: Letterhead) -> None:
    invoices = _new_invoices_by_address(batch, [alert.email for alert in alerts])
    active = set(
        Account.objects.filter(email__in=list(invoices), activated_at__isnull=False).values_list(
            "email", flat=True
        )
    )
    standings = standings_of({invoice.pk: invoice for told in invoices.values() for invoice in told}.values())
    for alert in alerts:
        if not invoices[alert.email]:
            continue  # taken back meanwhile: there is nothing to announce
        with translation.override(alert.language):
            content = messages.new_invoices(
                invoices=invoices[alert.email],
                standings=standings,
                town=surroundings["townhall"].name,
                address=surroundings["address"],
                has_account=alert.email in active,
                unsubscribe_url=unsubscribing.url(
                    address=surroundings["address"], email=alert.email, kinds=[NEW_INVOICES]
                ),
            )
            queue_mail(
                kind="alert-new-invoices",
                to=alert.email,
                content=content,
                surroundings=surroundings,
                key=alert.key,
                then_wake=False,
            )


def _new_invoices_by_address(batch: UUID, addresses: list[str]) -> dict[str, list[Invoice]]:
    """address → the batch's published invoices that it may be told of, in a bounded number of queries."""
    payers: defaultdict[int, set[str]] = defaultdict(set)
    accounts = Access.objects.filter(account__email__in=addresses, ended_at=None)
    for payer, email in accounts.values_list("payer_id", "account__email"):
        payers[payer].add(email)
    for payer, email in PayerEmail.objects.filter(email__in=addresses).values_list("payer_id", "email"):
        payers[payer].add(email)
    found: dict[str, list[Invoice]] = {address: [] for address in addresses}
    invoices = Invoice.objects.filter(batch__uuid=batch, state=InvoiceState.PUBLISHED, payer__in=list(payers))
    for invoice in invoices.order_by("due_on", "id"):
        for address in payers[invoice.payer_id]:
            found[address].append(invoice)
    return found


def _queue_receipt(alert: Alert, surroundings: Letterhead) -> None:
    payment = (
        Payment.objects.select_related("attempt")
        .prefetch_related("allocations__invoice")
        .get(uuid=alert.subject_uuid)
    )
    with translation.override(alert.language):
        content = messages.receipt(
            payment=payment, town=surroundings["townhall"].name, address=surroundings["address"]
        )
        queue_mail(
            kind="receipt",
            to=alert.email,
            content=content,
            surroundings=surroundings,
            key=alert.key,
            then_wake=False,
        )
