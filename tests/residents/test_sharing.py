"""Another person's access to a payer: invited, accepted, withdrawn, ended; what each may do and learn."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Impersonation, Link, Role
from shared_apps.accounts.services import check_credentials
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Batch
from tenant_apps.notices.mails.new_invoices import plan_new_invoice_notices
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.residents import activation, sharing
from tenant_apps.residents.account import addresses
from tenant_apps.residents.errors import (
    AccessCut,
    NotAResident,
    PasswordWanted,
    SameAddress,
    TooManyInvitations,
    TooManyShares,
)
from tenant_apps.residents.models import Access, Payer, PayerEmail
from tenant_apps.residents.queries import invitations_to, payers_of, shared_accesses
from tenant_apps.residents.sources import default_source
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.residents.mails import ask_address, lien

ALICE, BOB, CHARLIE = "alice@example.net", "bob@example.net", "charlie@example.net"
Accounts = Callable[..., Account]


@pytest.fixture
def alice(town: Town, make_account: Accounts) -> Account:
    return make_account(ALICE)


@pytest.fixture
def payer(alice: Account, make_payer: Callable[..., Payer]) -> Payer:
    return make_payer(alice, last_name="MARTIN", first_name="Jeanne")


@pytest.fixture
def invite(alice: Account, payer: Payer) -> Callable[..., str]:
    """`invite(BOB)`: Alice invites, the worker writes; the token of the message."""

    def make(email: str = BOB, *, actor: Account = alice) -> str:
        sharing.invite(actor=actor, payer=payer, email=email)
        activation.handle_links()
        return lien("link-share", email)

    return make


@pytest.fixture
def bob(make_account: Accounts, invite: Callable[..., str], payer: Payer) -> Account:
    """Bob, who has accepted Alice's invitation."""
    account = make_account(BOB)
    sharing.accept_invitation(token=invite())
    return account


def test_the_whole_road_of_somebody_without_an_account(
    alice: Account,
    payer: Payer,
    invite: Callable[..., str],
    client_for: Callable[..., Client],
    make_invoice: Any,
) -> None:
    invoice, browser = make_invoice(payer), client_for()
    token = invite()
    mail = OutgoingMail.objects.get(kind="link-share")
    assert ALICE in mail.text
    assert "MARTIN" not in mail.text  # whose invoices they are is for whoever opens the link
    browser.get(f"/?LIEN={token}", follow=True)
    page = browser.get("/lien/").content.decode()
    assert "Jeanne MARTIN" in page
    assert 'type="password"' in page
    assert not Account.objects.filter(email=BOB).exists()  # looking changes nothing
    for wrong in ("", "court"):
        assert browser.post("/lien/", {"password": wrong}).status_code == 422
    assert not Account.objects.filter(email=BOB).exists()
    assert "ouvert" in browser.post("/lien/", {"password": PASSWORD}).content.decode()
    account = check_credentials(email=BOB, password=PASSWORD, ip="192.0.2.1")
    assert list(payers_of(account)) == [payer]
    assert client_for(account).get(f"/factures/{invoice.uuid}/").status_code == 200
    access = Access.objects.get(account=account)
    assert access.granted_by == alice.uuid
    assert OutgoingMail.objects.filter(kind="share-accepted", to=ALICE).count() == 1
    verbs = (
        AuditEntry.objects.filter(object=f"payer:{payer.uuid}").order_by("id").values_list("verb", flat=True)
    )
    assert list(verbs) == ["access.invited", "access.invitation_accepted"]
    with pytest.raises(errors.InvitationUsed):
        sharing.accept_invitation(token=token, password=PASSWORD)


def test_an_active_account_only_confirms_and_keeps_its_password(
    payer: Payer, invite: Callable[..., str], make_account: Accounts, client_for: Callable[..., Client]
) -> None:
    bob, browser, token = make_account(BOB), client_for(), invite()
    browser.get(f"/?LIEN={token}", follow=True)
    assert 'type="password"' not in browser.get("/lien/").content.decode()
    browser.post("/lien/", {"password": "celui d'un autre"})
    assert list(payers_of(bob)) == [payer]
    assert check_credentials(email=BOB, password=PASSWORD, ip="192.0.2.1") == bob


def test_inviting_reveals_nothing(
    alice: Account, payer: Payer, make_account: Accounts, client_for: Callable[..., Client]
) -> None:
    make_account(BOB)
    make_account("agent@example.net", role=Role.CLERK)
    pages = set()
    browser = client_for(alice)
    path = f"/mes-informations/dossiers/{payer.uuid}/"
    browser.get(path)
    for email in (BOB, "nobody@example.net", "agent@example.net"):
        with CaptureQueriesContext(connection) as asked:
            answer = browser.post(path, {"quoi": "inviter", "email": email})
        assert answer.status_code == 302
        page = browser.get(path).content.decode().replace(email, "§")
        page = re.sub(r'value="[^"]{30,}"', "", page)
        pages.add((len(asked), page))
        assert not OutgoingMail.objects.filter(to=email).exists()  # nothing before the worker looks
        Link.objects.all().delete()
    assert len(pages) == 1
    for email in (BOB, "nobody@example.net"):
        sharing.invite(actor=alice, payer=payer, email=email)
    activation.handle_links()
    texts = {
        re.sub(r"LIEN=\w+", "", text).replace(BOB, "§")
        for text in OutgoingMail.objects.filter(kind="link-share").values_list("text", flat=True)
    }
    assert len(texts) == 1


