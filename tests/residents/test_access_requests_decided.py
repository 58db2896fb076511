"""A payer joined with a paper invoice: the link that proves the address, what staff decide, what grows old, races."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, Role
from shared_apps.accounts.services import check_credentials
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices import paper_proof
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.paper_proof import InvoiceCopy, request_access, request_access_by_mail
from tenant_apps.residents import activation
from tenant_apps.residents.access_requests import services as access_requests
from tenant_apps.residents.access_requests.services import Outcome
from tenant_apps.residents.account import addresses
from tenant_apps.residents.errors import AccessRequestClosed, PaperGone
from tenant_apps.residents.models import Access, AccessRequest, PayerEmail
from tenant_apps.residents.queries import payers_of
from tenant_apps.residents.tasks import handle_access_requests
from tenants.models import AgendaItem, Town
from tests.conftest import PASSWORD
from tests.races import at_once
from tests.residents.test_access_requests import (
    NEW,
    Accounts,
    Invoices,
    Payers,
    alice,
    at_once_town,
    copy_of,
    invoice,
    right,
    setting,
    waiting,
)

__all__ = ["alice", "at_once_town", "invoice", "right"]  # fixtures
from tests.residents.mails import ask_address, lien

# --- Without a session ---------------------------------------------------------------------------


def ask(copy: InvoiceCopy, email: str = NEW) -> str:
    request_access_by_mail(email=email, copy=copy)
    handle_access_requests()
    return lien("link-claim", email.lower())


def test_the_proof_and_the_address_are_both_needed(
    at_once_town: None, invoice: Invoice, right: InvoiceCopy
) -> None:
    token = ask(right, email=NEW.upper())
    account = Account.objects.get(email=NEW)
    assert not payers_of(account).exists()  # the proof alone opens nothing
    assert token not in str(list(Link.objects.values()))
    outcome = paper_proof.confirm_access_request(token=token, password=PASSWORD)
    assert outcome == Outcome.JOINED
    assert list(payers_of(account)) == [invoice.payer]
    assert check_credentials(email=NEW, password=PASSWORD, ip="192.0.2.1") == account
    with pytest.raises(errors.LinkUsed):
        paper_proof.confirm_access_request(token=token, password=PASSWORD)


def test_what_was_refused_at_the_address_stays_refused(
    at_once_town: None, invoice: Invoice, right: InvoiceCopy
) -> None:
    """By the link under a message, before there was an account."""
    PayerEmail.objects.create(payer=invoice.payer, email=NEW)
    activation.refuse_at_address(actor="visitor", email=NEW, kinds=["new_invoices"])
    paper_proof.confirm_access_request(token=ask(right), password=PASSWORD)
    assert Account.objects.get(email=NEW).refused == {"new_invoices"}


def test_with_approval_the_confirmed_access_request_waits(invoice: Invoice, right: InvoiceCopy) -> None:
    token = ask(right)
    assert AccessRequest.objects.get().state == "asked"
    assert paper_proof.confirm_access_request(token=token, password=PASSWORD) == Outcome.WAITING
    account = Account.objects.get(email=NEW)
    assert account.activated_at is not None
    assert not payers_of(account).exists()
    assert waiting(account).payer == invoice.payer


def test_an_active_account_confirms_without_a_password(
    at_once_town: None, alice: Account, invoice: Invoice, right: InvoiceCopy
) -> None:
    token = ask(right, email=alice.email)
    assert paper_proof.confirm_access_request(token=token) == Outcome.JOINED
    assert list(payers_of(alice)) == [invoice.payer]
    assert check_credentials(email=alice.email, password=PASSWORD, ip="192.0.2.1") == alice


def test_the_link_of_an_access_request_changes_no_password(alice: Account, right: InvoiceCopy) -> None:
    token = ask(right, email=alice.email)
    with pytest.raises(errors.LinkUnknown):
        activation.activate(token=token, password="un autre bien long")
    assert check_credentials(email=alice.email, password=PASSWORD, ip="192.0.2.1") == alice


def test_another_link_confirms_no_access_request(
    at_once_town: None, invoice: Invoice, right: InvoiceCopy
) -> None:
    """Whoever only resets a password has not agreed to see a stranger's record."""
    ask(right)
    Link.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
    activation.request_activation(email=NEW)
    activation.handle_links()
    mail = OutgoingMail.objects.get(kind="link-activation")
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found
    account = activation.activate(token=found[1], password=PASSWORD)
    assert not payers_of(account).exists()
    with pytest.raises(errors.LinkUnknown):
        paper_proof.confirm_access_request(token=found[1] + "0")
    assert (
        paper_proof.confirm_access_request(token=lien("link-claim", NEW)) == Outcome.JOINED
    )  # its own link still does


def test_a_weak_password_leaves_the_link_usable(
    at_once_town: None, invoice: Invoice, right: InvoiceCopy
) -> None:
    token = ask(right)
    for weak in ("", "court"):
        with pytest.raises(errors.WeakPassword):
            paper_proof.confirm_access_request(token=token, password=weak)
    assert AccessRequest.objects.get().state == "asked"
    assert paper_proof.confirm_access_request(token=token, password=PASSWORD) == Outcome.JOINED


