"""An address that is removed from a payer gets nothing: neither planned, written, nor retried messages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.mail.models import MailState, OutgoingMail
from shared_apps.mail.sending.delivery import deliver_outbox
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.notices import reminders
from tenant_apps.notices.mails.new_invoices import plan_new_invoice_notices
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.queries import mails_about
from tenant_apps.notices.services import queue_planned
from tenant_apps.residents import activation, sharing
from tenant_apps.residents.emails import billing
from tenant_apps.residents.models import Access, Payer, PayerEmail
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall.models import AlertAudience
from tenants.models import AgendaItem, Town

ALICE = "alice@example.net"
TAKE = [
    lambda payer: billing.remove_email(actor="account:clerk", payer=payer, email=ALICE),
    lambda payer: billing.replace_emails({payer.pk: []}, actor="system"),
]


@pytest.fixture(autouse=True)
def _known(choose: Callable[..., None]) -> None:
    choose(alert_audience=AlertAudience.KNOWN, remind_before=7, remind_after=3)


@pytest.fixture
def payer(town: Town, make_payer: Callable[..., Payer]) -> Payer:
    return make_payer(email=ALICE)


def new_batch(*payers: Payer, make_invoice: Callable[..., Invoice]) -> Batch:
    batch = Batch.objects.create(
        source=default_source(), created_by="system", rows_name="x.csv", state="published"
    )
    for payer in payers:
        make_invoice(payer, batch=batch, subject=f"CANTINE {payer.reference}")
    return batch


def told() -> list[str]:
    return list(OutgoingMail.objects.filter(to=ALICE).values_list("text", flat=True))


@pytest.mark.parametrize("take", TAKE)
@pytest.mark.parametrize("moment", ["before", "planned", "written", "failed"])
@pytest.mark.parametrize("account", [True, False])
def test_new_invoices(
    payer: Payer, make_account: Any, make_invoice: Any, take: Any, moment: str, account: bool
) -> None:
    if account:
        activation.grant_known_payers(account=make_account(ALICE))
    batch = new_batch(payer, make_invoice=make_invoice)
    if moment == "before":
        take(payer)
    plan_new_invoice_notices(batch=batch.uuid)
    if moment == "planned":
        take(payer)
    queue_planned()
    if moment in ("written", "failed"):
        assert told()
        if moment == "failed":
            OutgoingMail.objects.update(state=MailState.FAILED)
        take(payer)
        queue_planned()
    assert told() == []


@pytest.mark.parametrize("take", TAKE)
def test_what_the_address_is_still_told_of_is_told(
    payer: Payer, make_payer: Any, make_invoice: Any, make_owed: Any, take: Any
) -> None:
    """One message was about two payers: it is written again, about the remaining one."""
    other = make_payer(email=ALICE)
    batch = new_batch(payer, other, make_invoice=make_invoice)
    plan_new_invoice_notices(batch=batch.uuid)
    queue_planned()
    for one in (payer, other):
        make_owed(one, 7, subject=f"EAU {one.reference}")
    reminders.send_reminders()
    assert sum(payer.reference in text for text in told()) == 2
    AgendaItem.objects.filter(kind=reminders.KIND).delete()
    take(payer)
    assert AgendaItem.objects.get(kind=reminders.KIND).due_at <= timezone.now()
    queue_planned()
    reminders.send_reminders()
    assert len(told()) == 2
    assert all(other.reference in text and payer.reference not in text for text in told())


@pytest.mark.parametrize("take", TAKE)
@pytest.mark.parametrize("moment", ["before", "written"])
@pytest.mark.parametrize("account", [True, False])
def test_reminders(
    payer: Payer, make_account: Any, make_owed: Any, take: Any, moment: str, account: bool
) -> None:
    if account:
        activation.grant_known_payers(account=make_account(ALICE))
    make_owed(payer, 7)
    if moment == "written":
        reminders.send_reminders()
        assert told()
    take(payer)
    reminders.send_reminders()
    assert told() == []


def test_what_left_stays_and_staff_still_read_it(payer: Payer, make_invoice: Any, mailbox: Any) -> None:
    batch = new_batch(payer, make_invoice=make_invoice)
    plan_new_invoice_notices(batch=batch.uuid)
    queue_planned()
    deliver_outbox()
    TAKE[0](payer)
    queue_planned()
    assert len(mailbox()) == 1
    assert mails_about(Invoice.objects.get()).get().to == ALICE


def test_one_whose_access_staff_cut_is_told_nothing_either(
    payer: Payer, make_account: Any, make_invoice: Any
) -> None:
    bob: Account = make_account("bob@example.net")
    access = Access.objects.create(account=bob, payer=payer, granted_by=bob.uuid)
    plan_new_invoice_notices(batch=new_batch(payer, make_invoice=make_invoice).uuid)
    queue_planned()
    sharing.cut_access(actor="account:clerk", access=access)
    queue_planned()
    assert list(OutgoingMail.objects.values_list("to", flat=True)) == [ALICE]


def test_others_keep_what_waits_for_them(payer: Payer, make_payer: Any, make_invoice: Any) -> None:
    other = make_payer(email="bob@example.net")
    PayerEmail.objects.create(payer=payer, email="carole@example.net")
    plan_new_invoice_notices(batch=new_batch(payer, other, make_invoice=make_invoice).uuid)
    queue_planned()
    before = set(OutgoingMail.objects.exclude(to=ALICE).values_list("uuid", flat=True))
    TAKE[0](payer)
    queue_planned()
    assert set(OutgoingMail.objects.values_list("uuid", flat=True)) == before
    assert len(before) == 2


def test_a_reminder_of_another_day_is_not_forgotten(payer: Payer, make_owed: Any) -> None:
    """The message of today is dropped; what was told last week stays noted."""
    old = make_owed(payer, 7)
    reminders.send_reminders()
    week = timezone.now() - timedelta(days=5)
    PlannedNotice.objects.update(queued_at=week)
    OutgoingMail.objects.update(state=MailState.SENT, key=f"reminders:{week.date()}:{ALICE}")
    make_owed(payer, 6)
    reminders.send_reminders()
    billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    assert PlannedNotice.objects.filter(subject_uuid=old.uuid).exists()
    assert OutgoingMail.objects.get().state == MailState.SENT
