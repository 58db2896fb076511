"""Reminders: who gets one, when, and never twice."""

import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts import services as accounts
from shared_apps.accounts.models import Account
from shared_apps.mail import notices
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices import reminders
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.queries import mails_about
from tenant_apps.notices.tasks import send_reminders
from tenant_apps.payments.models import Attempt, Declaration
from tenant_apps.residents.models import PayerEmail
from tenant_apps.townhall.services import change_townhall
from tenants.archive import copies
from tenants.models import AgendaItem, Town
from toolkit import clock
from toolkit.clock import PARIS

ALICE, BOB = "alice@example.net", "bob@example.net"
Owed, Choose = Callable[..., Invoice], Callable[..., None]


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account(ALICE)


@pytest.fixture
def payer(alice: Account, make_payer: Any) -> Any:
    return make_payer(alice)


def told() -> dict[str, str]:
    """Address → text of the only reminder it got."""
    mails = OutgoingMail.objects.filter(kind="alert-reminder")
    assert len({mail.to for mail in mails}) == len(mails)
    return {mail.to: mail.text for mail in mails}


def test_all_of_a_person_s_invoices_in_one_message(
    payer: Any, alice: Account, make_owed: Owed, make_payer: Any
) -> None:
    first, second = make_owed(payer, 7), make_owed(make_payer(alice), 5, amount="10")
    elsewhere = make_owed(make_payer(), 7)
    assert reminders.send_reminders() == 1
    (mail,) = OutgoingMail.objects.filter(kind="alert-reminder")
    assert mail.to == ALICE
    assert mail.subject == "Rappel : 2 factures arrivent à échéance – Mairie de Démonstration"
    assert first.number in mail.text
    assert second.number in mail.text
    assert "47,50" in mail.text
    assert elsewhere.number not in mail.text
    assert set(mails_about(first)) == {mail}
    assert not mails_about(elsewhere)