def test_a_wrong_paper_leaves_nothing(town: Town, right: InvoiceCopy) -> None:
    request_access_by_mail(email=NEW, copy=replace(right, amount=Decimal("1")))
    assert AccessRequest.objects.get().payer is None
    assert access_requests.handle_access_requests() == 1
    assert not AccessRequest.objects.exists()
    assert not Account.objects.exists()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("change", [{"role": Role.CLERK}, {"is_active": False}])
def test_staff_and_closed_accounts_get_nothing(
    alice: Account, right: InvoiceCopy, change: dict[str, Any]
) -> None:
    Account.objects.update(**change)
    request_access_by_mail(email=alice.email, copy=right)
    handle_access_requests()
    assert not AccessRequest.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_asked_twice_within_a_minute_sends_one_message(right: InvoiceCopy) -> None:
    request_access_by_mail(email=NEW, copy=right)
    request_access_by_mail(email=NEW, copy=right)
    handle_access_requests()
    assert OutgoingMail.objects.count() == 1
    assert AccessRequest.objects.count() == 1


def test_asked_twice_and_confirmed_twice(at_once_town: None, invoice: Invoice, right: InvoiceCopy) -> None:
    first = ask(right)
    AccessRequest.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    second = ask(right)
    assert first != second
    assert paper_proof.confirm_access_request(token=first, password=PASSWORD) == Outcome.JOINED
    assert paper_proof.confirm_access_request(token=second) == Outcome.ALREADY
    assert AccessRequest.objects.count() == 1


def test_an_invoice_cancelled_before_the_link_is_opened_is_left_to_staff(
    at_once_town: None, invoice: Invoice, right: InvoiceCopy
) -> None:
    token = ask(right)
    Invoice.objects.update(state="cancelled")
    assert paper_proof.confirm_access_request(token=token, password=PASSWORD) == Outcome.WAITING


def test_a_payer_erased_before_the_link_is_opened(
    at_once_town: None, invoice: Invoice, right: InvoiceCopy
) -> None:
    token = ask(right)
    payer = invoice.payer
    invoice.delete()
    payer.delete()
    assert paper_proof.confirm_access_request(token=token, password=PASSWORD) == Outcome.GONE
    assert Account.objects.get(email=NEW).activated_at is not None


def test_an_expired_link(at_once_town: None, right: InvoiceCopy) -> None:
    token = ask(right)
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(errors.LinkExpired):
        paper_proof.confirm_access_request(token=token, password=PASSWORD)
    assert not Access.objects.exists()


# --- Deciding ------------------------------------------------------------------------------------


def test_refused_with_a_reason(alice: Account, right: InvoiceCopy) -> None:
    request_access(actor=alice, copy=right)
    access_request = waiting(alice)
    access_requests.refuse_access_request(
        actor="system", access_request=access_request, reason="Nous ne vous connaissons pas."
    )
    access_requests.refuse_access_request(
        actor="system", access_request=access_request, reason="Une autre raison."
    )  # twice changes nothing
    access_request.refresh_from_db()
    assert (access_request.state, access_request.reason) == ("refused", "Nous ne vous connaissons pas.")
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to) == ("claim-refused", alice.email)
    assert "Nous ne vous connaissons pas." in mail.text
    assert AuditEntry.objects.filter(verb="claim.refused").count() == 1
    with pytest.raises(AccessRequestClosed):
        paper_proof.accept_access_request(actor="system", access_request=access_request)
    assert not payers_of(alice).exists()


def test_accepted_twice_and_then_too_late_to_refuse(
    alice: Account, invoice: Invoice, right: InvoiceCopy
) -> None:
    request_access(actor=alice, copy=right)
    access_request = waiting(alice)
    for _ in range(2):
        paper_proof.accept_access_request(actor="system", access_request=access_request)
    assert OutgoingMail.objects.filter(kind="claim-accepted").count() == 1
    assert Access.objects.count() == 1
    with pytest.raises(AccessRequestClosed):
        access_requests.refuse_access_request(
            actor="system", access_request=access_request, reason="Trop tard."
        )
    with pytest.raises(AccessRequestClosed):
        access_requests.withdraw_access_request(actor=alice, access_request=access_request)


def test_withdrawn(alice: Account, right: InvoiceCopy) -> None:
    request_access(actor=alice, copy=right)
    access_request = waiting(alice)
    for _ in range(2):
        access_requests.withdraw_access_request(actor=alice, access_request=access_request)
    with pytest.raises(AccessRequestClosed):
        paper_proof.accept_access_request(actor="system", access_request=access_request)
    assert not payers_of(alice).exists()
    assert AuditEntry.objects.filter(verb="claim.withdrawn").count() == 1
    assert request_access(actor=alice, copy=right) == Outcome.WAITING  # and may be asked again


