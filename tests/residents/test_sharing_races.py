"""Two acts on one invitation at once, on connections of their own."""

from collections.abc import Callable
from typing import Any

import pytest

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation, sharing
from tenant_apps.residents.errors import TooManyShares
from tenant_apps.residents.models import Access, Payer
from tenant_apps.residents.queries import invitations_to
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.races import at_once
from tests.residents.mails import lien
from tests.residents.test_sharing import BOB

ROUNDS = 4


@pytest.fixture
def alice(live_town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


def invited(alice: Account, payer: Payer, email: str = BOB) -> str:
    sharing.invite(actor=alice, payer=payer, email=email)
    activation.handle_links()
    return lien("link-share", email)


def test_accepted_twice(live_town: Town, alice: Account, make_payer: Any) -> None:
    token = invited(alice, make_payer(alice))
    accept = lambda: sharing.accept_invitation(token=token, password=PASSWORD)  # noqa: E731
    raised = at_once(live_town, accept, accept, accept)
    assert [type(error) for error in raised] == [errors.InvitationUsed] * 2
    assert Account.objects.filter(email=BOB).count() == 1
    assert Access.objects.filter(account__email=BOB).count() == 1
    assert OutgoingMail.objects.filter(kind="share-accepted").count() == 1


def test_two_invitations_of_one_address_without_account(
    live_town: Town, alice: Account, make_payer: Any, make_account: Any
) -> None:
    dora = make_account("dora@example.net")
    first, second = make_payer(alice), make_payer(dora)
    sharing.invite(actor=dora, payer=second, email=BOB)
    activation.handle_links()
    tokens = [lien("link-share", BOB), invited(alice, first)]
    raised = at_once(
        live_town,
        *(lambda token=token: sharing.accept_invitation(token=token, password=PASSWORD) for token in tokens),
    )
    assert raised == []
    assert Account.objects.filter(email=BOB).count() == 1
    assert Access.objects.filter(account__email=BOB).count() == 2


def test_two_people_who_invite_each_other(
    live_town: Town, alice: Account, make_payer: Any, make_account: Any
) -> None:
    """No deadlock: nobody's account is held for another's."""
    bob = make_account(BOB)
    hers, his = make_payer(alice), make_payer(bob)
    tokens = [invited(alice, hers), invited(bob, his, alice.email)]
    raised = at_once(
        live_town, *(lambda token=token: sharing.accept_invitation(token=token) for token in tokens)
    )
    assert raised == []
    assert Access.objects.count() == 4


@pytest.mark.parametrize("n", range(ROUNDS))
def test_withdrawn_while_it_is_accepted(live_town: Town, alice: Account, make_payer: Any, n: int) -> None:
    token = invited(alice, make_payer(alice))
    link = Link.objects.get()
    raised = at_once(
        live_town,
        lambda: sharing.accept_invitation(token=token, password=PASSWORD),
        lambda: sharing.withdraw_invitation(actor=alice, link=link),
    )
    link.refresh_from_db()
    opened = Access.objects.filter(account__email=BOB).exists()
    assert opened is (link.used_at is not None)
    assert opened is not bool(raised)  # whoever came too late was told
    assert all(isinstance(error, errors.InvitationOver) for error in raised)
    assert Account.objects.filter(email=BOB).exists() is opened


@pytest.mark.parametrize("n", range(ROUNDS))
def test_the_inviter_is_cut_while_it_is_accepted(
    live_town: Town, alice: Account, make_payer: Any, n: int
) -> None:
    token = invited(alice, make_payer(alice))
    own = Access.objects.get(account=alice)
    at_once(
        live_town,
        lambda: sharing.accept_invitation(token=token, password=PASSWORD),
        lambda: sharing.cut_access(actor="system", access=own),
    )
    assert not Access.objects.filter(ended_at=None).exists()  # opened or not, it ended with hers


def test_the_limit_holds(live_town: Town, alice: Account, make_payer: Any) -> None:
    payer = make_payer(alice)
    raised = at_once(
        live_town,
        *(lambda n=n: sharing.invite(actor=alice, payer=payer, email=f"p{n}@example.net") for n in range(7)),
    )
    assert [type(error) for error in raised] == [TooManyShares] * 2
    assert invitations_to(payer).count() == 5
