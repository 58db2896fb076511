"""The nightly audit names each difference that a test makes on purpose. A correct town shows none."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django_tenants.utils import schema_context

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import tasks
from tenant_apps.payments.control import auditing
from tenant_apps.payments.control.evidence import shown
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Allocation, Attempt, Finding, FindingKind, LedgerLine, Means, Payment
from tenant_apps.payments.online import paying
from tenant_apps.payments.online.incoming.notifications import receive
from tenant_apps.payments.queries import open_findings
from tenants.models import AgendaItem, Town
from tests.payments.conftest import Simulator
from toolkit.scope import EVERYTHING

TABLES = (
    "payments_allocation",
    "payments_attempt",
    "payments_attemptinvoice",
    "payments_ledgerline",
    "payments_payment",
    "payments_refund",
)


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def paid(
    alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice], simulator: Simulator
) -> Attempt:
    """An attempt that was paid through the simulator."""
    attempt = paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt
    simulator.act(attempt.operation, "pay")
    found = paying.ask(attempt=attempt, source="poller")
    assert found.state == "paid"
    return found


def without_triggers(statement: str, *values: object) -> None:
    """Run a statement without triggers, like a careless person in psql."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_sound_town(paid: Attempt) -> None:
    assert auditing.audit_money() == []
    assert not Finding.objects.exists()
    assert AuditEntry.objects.filter(verb="money.audited", new={"differences": 0}).count() == 1


def test_a_ledger_that_does_not_add_up(paid: Attempt) -> None:
    """The audit compares the ledger with the money, per payment and per invoice, every night."""
    without_triggers("UPDATE payments_ledgerline SET amount = 40 WHERE invoice_id = %s", paid.invoice_id)
    named = auditing.audit_money()
    assert {(d.kind, d.expected, d.found) for d in named} == {
        (FindingKind.LEDGER_DIFFERS, Decimal("37.50"), Decimal("40.00"))
    }
    assert len(named) == 2
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
        LedgerLine.objects.update(amount=1)


@pytest.mark.parametrize(
    ("statement", "kind", "expected", "found"),
    [
        ("UPDATE invoices_invoice SET paid = 30 WHERE id = %(invoice)s", "audit_paid", "37.50", "30.00"),
        ("UPDATE payments_allocation SET amount = 37 WHERE invoice_id = %(invoice)s", "audit_paid", "37.00", "37.50"),
        ("UPDATE payments_payment SET cancelled_at = now() WHERE attempt_id = %(id)s", "audit_paid", "0", "37.50"),
        ("UPDATE payments_attempt SET state = 'refused' WHERE id = %(id)s", "audit_state", "0", "37.50"),
        ("UPDATE payments_payment SET attempt_id = NULL WHERE attempt_id = %(id)s", "audit_lost", "37.50", "0"),
        ("UPDATE payments_payment SET amount = 40 WHERE attempt_id = %(id)s", "audit_sum", "37.50", "40.00"),
        ("UPDATE payments_attemptinvoice SET amount = 12 WHERE attempt_id = %(id)s", "audit_parts", "37.50", "12.00"),
        ("UPDATE payments_attempt SET mode = 'T' WHERE id = %(id)s", "audit_test", "0", "37.50"),
    ],
)  # fmt: skip
def test_broken_on_purpose(paid: Attempt, statement: str, kind: str, expected: str, found: str) -> None:
    without_triggers(statement.replace("%(invoice)s", str(paid.invoice_id)).replace("%(id)s", str(paid.pk)))
    named = auditing.audit_money()
    # A change of an allocation or a payment without its ledger line is reported too.
    behind = [FindingKind.LEDGER_DIFFERS, FindingKind.LEFT_OVER_DIFFERS]
    told = [(d.kind, str(d.expected), str(d.found)) for d in named if d.kind not in behind]
    assert told == [(kind, expected, found)]
    finding = open_findings(EVERYTHING).exclude(kind__in=behind).get()
    assert (finding.kind, finding.details) == (kind, {"expected": expected, "found": found})
    assert all(value.endswith("€") for _, value in shown(finding))
    if kind != "audit_lost":
        assert finding.invoice == paid.invoice
    with schema_context("public"):  # the operator's trail has the town and the number, no person
        entry = AuditEntry.objects.filter(verb="town.money_differs").get()
        assert entry.new[kind] == 1
        assert str(paid.invoice.number) not in str(entry.new)


