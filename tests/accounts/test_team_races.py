"""Two managers at the same instant: a town never loses its last one."""

from functools import partial
from typing import Any

import pytest

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, Role
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.services import create_account, find_link
from shared_apps.accounts.team import queries, services
from shared_apps.accounts.team.joining import join
from shared_apps.mail.models import OutgoingMail
from tenants.models import Town
from tests.accounts.test_team import token_in
from tests.conftest import PASSWORD
from tests.races import at_once

ROUNDS = 5


def manager(name: str) -> Account:
    account = create_account(actor="system", email=f"{name}@example.net", role=Role.MANAGER)
    account.activated_at = account.created_at
    account.save()
    return account


def lower(*, actor: Any, member: Account) -> None:
    services.change_member(actor=actor, member=member, name=member.name, role=Role.CLERK)


@pytest.mark.parametrize("act", [services.suspend, services.remove, lower])
def test_two_managers_against_each_other(live_town: Town, act: Any) -> None:
    for n in range(ROUNDS):
        one, two = manager(f"one{n}"), manager(f"two{n}")
        raised = at_once(live_town, partial(act, actor=one, member=two), partial(act, actor=two, member=one))
        assert [type(error) for error in raised] == [errors.NotAManager]
        left = queries.active_managers()
        assert len(left) == 1
        Account.objects.filter(pk__in=left).update(role=Role.CLERK)


def test_the_operator_and_a_manager_against_the_last_two(live_town: Town) -> None:
    for n in range(ROUNDS):
        one, two = manager(f"one{n}"), manager(f"two{n}")
        raised = at_once(
            live_town,
            partial(services.remove, actor="operator:x", member=one),
            partial(services.suspend, actor="operator:y", member=two),
        )
        assert [type(error) for error in raised] == [errors.LastManager]
        left = queries.active_managers()
        assert len(left) == 1
        Account.objects.filter(pk__in=left).update(role=Role.CLERK)


def test_invited_by_two_at_once_is_one_member(live_town: Town) -> None:
    one, two = manager("one"), manager("two")
    for n in range(ROUNDS):
        email = f"new{n}@example.net"
        invite = partial(services.invite, email=email, role=Role.CLERK, name="Paul")
        raised = at_once(
            live_town,
            partial(invite, actor=one),
            partial(invite, actor=two),
        )
        assert raised == []
        assert Account.objects.filter(email=email).count() == 1
        assert OutgoingMail.objects.filter(to=email).count() == 1
        assert find_link(token_in(OutgoingMail.objects.get(to=email))).email == email


def test_accepted_while_it_is_withdrawn(live_town: Town) -> None:
    """Whichever comes first, a removed person has no account that opens."""
    boss = manager("boss")
    for n in range(ROUNDS):
        member = services.invite(actor=boss, email=f"new{n}@example.net", role=Role.CLERK)
        token = token_in(OutgoingMail.objects.get(to=member.email))
        raised = at_once(
            live_town,
            partial(join, token=token, password=PASSWORD, rule=PasswordRule()),
            partial(services.remove, actor=boss, member=member),
        )
        assert {type(error) for error in raised} <= {errors.TeamInvitationDead, errors.InvitationUsed}
        member.refresh_from_db()
        assert (member.is_active, member.has_usable_password()) == (False, False)
        assert not Link.objects.filter(account=member, used_at=None).exists()