def test_run_again_the_same_day_and_later_it_sends_nothing_more(
    payer: Any, make_owed: Owed, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make_owed(payer, 7)
    assert [reminders.send_reminders() for _ in range(3)] == [1, 0, 0]
    tomorrow = clock.today() + timedelta(days=1)
    monkeypatch.setattr(reminders.clock, "today", lambda: tomorrow)
    assert reminders.send_reminders() == 0
    assert PlannedNotice.objects.filter(subject_uuid=invoice.uuid).count() == 1


@pytest.mark.parametrize(
    ("days", "online_for", "sent"),
    [
        (8, 90, False),  # not yet
        (7, 90, True),
        (1, 90, True),  # the worker was down for six days
        (0, 90, False),  # a week late: not sent any more
        (-1, 90, False),  # past its due date: only the late reminder applies
        (7, 0, False),  # put online today, and announced just now
        (3, 2, False),  # put online after the day of the reminder
    ],
)
def test_the_day(payer: Any, make_owed: Owed, days: int, online_for: int, sent: bool) -> None:
    make_owed(payer, days, online_for=online_for)
    assert bool(reminders.send_reminders()) is sent


@pytest.mark.parametrize(("days", "sent"), [(-2, False), (-3, True), (-9, True), (-10, False), (-400, False)])
def test_the_late_reminder(payer: Any, make_owed: Owed, choose: Choose, days: int, sent: bool) -> None:
    """A town that turns it on does not write about invoices that have been late for long."""
    make_owed(payer, days)
    assert reminders.send_reminders() == 0  # off unless the town turns it on
    choose(remind_after=3)
    assert bool(reminders.send_reminders()) is sent
    if sent:
        assert "n'est" not in told()[ALICE].split(":")[0]
        assert "En retard" in told()[ALICE]


def test_both_reminders_are_one_message(payer: Any, make_owed: Owed, choose: Choose) -> None:
    choose(remind_after=3)
    late, soon = make_owed(payer, -3), make_owed(payer, 7)
    assert reminders.send_reminders() == 1
    text = told()[ALICE]
    assert text.index("En retard") < text.index(late.number) < text.index(soon.number)
    assert "2 factures restent à régler" in text
    assert "passée pour 1" in text


def test_each_setting_alone(payer: Any, make_owed: Owed, choose: Choose) -> None:
    make_owed(payer, 7)
    choose(remind_before=None)
    assert reminders.send_reminders() == 0
    assert reminders.next_look() is None
    choose(remind_before=7, alert_audience="nobody")
    assert reminders.send_reminders() == 0
    assert reminders.next_look() is None
    choose(alert_audience="accounts")
    assert reminders.send_reminders() == 1


def attempt_on(invoice: Invoice, account: Account) -> Attempt:
    return Attempt.objects.create(
        invoice=invoice,
        account=account,
        product=invoice.product,
        provider="payfip",
        merchant="001964",
        fiscal_year="2026",
        reference=invoice.reference,
        label="Facture",
        amount=invoice.amount,
        email=account.email,
        mode="W",
        free_at=timezone.now(),
    )


def test_never_for_what_needs_none(payer: Any, alice: Account, make_owed: Owed, choose: Choose) -> None:
    choose(remind_after=3)
    for days in (7, -3):
        make_owed(payer, days, paid=Decimal("37.50"))
        make_owed(payer, days, state="cancelled")
        make_owed(payer, days, state="draft")
        make_owed(payer, days, online_hold="debit")
        make_owed(payer, days, online_hold="dispute")
        attempt_on(make_owed(payer, days), alice)
        Declaration.objects.create(invoice=make_owed(payer, days))
    assert reminders.send_reminders() == 0
    partly = make_owed(payer, 7, paid=Decimal("7.50"))
    assert reminders.send_reminders() == 1
    assert partly.number in told()[ALICE]
    assert "30,00" in told()[ALICE]  # what remains to pay


def test_what_frees_an_invoice_is_seen_the_next_morning(
    payer: Any, alice: Account, make_owed: Owed, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make_owed(payer, 7)
    attempt = attempt_on(invoice, alice)
    send_reminders()
    assert not told()
    tomorrow = clock.today() + timedelta(days=1)
    look = reminders.next_look()
    assert look is not None
    assert look.astimezone(PARIS).date() == tomorrow
    Attempt.objects.filter(pk=attempt.pk).update(state="expired")
    monkeypatch.setattr(reminders.clock, "today", lambda: tomorrow)
    assert reminders.send_reminders() == 1


def test_a_refused_declaration_counts_no_more(payer: Any, make_owed: Owed) -> None:
    Declaration.objects.create(invoice=make_owed(payer, 7), refused_at=timezone.now())
    assert reminders.send_reminders() == 1


def test_one_message_a_day_whatever_comes(
    payer: Any, make_owed: Owed, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_owed(payer, 7)
    assert reminders.send_reminders() == 1
    later = make_owed(payer, 6)
    assert reminders.send_reminders() == 0
    look = reminders.next_look()
    assert look is not None
    tomorrow = clock.today() + timedelta(days=1)
    assert look.astimezone(PARIS).date() == tomorrow
    monkeypatch.setattr(reminders.clock, "today", lambda: tomorrow)
    PlannedNotice.objects.update(queued_at=timezone.now() - timedelta(days=1))
    assert reminders.send_reminders() == 1
    assert later.number in OutgoingMail.objects.latest("id").text


def test_each_according_to_their_own_choice(
    make_account: Any, make_payer: Any, make_owed: Owed, choose: Choose, alice: Account
) -> None:
    bob = make_account(BOB)
    make_owed(make_payer(alice, bob), 7)
    accounts.choose_notices(actor=bob, wanted=["new_invoices"], among=[one.name for one in notices.choices()])
    assert reminders.send_reminders() == 1
    assert set(told()) == {ALICE}


def test_whom_the_audience_names(
    make_account: Any, make_payer: Any, make_owed: Owed, choose: Choose, alice: Account
) -> None:
    cut, closed, fresh = make_account(BOB), make_account("closed@example.net"), "known@example.net"
    Account.objects.filter(pk=closed.pk).update(is_active=False)
    payer = make_payer(alice, cut, closed, email=fresh)
    payer.accesses.filter(account=cut).update(ended_at=timezone.now())
    PayerEmail.objects.create(payer=payer, email=ALICE)
    make_owed(payer, 7)
    reminders.send_reminders()
    assert set(told()) == {ALICE}
    choose(alert_audience="known")
    reminders.send_reminders()
    assert set(told()) == {ALICE, fresh}
    assert "/activation/" in told()[fresh]
    assert "/factures/" in told()[ALICE]


def test_an_address_that_refused_is_left_alone_for_every_payer(
    town: Town, make_payer: Any, make_owed: Owed, choose: Choose
) -> None:
    choose(alert_audience="known")
    first, second = make_payer(email=BOB), make_payer(email=BOB)
    PayerEmail.objects.filter(payer=first).update(refused_alerts=["reminder"])
    make_owed(second, 7)
    assert reminders.send_reminders() == 0


@pytest.mark.parametrize("people", [1, 30])
def test_it_costs_the_same_for_one_and_for_thirty(
    town: Town, make_payer: Any, make_owed: Owed, choose: Choose, people: int
) -> None:
    choose(alert_audience="known")
    for n in range(people):
        payer = make_payer(email=f"p{n}@example.net")
        make_owed(payer, 7)
        make_owed(payer, 6)
    with CaptureQueriesContext(connection) as asked:
        assert reminders.send_reminders() == people
    statements = [
        q["sql"] for q in asked if q["sql"].startswith(("SELECT", "INSERT", "UPDATE", "WITH", "\nWITH"))
    ]
    assert len(statements) <= 12, statements


def test_more_than_a_chunk(
    town: Town, make_payer: Any, make_owed: Owed, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "CHUNK", 2)
    choose(alert_audience="known")
    payers = [make_payer(email=f"p{n}@example.net") for n in range(5)]
    for payer in payers * 2:
        make_owed(payer, 7)
    assert reminders.send_reminders() == 5
    assert PlannedNotice.objects.count() == 10
    assert len(told()) == 5


def test_killed_between_two_chunks_it_goes_on(
    town: Town, make_payer: Any, make_owed: Owed, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "CHUNK", 2)
    choose(alert_audience="known")
    for n in range(5):
        make_owed(make_payer(email=f"p{n}@example.net"), 7)
    whole, calls = reminders.notify_all, []

    def dies(mails: Any) -> None:
        calls.append(1)
        whole(mails)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(reminders, "notify_all", dies)
    with pytest.raises(KeyboardInterrupt):
        reminders.send_reminders()
    assert (len(told()), PlannedNotice.objects.count()) == (2, 2)  # the second chunk was undone
    monkeypatch.setattr(reminders, "notify_all", whole)
    assert reminders.send_reminders() == 3
    assert len(told()) == 5


def test_two_workers_at_once(live_town: Town, make_payer: Any, make_account: Any, make_owed: Owed) -> None:
    for n in range(6):
        payer = make_payer(make_account(f"p{n}@example.net"))
        make_owed(payer, 7)
        make_owed(payer, 6)
    barrier, raised = threading.Barrier(3), []

    def run() -> None:
        try:
            with tenant_context(live_town):
                barrier.wait(10)
                reminders.send_reminders()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not raised
    assert OutgoingMail.objects.filter(kind="alert-reminder").count() == 6
    assert PlannedNotice.objects.count() == 12


def test_the_agenda_sleeps_until_the_day(payer: Any, make_owed: Owed, town: Town) -> None:
    invoice = make_owed(payer, 30)
    AgendaItem.objects.create(town=town, kind="reminders", due_at=timezone.now())
    send_reminders()
    item = AgendaItem.objects.get(town=town, kind="reminders")
    day = item.due_at.astimezone(PARIS)
    assert day.date() == invoice.due_on - timedelta(days=7)
    assert time(9) <= day.time() <= time(10, 30)
    Invoice.objects.update(paid=Decimal("37.50"))
    send_reminders()
    # a town with nothing to do costs nothing
    assert not AgendaItem.objects.filter(town=town, kind="reminders").exists()


def test_facts_wake_it_in_the_coming_morning(payer: Any, town: Town) -> None:
    change_townhall(actor="system", remind_after=5)
    item = AgendaItem.objects.get(town=town, kind="reminders")
    assert timezone.now() < item.due_at <= timezone.now() + timedelta(days=1, hours=2)
    local = item.due_at.astimezone(PARIS)
    assert local >= datetime.combine(local.date(), time(9), PARIS)


def test_a_copy_reminds_nobody(payer: Any, make_owed: Owed, choose: Choose) -> None:
    make_owed(payer, 7)
    choose(remind_after=3)
    copies.announce()
    assert reminders.send_reminders() == 0