def test_a_live_invitation_is_not_sent_again(
    alice: Account, payer: Payer, invite: Callable[..., str]
) -> None:
    invite()
    sharing.invite(actor=alice, payer=payer, email=" BOB@example.net ")
    activation.handle_links()
    assert Link.objects.count() == OutgoingMail.objects.count() == 1


def test_who_may_invite(
    payer: Payer, bob: Account, make_account: Accounts, make_payer: Callable[..., Payer], alice: Account
) -> None:
    """Bob was invited, Charlie sees nothing, and Alice sees other payers only as far as they are hers."""
    charlie = make_account(CHARLIE)
    theirs = make_payer(charlie)
    for actor, whose in ((bob, payer), (charlie, payer), (alice, theirs)):
        with pytest.raises(Payer.DoesNotExist):
            sharing.invite(actor=actor, payer=whose, email="x@example.net")
    with pytest.raises(SameAddress):
        sharing.invite(actor=alice, payer=payer, email="Alice@example.net")
    alice.impersonated_by = Impersonation(account=alice, operator=uuid4())
    with pytest.raises(errors.NotWhileImpersonating):
        sharing.invite(actor=alice, payer=payer, email="x@example.net")
    # Once billing knows Bob for this payer, he is one of those who may.
    PayerEmail.objects.create(payer=payer, email=BOB)
    sharing.invite(actor=bob, payer=payer, email="x@example.net")


def test_five_others_at_most(
    alice: Account, payer: Payer, invite: Callable[..., str], make_account: Accounts
) -> None:
    make_account(BOB)
    sharing.accept_invitation(token=invite())
    for n in range(4):
        invite(f"p{n}@example.net")
    with pytest.raises(TooManyShares):
        invite("sixth@example.net")
    sharing.withdraw_invitation(actor=alice, link=Link.objects.get(email="p0@example.net"))
    invite("sixth@example.net")


def test_a_mailbox_cannot_be_flooded(alice: Account, payer: Payer, invite: Callable[..., str]) -> None:
    for _ in range(10):
        invite()
        sharing.withdraw_invitation(actor=alice, link=invitations_to(payer).get())
    with pytest.raises(TooManyInvitations):
        invite()
    Link.objects.update(requested_at=timezone.now() - timedelta(days=1))
    invite()


def test_after_seven_days_it_is_over(payer: Payer, invite: Callable[..., str]) -> None:
    token = invite()
    link = Link.objects.get()
    assert link.expires_at is not None
    assert timedelta(days=6, hours=23) < link.expires_at - timezone.now() <= timedelta(days=7)
    Link.objects.update(expires_at=timezone.now())
    with pytest.raises(errors.InvitationOver):
        sharing.accept_invitation(token=token, password=PASSWORD)
    assert not invitations_to(payer).exists()
    assert not Account.objects.filter(email=BOB).exists()


def test_withdrawn(alice: Account, payer: Payer, invite: Callable[..., str], client_for: Any) -> None:
    token = invite()
    link = Link.objects.get()
    for _ in range(2):
        sharing.withdraw_invitation(actor=alice, link=link)
    assert AuditEntry.objects.filter(verb="access.invitation_withdrawn").count() == 1
    answer = client_for().get(f"/?LIEN={token}", follow=True)
    assert answer.status_code == 410
    assert "plus valable" in answer.content.decode()
    # Before the worker came, no message leaves.
    sharing.invite(actor=alice, payer=payer, email="late@example.net")
    sharing.withdraw_invitation(actor=alice, link=Link.objects.get(email="late@example.net"))
    activation.handle_links()
    assert not OutgoingMail.objects.filter(to="late@example.net").exists()


def test_the_link_does_nothing_else_and_no_other_does_this(
    alice: Account, invite: Callable[..., str], make_account: Accounts
) -> None:
    make_account(BOB)
    token = invite()
    for act in (
        lambda: activation.activate(token=token, password=PASSWORD),
        lambda: addresses.confirm_address(token=token),
        lambda: addresses.put_address_back(token=token),
    ):
        with pytest.raises(errors.LinkUnknown):
            act()
    activation.request_reset(email=BOB)
    activation.handle_links()
    with pytest.raises(errors.LinkUnknown):
        sharing.accept_invitation(token=lien("link-reset", BOB), password=PASSWORD)


def test_who_cannot_accept(
    alice: Account, payer: Payer, invite: Callable[..., str], make_account: Accounts
) -> None:
    make_account(BOB, role=Role.CLERK)
    closed = make_account(CHARLIE)
    Account.objects.filter(pk=closed.pk).update(is_active=False)
    for email in (BOB, CHARLIE):
        with pytest.raises(NotAResident):
            sharing.accept_invitation(token=invite(email))
    with pytest.raises(PasswordWanted):
        sharing.accept_invitation(token=invite("new@example.net"))
    assert Access.objects.count() == 1


