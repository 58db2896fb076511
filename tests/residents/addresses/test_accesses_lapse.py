"""What an address gave lapses when it is taken away, and comes back with it."""

from typing import Any

import pytest

from tenant_apps.invoices.paper_proof import confirm_access_request, request_access, request_access_by_mail
from tenant_apps.residents import sharing
from tenant_apps.residents.access_requests import services as access_requests
from tenant_apps.residents.access_requests.services import Outcome
from tenant_apps.residents.account import addresses
from tenant_apps.residents.emails import billing
from tenant_apps.residents.models import Access, AccessRequest, Payer
from tenant_apps.residents.queries import addresses_taken, payers_of
from tenant_apps.townhall.models import TownHall
from tests.conftest import PASSWORD
from tests.residents.addresses.billing_file import ALICE, BOB, NEW, a_file, activated, take
from tests.residents.mails import lien
from tests.residents.test_access_requests import copy_of
from tests.residents.test_addresses import change


@pytest.mark.parametrize("by_staff", [True, False])
def test_the_access_lapses_and_comes_back(payer: Payer, by_staff: bool, client_for: Any) -> None:
    alice = activated(ALICE)
    browser = client_for(alice)
    assert list(payers_of(alice)) == [payer]
    take(payer, by_staff)
    assert not payers_of(alice).exists()
    page = browser.get("/factures/").content.decode()
    assert "ne donne plus l'adresse" in page
    assert "/contact/" in page
    assert "vous voyiez certaines factures" in browser.get("/mes-informations/").content.decode()
    if by_staff:
        a_file(1, ALICE)
        assert not payers_of(alice).exists()
        billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    else:
        a_file(1, ALICE)
    assert list(payers_of(alice)) == [payer]
    assert Access.objects.count() == 1


def test_an_address_confirmed_in_the_portal_that_billing_gives_keeps_access(payer: Payer) -> None:
    alice = activated(ALICE)
    change(alice, NEW)
    a_file(1, NEW)
    assert list(payers_of(alice)) == [payer]
    assert Access.objects.get().through == NEW
    change(alice, "third@example.net")
    a_file(2, NEW)
    assert list(payers_of(alice)) == [payer]  # the address that holds it is still given
    a_file(3, ALICE)
    assert not payers_of(alice).exists()


def test_nobody_is_shut_out_by_a_file_without_the_column(payer: Payer) -> None:
    alice = activated(ALICE)
    a_file(1, "", column=False)
    assert list(payers_of(alice)) == [payer]


def test_what_a_paper_or_a_person_gave_stays(payer: Payer, make_account: Any) -> None:
    holder, friend = make_account("paper@example.net"), make_account("friend@example.net")
    Access.objects.create(account=holder, payer=payer)
    Access.objects.create(account=friend, payer=payer, granted_by=holder.uuid)
    take(payer, by_staff=True)
    assert payers_of(holder).exists()
    assert payers_of(friend).exists()


def test_what_its_holder_gave_lapses_and_comes_back_with_it(payer: Payer, make_account: Any) -> None:
    alice, friend, spouse = activated(ALICE), make_account("friend@example.net"), make_account(BOB)
    billing.add_email(actor="account:clerk", payer=payer, email=BOB)  # billing or staff name this one
    Access.objects.filter(account=spouse).delete()
    for account in (friend, spouse):
        Access.objects.create(account=account, payer=payer, granted_by=alice.uuid)
    take(payer, by_staff=False)
    assert not payers_of(friend).exists()
    assert payers_of(spouse).exists()
    a_file(1, ALICE)
    assert payers_of(friend).exists()


def test_staff_give_back_what_lapsed(payer: Payer, make_account: Any) -> None:
    alice, friend = activated(ALICE), make_account("friend@example.net")
    Access.objects.create(account=friend, payer=payer, granted_by=alice.uuid)
    take(payer, by_staff=True)
    sharing.restore_access(actor="account:clerk", access=Access.objects.get(account=alice))
    assert payers_of(alice).exists()
    assert payers_of(friend).exists()
    a_file(1, "")
    assert payers_of(alice).exists()  # it stands by staff's word


def test_what_staff_cut_stays_cut_whatever_comes(payer: Payer) -> None:
    alice = activated(ALICE)
    sharing.cut_access(actor="account:clerk", access=Access.objects.get())
    a_file(1, "")
    a_file(2, ALICE)
    assert not payers_of(alice).exists()


def test_the_old_address_takes_back_nothing_that_it_does_not_hold(payer: Payer) -> None:
    """Alice left the address because it is no longer hers; billing follows; its new reader undoes the change."""
    alice = activated(ALICE)
    regret = change(alice, NEW)
    a_file(1, NEW)
    addresses.put_address_back(token=regret)
    alice.refresh_from_db()
    assert alice.email == ALICE
    assert not payers_of(alice).exists()


@pytest.mark.parametrize("by_staff", [True, False])
def test_a_paper_opens_again_what_billing_took_and_asks_staff_for_what_they_took(
    payer: Payer, make_invoice: Any, by_staff: bool
) -> None:
    TownHall.objects.update(payer_claims="at_once")
    alice = activated(ALICE)
    copy = copy_of(make_invoice(payer))
    take(payer, by_staff)
    change(alice, NEW)  # another address is no way round
    outcome = request_access(actor=alice, copy=copy)
    assert outcome == (Outcome.WAITING if by_staff else Outcome.JOINED)
    assert payers_of(alice).exists() is not by_staff
    if by_staff:
        (gone,) = addresses_taken(AccessRequest.objects.get())  # staff read it before they decide
        assert gone.email == ALICE


@pytest.mark.parametrize("by_staff", [True, False])
def test_the_link_of_a_paper_keeps_its_own_proof(payer: Payer, make_invoice: Any, by_staff: bool) -> None:
    TownHall.objects.update(payer_claims="at_once")
    request_access_by_mail(email=ALICE, copy=copy_of(make_invoice(payer)))
    access_requests.handle_access_requests()
    token = lien("link-claim", ALICE)
    take(payer, by_staff)
    outcome = confirm_access_request(token=token, password=PASSWORD)
    assert outcome == (Outcome.WAITING if by_staff else Outcome.JOINED)