def test_overspent(paid: Attempt) -> None:
    without_triggers("UPDATE payments_payment SET amount = 20 WHERE attempt_id = %s", paid.pk)
    kinds = {difference.kind for difference in auditing.differences()}
    assert kinds == {FindingKind.OVERSPENT, FindingKind.AMOUNT_DIFFERS, FindingKind.LEDGER_DIFFERS}


def test_what_was_refunded_counts_as_spent(paid: Attempt) -> None:
    payment = Payment.objects.get(attempt=paid)
    without_triggers(
        "INSERT INTO payments_refund (uuid, payment_id, amount, refunded_on, means, reason, recorded_by, recorded_at) "
        "VALUES (gen_random_uuid(), %s, 5, now(), 'cash', '', 'x', now())",
        payment.pk,
    )
    found = {one.kind: (one.expected, one.found) for one in auditing.differences()}
    assert found == {
        FindingKind.OVERSPENT: (Decimal("37.50"), Decimal("42.50")),
        FindingKind.LEDGER_DIFFERS: (Decimal("32.50"), Decimal("37.50")),
    }


def test_a_remainder_that_is_none(paid: Attempt) -> None:
    without_triggers("UPDATE payments_payment SET unallocated = 5 WHERE attempt_id = %s", paid.pk)
    assert [found.kind for found in auditing.differences()] == [FindingKind.LEFT_OVER_DIFFERS]


def test_a_remainder_that_is_forgotten(paid: Attempt) -> None:
    """Money left over that no screen would show is found."""
    without_triggers("UPDATE payments_allocation SET amount = 30 WHERE invoice_id = %s", paid.invoice_id)
    kinds = {found.kind for found in auditing.differences()}
    assert kinds == {FindingKind.PAID_DIFFERS, FindingKind.LEFT_OVER_DIFFERS, FindingKind.LEDGER_DIFFERS}


def test_a_late_notification_plans_it(paid: Attempt, town: Town) -> None:
    """An attempt of last month is paid late: the notification plans an audit for the next night."""
    tasks.audit_money()
    assert not planned(town)
    receive("payfip", paid.operation or "", {})
    assert planned(town)


def test_seen_twice_is_one_row_and_mended_is_closed(paid: Attempt) -> None:
    without_triggers("UPDATE invoices_invoice SET paid = 0 WHERE id = %s", paid.invoice_id)
    auditing.audit_money()
    auditing.audit_money()
    assert Finding.objects.get().times == 2
    without_triggers("UPDATE invoices_invoice SET paid = 37.50 WHERE id = %s", paid.invoice_id)
    assert auditing.audit_money() == []
    assert not open_findings(EVERYTHING).exists()
    assert Finding.objects.get().closed_by == "system"


def planned(town: Town) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM public.tenants_agendaitem WHERE town_id = %s AND kind = 'money-audit'", [town.pk]
        )
        return cursor.fetchone() is not None


def test_only_towns_where_money_moves_are_audited(paid: Attempt, town: Town) -> None:
    assert planned(town)
    tasks.audit_money()
    # The payment was booked before the audit, and no attempt is asked about any more.
    assert Payment.objects.filter(recorded_at__lt=timezone.now()).count() == 1
    assert not planned(town)


def test_a_town_whose_attempt_is_still_asked_about_is_audited_again(
    alice: Account,
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    simulator: Simulator,
    town: Town,
) -> None:
    paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice)))
    tasks.audit_money()
    assert planned(town)
    item = AgendaItem.objects.get(town=town, kind="money-audit")
    assert timedelta(0) < item.due_at - timezone.now() <= timedelta(hours=25)


def test_the_counter_plans_it_too(
    alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice], town: Town
) -> None:
    invoice = make_invoice(make_payer(alice))
    assert not planned(town)
    book_counter_payment(
        actor="system", invoice=invoice, means=Means.CASH, amount=Decimal("5"), paid_on=invoice.issued_on
    )
    assert planned(town)
    assert Allocation.objects.get().amount == 5