def test_not_once_the_inviter_may_not_any_more(
    alice: Account, payer: Payer, invite: Callable[..., str]
) -> None:
    token = invite()
    sharing.cut_access(actor="system", access=Access.objects.get(account=alice))
    with pytest.raises(errors.InvitationOver):
        sharing.accept_invitation(token=token, password=PASSWORD)
    assert not Account.objects.filter(email=BOB).exists()


def test_whoever_gave_it_ends_it_and_may_give_it_again(
    alice: Account, bob: Account, payer: Payer, invite: Callable[..., str]
) -> None:
    sharing.end_access(actor=alice, access=Access.objects.get(account=bob))
    assert not payers_of(bob).exists()
    fact = AuditEntry.objects.get(verb="access.ended")
    assert fact.old == {"account": bob.audit_name, "given_by": alice.audit_name}
    sharing.accept_invitation(token=invite())
    assert list(payers_of(bob)) == [payer]


def test_who_may_end_what(alice: Account, bob: Account, payer: Payer, make_account: Accounts) -> None:
    charlie = make_account(CHARLIE)
    Access.objects.create(account=charlie, payer=payer)
    by = {access.account.email: access for access in Access.objects.select_related("account")}
    for actor, whose in ((charlie, BOB), (bob, ALICE), (alice, CHARLIE), (alice, ALICE), (bob, CHARLIE)):
        with pytest.raises(Access.DoesNotExist):
            sharing.end_access(actor=actor, access=by[whose])
    sharing.end_access(actor=bob, access=by[BOB])  # its holder leaves
    assert not payers_of(bob).exists()
    assert Access.objects.count() == 2


def test_what_billing_gives_is_the_town_s_business(alice: Account, bob: Account, payer: Payer) -> None:
    PayerEmail.objects.create(payer=payer, email=BOB)
    with pytest.raises(Access.DoesNotExist):
        sharing.end_access(actor=alice, access=Access.objects.get(account=bob))
    assert not shared_accesses(payer).exists()


def test_what_staff_cut_stays_cut_until_they_restore_it(
    alice: Account, bob: Account, payer: Payer, invite: Callable[..., str]
) -> None:
    access = Access.objects.get(account=bob)
    for _ in range(2):
        sharing.cut_access(actor="system", access=access)
    assert AuditEntry.objects.filter(verb="access.cut").count() == 1
    with pytest.raises(AccessCut):
        sharing.accept_invitation(token=invite())
    PayerEmail.objects.create(payer=payer, email=BOB)
    activation.grant_known_payers(account=bob)
    assert not payers_of(bob).exists()
    for _ in range(2):
        sharing.restore_access(actor="system", access=access)
    assert list(payers_of(bob)) == [payer]
    assert AuditEntry.objects.filter(verb="access.restored").count() == 1


def test_what_somebody_gave_ends_with_their_own_access(alice: Account, bob: Account, payer: Payer) -> None:
    sharing.cut_access(actor="system", access=Access.objects.get(account=alice))
    assert not Access.objects.filter(ended_at=None).exists()
    fact = AuditEntry.objects.get(verb="access.cut")
    assert fact.old == {"accounts": [alice.audit_name, bob.audit_name]}


def test_a_thief_s_gift_goes_when_the_address_is_put_back(
    alice: Account, payer: Payer, make_account: Accounts, invite: Callable[..., str]
) -> None:
    before = make_account("before@example.net")
    sharing.accept_invitation(token=invite("before@example.net"))
    thief = make_account("thief@example.net")
    ask_address(alice, "other@example.net")
    activation.handle_links()
    addresses.confirm_address(token=lien("link-address", "other@example.net"))
    alice.refresh_from_db()
    sharing.accept_invitation(token=invite("thief@example.net"))
    waiting = invite("accomplice@example.net")
    assert payers_of(thief).exists()
    addresses.put_address_back(token=lien("address-changed", ALICE))
    assert not payers_of(thief).exists()
    assert list(payers_of(before)) == [payer]
    with pytest.raises(errors.InvitationUsed):
        sharing.accept_invitation(token=waiting, password=PASSWORD)


def test_both_are_told_of_new_invoices_each_by_their_own_choice(
    alice: Account, bob: Account, payer: Payer, make_invoice: Any
) -> None:
    batch = Batch.objects.create(
        source=default_source(), created_by="system", rows_name="f.csv", rows_key="f", state="published"
    )
    make_invoice(payer, batch=batch)
    plan_new_invoice_notices(batch=batch.uuid)
    assert set(PlannedNotice.objects.values_list("email", flat=True)) == {ALICE, BOB}
    PlannedNotice.objects.all().delete()
    Account.objects.filter(pk=alice.pk).update(refused_alerts=["new_invoices"])
    plan_new_invoice_notices(batch=batch.uuid)
    assert set(PlannedNotice.objects.values_list("email", flat=True)) == {BOB}
