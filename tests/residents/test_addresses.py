"""A change of address undone from the old one (docs/manual.md, M12): what it ends, and for whom."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.accounts.services import check_credentials
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation
from tenant_apps.residents.account import addresses
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payers_of
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.residents.mails import ask_address, lien

OLD, NEW = "alice@example.net", "thief@example.net"
Payers, Accounts = Callable[..., Payer], Callable[..., Account]


def change(account: Account, new: str) -> str:
    """The whole road; returns the token that the old address got."""
    old = account.email
    ask_address(account, new)
    activation.handle_links()
    addresses.confirm_address(token=lien("link-address", new))
    account.refresh_from_db()
    assert account.email == new
    return lien("address-changed", old)


@pytest.fixture
def alice(town: Town, make_account: Accounts) -> Account:
    return make_account(OLD)


def test_the_old_address_takes_its_account_back(alice: Account, client_for: Callable[..., Client]) -> None:
    thief = client_for(alice)
    assert thief.get("/factures/").status_code == 200
    token = change(alice, NEW)
    owner = client_for()
    assert owner.get(f"/?LIEN={token}", follow=True).status_code == 200
    assert b"alice@example.net" in owner.get("/lien/").content
    alice.refresh_from_db()
    assert alice.email == NEW  # looking changes nothing
    page = owner.post("/lien/", follow=True)
    assert "Votre adresse est rétablie" in page.content.decode()
    assert "Choisir mon mot de passe" in page.content.decode()
    assert thief.get("/factures/").status_code == 302
    for email in (OLD, NEW):
        with pytest.raises(errors.WrongCredentials):
            check_credentials(email=email, password=PASSWORD, ip="192.0.2.1")
    assert (
        "Mon mot de passe est changé"
        in owner.post("/lien/", {"password": "un autre bien long"}).content.decode()
    )
    assert check_credentials(email=OLD, password="un autre bien long", ip="192.0.2.1") == alice
    assert OutgoingMail.objects.filter(kind="address-put-back", to=NEW).count() == 1
    with pytest.raises(errors.LinkUsed):
        addresses.put_address_back(token=token)


def test_the_owner_may_do_it_from_a_browser_that_is_signed_in(
    alice: Account, client_for: Callable[..., Client]
) -> None:
    token, owner = change(alice, NEW), client_for(alice)
    owner.get(f"/?LIEN={token}")
    assert "Choisir mon mot de passe" in owner.post("/lien/", follow=True).content.decode()


def test_after_seven_days_it_is_too_late(alice: Account) -> None:
    token = change(alice, NEW)
    link = Link.objects.get(purpose=LinkPurpose.REGRET)
    assert link.expires_at is not None
    assert timedelta(days=6, hours=23) < link.expires_at - timezone.now() <= timedelta(days=7)
    Link.objects.filter(pk=link.pk).update(expires_at=timezone.now())
    with pytest.raises(errors.LinkExpired):
        addresses.put_address_back(token=token)
    alice.refresh_from_db()
    assert (alice.email, alice.sign_outs) == (NEW, 0)


def test_the_link_does_nothing_else(alice: Account) -> None:
    token = change(alice, NEW)
    with pytest.raises(errors.LinkUnknown):
        activation.activate(token=token, password=PASSWORD)
    with pytest.raises(errors.LinkUnknown):
        addresses.confirm_address(token=token)


def test_the_thief_s_own_links_are_void_afterwards(alice: Account) -> None:
    """He changed it twice, asked for a third one and for a password: only the first owner's word counts."""
    first = change(alice, NEW)
    second = change(alice, "thief2@example.net")
    ask_address(alice, "thief3@example.net")
    activation.request_reset(email=alice.email)
    activation.handle_links()
    theirs = [lien("link-address", "thief3@example.net"), lien("link-reset", "thief2@example.net"), second]
    addresses.put_address_back(token=first)
    for token, act in zip(
        theirs,
        (
            lambda t: addresses.confirm_address(token=t),
            lambda t: activation.activate(token=t, password=PASSWORD),
            lambda t: addresses.put_address_back(token=t),
        ),
        strict=True,
    ):
        with pytest.raises(errors.LinkUsed):
            act(token)
    alice.refresh_from_db()
    assert alice.email == OLD


def test_the_thief_who_is_first_does_not_stop_the_owner(alice: Account) -> None:
    first = change(alice, NEW)
    second = change(alice, "thief2@example.net")
    addresses.put_address_back(token=second)
    alice.refresh_from_db()
    assert alice.email == NEW
    addresses.put_address_back(token=first)
    alice.refresh_from_db()
    assert alice.email == OLD


def test_what_the_other_address_opened_is_shut(alice: Account, make_payer: Payers) -> None:
    own = make_payer(alice)
    make_payer(email=NEW)
    token = change(alice, NEW)
    assert payers_of(alice).count() == 2
    addresses.put_address_back(token=token)
    assert list(payers_of(alice)) == [own]


def test_an_empty_account_at_the_old_address_does_not_stop_it(alice: Account, make_payer: Payers) -> None:
    """Whoever types the address of a known payer in « Activer mon compte » has one made."""
    make_payer(email=OLD)
    token = change(alice, NEW)
    activation.request_activation(email=OLD)
    activation.handle_links()
    assert Account.objects.filter(email=OLD, activated_at=None).exists()
    addresses.put_address_back(token=token)
    alice.refresh_from_db()
    assert alice.email == OLD


def test_with_an_account_of_its_own_by_now_the_other_one_is_closed(
    alice: Account, make_account: Accounts, client_for: Callable[..., Client]
) -> None:
    token = change(alice, NEW)
    make_account(OLD)
    thief, owner = client_for(alice), client_for()
    owner.get(f"/?LIEN={token}")
    page = owner.post("/lien/").content.decode()
    assert "compte est fermé" in page
    assert OLD in page
    assert thief.get("/factures/").status_code == 302
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=NEW, password=PASSWORD, ip="192.0.2.1")
