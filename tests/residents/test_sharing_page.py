"""The payer's page, where access is shared: who sees whom, what each may do there, and what it costs."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account, Link, LinkPurpose
from tenant_apps.residents.models import Access, Payer
from tenant_apps.residents.queries import invitations_to, payers_of
from tests.residents.test_sharing import ALICE, BOB, CHARLIE, Accounts, alice, bob, invite, payer

__all__ = ["alice", "bob", "invite", "payer"]  # fixtures


@pytest.fixture
def page(payer: Payer, client_for: Callable[..., Client]) -> Callable[..., Any]:
    """`page(account)`: the payer's page; `page(account, quoi=…)` posts."""

    def ask(account: Account, **data: Any) -> Any:
        browser = client_for(account)
        path = f"/mes-informations/dossiers/{payer.uuid}/"
        return browser.post(path, data, follow=True) if data else browser.get(path)

    return ask


def test_both_see_who_sees(
    alice: Account, bob: Account, payer: Payer, page: Callable[..., Any], make_account: Accounts
) -> None:
    other = make_account("other@example.net")
    Access.objects.create(account=other, payer=payer)
    seen = {account.email: page(account).content.decode() for account in (alice, bob, other)}
    assert BOB in seen[ALICE]
    assert "accordé par vous" in seen[ALICE]
    assert f"accordé par {ALICE}" in seen[BOB]
    assert "Envoyer l" not in seen[BOB]
    # Two whom billing names are not told each other's address by us, nor whom the other invited.
    assert "o…@example.net" in seen[ALICE]
    assert "other@example.net" not in seen[ALICE] + seen[BOB]
    assert "a…@example.net" in seen["other@example.net"]
    assert "b…@example.net" in seen["other@example.net"]
    assert ALICE not in seen["other@example.net"]
    assert BOB not in seen["other@example.net"]
    assert "accordé par la mairie" in seen["other@example.net"]


def test_acts_of_the_page(alice: Account, bob: Account, payer: Payer, page: Callable[..., Any]) -> None:
    assert page(alice, quoi="inviter", email="pas une adresse").status_code == 422
    assert page(alice, quoi="inviter", email=ALICE).status_code == 422
    assert "Une invitation part" in page(alice, quoi="inviter", email=CHARLIE).content.decode()
    link = invitations_to(payer).get()
    assert "est annulée" in page(alice, quoi="annuler", qui=link.uuid).content.decode()
    assert "ne voit plus" in page(alice, quoi="retirer", qui=bob.uuid).content.decode()
    assert not payers_of(bob).exists()


@pytest.mark.parametrize("qui", ["", "x", str(UUID(int=1))])
def test_forbidden_is_absent(
    alice: Account, bob: Account, payer: Payer, page: Callable[..., Any], make_account: Accounts, qui: str
) -> None:
    charlie = make_account(CHARLIE)
    assert page(charlie).status_code == 404
    for account, data in (
        (charlie, {"quoi": "inviter", "email": "x@example.net"}),
        (bob, {"quoi": "inviter", "email": "x@example.net"}),
        (bob, {"quoi": "retirer", "qui": alice.uuid}),
        (alice, {"quoi": "quitter"}),  # what billing gives is not left
        (alice, {"quoi": "retirer", "qui": qui}),
        (alice, {"quoi": "annuler", "qui": qui}),
    ):
        assert page(account, **data).status_code == 404, data
    assert Access.objects.filter(ended_at=None).count() == 2
    assert not invitations_to(payer).exists()


def test_leaving(bob: Account, page: Callable[..., Any]) -> None:
    assert "Vous ne voyez plus" in page(bob, quoi="quitter").content.decode()
    assert page(bob).status_code == 404


def test_another_s_invitation_is_not_mine_to_withdraw(
    alice: Account, payer: Payer, invite: Callable[..., str], page: Callable[..., Any], make_account: Accounts
) -> None:
    other = make_account("other@example.net")
    Access.objects.create(account=other, payer=payer)
    invite()
    assert page(other, quoi="annuler", qui=Link.objects.get().uuid).status_code == 404
    assert invitations_to(payer).count() == 1
    assert LinkPurpose(Link.objects.get().purpose) == LinkPurpose.SHARE


def test_too_many_from_one_place(alice: Account, page: Callable[..., Any]) -> None:
    codes = [page(alice, quoi="inviter", email=f"p{n}@example.net").status_code for n in range(22)]
    assert codes[:5] == [200] * 5
    assert codes[5:20] == [422] * 15
    assert codes[20:] == [429] * 2


@pytest.mark.parametrize("others", [0, 4])
def test_the_page_costs_the_same_whoever_is_there(
    alice: Account, payer: Payer, client_for: Any, make_account: Accounts, others: int
) -> None:
    for n in range(others):
        Access.objects.create(account=make_account(f"p{n}@example.net"), payer=payer, granted_by=alice.uuid)
    browser = client_for(alice)
    path = f"/mes-informations/dossiers/{payer.uuid}/"
    browser.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(path).status_code == 200
    assert len([q for q in asked if q["sql"].startswith("SELECT")]) <= 7, [q["sql"] for q in asked]
