"""What billing or staff take away is gone: an address opens nothing and is told nothing."""

from datetime import timedelta
from typing import Any

import pytest

from shared_apps.accounts import errors
from shared_apps.accounts.models import Link
from shared_apps.accounts.services import check_credentials
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation, sharing
from tenant_apps.residents.emails import billing
from tenant_apps.residents.errors import AccessCut, AddressGone
from tenant_apps.residents.models import Access, Payer, PayerEmail
from tenant_apps.residents.queries import payers_of
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.races import at_once
from tests.residents.addresses.billing_file import ALICE, BOB, NEW, activated, take
from tests.residents.mails import lien


@pytest.mark.parametrize("by_staff", [True, False])
def test_the_link_already_sent_opens_nothing(payer: Payer, by_staff: bool, client_for: Any) -> None:
    activation.request_activation(email=ALICE)
    activation.handle_links()
    token = lien("link-activation", ALICE)
    browser = client_for()
    assert browser.get(f"/?LIEN={token}", follow=True).status_code == 200
    take(payer, by_staff)
    for answer in (
        browser.get("/lien/"),
        browser.post("/lien/", {"password": PASSWORD}),
        browser.get(f"/?LIEN={token}", follow=True),
    ):
        assert answer.status_code == 410
        assert "ne donne plus cette adresse" in answer.content.decode()
        assert "/contact/" in answer.content.decode()
    with pytest.raises(AddressGone):
        activation.activate(token=token, password=PASSWORD)
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=ALICE, password=PASSWORD, ip="192.0.2.1")
    billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    activation.activate(token=token, password=PASSWORD)  # a mistake undone is undone


@pytest.mark.parametrize("by_staff", [True, False])
@pytest.mark.parametrize("asked", ["before", "after"])
def test_activation_reset_and_code_send_nothing(payer: Payer, by_staff: bool, asked: str) -> None:
    activation.request_activation(email=ALICE)  # an account without a password is made
    activation.handle_links()
    Link.objects.all().delete()
    OutgoingMail.objects.all().delete()
    if asked == "after":
        take(payer, by_staff)
    for ask in (activation.request_activation, activation.request_reset):
        ask(email=ALICE)
    activation.request_code(email=ALICE, ip="192.0.2.1")
    if asked == "before":
        take(payer, by_staff)
    activation.handle_links()
    assert not OutgoingMail.objects.exists()


def test_a_message_that_has_not_left_does_not(payer: Payer) -> None:
    activation.request_activation(email=ALICE)
    activation.handle_links()
    assert OutgoingMail.objects.filter(to=ALICE).exists()
    take(payer, by_staff=True)
    assert not OutgoingMail.objects.filter(to=ALICE).exists()


def test_an_invitation_to_it_is_over(payer: Payer, make_account: Any, make_payer: Any) -> None:
    alice = make_account(ALICE)
    activation.grant_known_payers(account=alice)
    PayerEmail.objects.create(payer=payer, email=BOB)
    sharing.invite(actor=alice, payer=payer, email=BOB)
    activation.handle_links()
    token = lien("link-share", BOB)
    billing.remove_email(actor="account:clerk", payer=payer, email=BOB)
    assert not OutgoingMail.objects.filter(to=BOB).exists()
    with pytest.raises(errors.InvitationOver):
        sharing.accept_invitation(token=token, password=PASSWORD)
    # A new one leaves nowhere: staff took that address from this payer.
    sharing.invite(actor=alice, payer=payer, email=BOB)
    activation.handle_links()
    assert not OutgoingMail.objects.filter(to=BOB).exists()


def test_an_invitation_does_not_go_round_staff(payer: Payer, make_account: Any) -> None:
    alice, bob = make_account(ALICE), make_account(BOB)
    activation.grant_known_payers(account=alice)
    billing.add_email(actor="account:clerk", payer=payer, email=NEW)
    sharing.invite(actor=alice, payer=payer, email=NEW)
    activation.handle_links()
    token = lien("link-share", NEW)
    Link.objects.filter(email=NEW).update(email=BOB)  # as if it had been accepted at the very moment
    billing.add_email(actor="account:clerk", payer=payer, email=BOB)
    billing.remove_email(actor="account:clerk", payer=payer, email=BOB)
    Link.objects.filter(email=BOB).update(
        expires_at=Link.objects.get(email=BOB).requested_at + timedelta(days=7)
    )
    with pytest.raises(AccessCut):
        sharing.accept_invitation(token=token)
    assert not payers_of(bob).exists()


@pytest.mark.parametrize("n", range(6))
def test_taken_away_while_it_activates(live_town: Town, make_payer: Any, n: int) -> None:
    payer = make_payer(email=ALICE)
    activation.request_activation(email=ALICE)
    activation.handle_links()
    token = lien("link-activation", ALICE)
    raised = at_once(
        live_town,
        lambda: activation.activate(token=token, password=PASSWORD),
        (lambda: take(payer, by_staff=True)) if n % 2 else (lambda: take(payer, by_staff=False)),
    )
    assert all(isinstance(error, AddressGone) for error in raised), raised
    assert not Access.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("n", range(6))
def test_taken_away_while_an_account_resets_and_gains_another(
    live_town: Town, make_payer: Any, n: int
) -> None:
    """No deadlock: the account loses one payer and gains another in the publication that its reset meets."""
    first, second = make_payer(email=ALICE), make_payer()
    alice = activated(ALICE)
    activation.request_reset(email=ALICE)
    Link.objects.filter(handled_at=None).update(requested_at=alice.created_at + timedelta(minutes=5))
    activation.handle_links()
    token = lien("link-reset", ALICE)
    raised = at_once(
        live_town,
        lambda: activation.activate(token=token, password=PASSWORD),
        lambda: billing.replace_emails({first.pk: [], second.pk: [ALICE]}, actor="system"),
    )
    assert raised == []
    assert list(payers_of(alice)) == [second]