@pytest.mark.parametrize("what", ["cancelled", "another payer"])
def test_an_invoice_that_is_no_longer_theirs_is_not_accepted(
    alice: Account, invoice: Invoice, right: InvoiceCopy, make_payer: Payers, what: str
) -> None:
    request_access(actor=alice, copy=right)
    Invoice.objects.update(**({"state": what} if what == "cancelled" else {"payer": make_payer()}))
    with pytest.raises(PaperGone):
        paper_proof.accept_access_request(actor="system", access_request=waiting(alice))
    assert not payers_of(alice).exists()
    access_requests.refuse_access_request(
        actor="system", access_request=waiting(alice), reason="Facture annulée."
    )


def test_whoever_took_the_address_leaves_no_access_request_behind(alice: Account, right: InvoiceCopy) -> None:
    ask_address(alice, "thief@example.net")
    activation.handle_links()
    mail = OutgoingMail.objects.get(kind="link-address")
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found
    addresses.confirm_address(token=found[1])
    alice.refresh_from_db()
    request_access(actor=alice, copy=right)
    back = OutgoingMail.objects.get(kind="address-changed")
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", back.text)
    assert found
    addresses.put_address_back(token=found[1])
    assert AccessRequest.objects.get().state == "withdrawn"


# --- The agenda ----------------------------------------------------------------------------------


def due(town: Town) -> Any:
    item = AgendaItem.objects.filter(town=town, kind="claims").first()
    return item and item.due_at


def test_nobody_decides_in_sixty_days(town: Town, alice: Account, right: InvoiceCopy) -> None:
    request_access(actor=alice, copy=right)
    access_request = waiting(alice)
    handle_access_requests()
    access_request.refresh_from_db()
    assert access_request.state == "waiting"
    assert due(town) == access_request.asked_at + access_requests.LIFE
    AccessRequest.objects.update(asked_at=timezone.now() - access_requests.LIFE)
    handle_access_requests()
    access_request.refresh_from_db()
    assert access_request.state == "expired"
    assert due(town) is None
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to) == ("claim-expired", alice.email)


def test_nobody_confirms(town: Town, right: InvoiceCopy) -> None:
    ask(right)
    assert due(town) is not None
    AccessRequest.objects.update(asked_at=timezone.now() - access_requests.UNCONFIRMED)
    handle_access_requests()
    assert not AccessRequest.objects.exists()
    assert due(town) is None


# --- Two connections -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["approval", "at_once"])
def test_two_connections_access_request_once(
    live_town: Town, make_account: Accounts, make_payer: Payers, make_invoice: Invoices, mode: str
) -> None:
    alice, invoice = make_account("alice@example.net"), make_invoice(make_payer(email="connue@example.net"))
    setting(mode)
    outcomes: list[Outcome | None] = []
    act = lambda: outcomes.append(request_access(actor=alice, copy=copy_of(invoice)))  # noqa: E731
    assert at_once(live_town, act, act, act, act) == []
    assert AccessRequest.objects.count() == 1
    assert Access.objects.count() == (mode == "at_once")
    assert OutgoingMail.objects.count() == (mode == "at_once")
    first = {"approval": Outcome.WAITING, "at_once": Outcome.JOINED}[mode]
    again = {"approval": Outcome.WAITING, "at_once": Outcome.ALREADY}[mode]
    assert sorted(map(str, outcomes)) == sorted([first, again, again, again])


def test_staff_decide_twice_at_once(
    live_town: Town, make_account: Accounts, make_payer: Payers, make_invoice: Invoices
) -> None:
    alice, invoice = make_account("alice@example.net"), make_invoice(make_payer())
    request_access(actor=alice, copy=copy_of(invoice))
    access_request = waiting(alice)
    accept = lambda: paper_proof.accept_access_request(actor="system", access_request=access_request)  # noqa: E731
    refuse = lambda: access_requests.refuse_access_request(  # noqa: E731
        actor="system", access_request=access_request, reason="Non."
    )
    withdraw = lambda: access_requests.withdraw_access_request(actor=alice, access_request=access_request)  # noqa: E731
    raised = at_once(live_town, accept, accept, refuse, withdraw)
    assert {type(error) for error in raised} == {AccessRequestClosed}
    access_request.refresh_from_db()
    ends = AuditEntry.objects.filter(verb__in=["claim.accepted", "claim.refused", "claim.withdrawn"])
    assert [fact.verb for fact in ends] == [f"claim.{access_request.state}"]
    assert Access.objects.filter(account=alice, ended_at=None).count() == (access_request.state == "accepted")
    assert len(raised) == (2 if access_request.state == "accepted" else 3)


def test_two_workers_send_one_link(live_town: Town, make_payer: Payers, make_invoice: Invoices) -> None:
    invoice = make_invoice(make_payer())
    request_access_by_mail(email=NEW, copy=copy_of(invoice))
    assert (
        at_once(live_town, access_requests.handle_access_requests, access_requests.handle_access_requests)
        == []
    )
    assert OutgoingMail.objects.filter(kind="link-claim").count() == 1
    act = lambda: paper_proof.confirm_access_request(token=lien("link-claim", NEW), password=PASSWORD)  # noqa: E731
    raised = at_once(live_town, act, act)
    assert len(raised) == 1
    assert isinstance(raised[0], errors.LinkUsed)
    assert AccessRequest.objects.get().state == "waiting"
