"""The invited person opens the link, and chooses a password or the town's identity provider."""

from django.db import transaction
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.services import lock_link, use_up
from shared_apps.accounts.team.states import MemberState, state_of
from shared_apps.accounts.throttling import limits, throttle
from shared_apps.audit import services as audit
from toolkit.words import current_language


@transaction.atomic
def join(*, token: str, password: str, rule: PasswordRule) -> Account:
    """Use up an invitation: the account gets its password and is active.

    Raises the link errors (accounts.services.find_link), WeakPassword or TooBusy.
    """
    link, account = lock_invitation(token)
    rule.check(password, email=account.email)
    account.set_password(password)
    open_account(link, account)
    throttle.clear(limits.PASSWORD, account.email)
    return account


def lock_invitation(token: str) -> tuple[Link, Account]:
    """The invitation and the account that it opens, locked. Raises the link errors. Call inside a transaction."""
    link, account = lock_link(token, LinkPurpose.TEAM)
    if not account.is_town_staff or state_of(account) != MemberState.INVITED:
        raise errors.InvitationUsed
    return link, account


def open_account(link: Link, account: Account) -> None:
    """The locked account is active from now on, and its invitation is used up."""
    account.activated_at = timezone.now()
    account.language = account.language or current_language()
    account.save(update_fields=["password", "activated_at", "language"])
    use_up(link)
    audit.record("member.joined", actor=account, obj=account.audit_name)
