"""Change the address of an account through a link sent to the new one; undo it through a link sent to the old one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose, Passkey, Role
from shared_apps.accounts.services import ask_link, lock_link, make_token, use_up
from shared_apps.accounts.throttling import limits, throttle
from shared_apps.audit import services as audit

REGRET = timedelta(days=7)  # how long the old address can undo the change


@dataclass(frozen=True)
class PutBack:
    """What was undone: `address` is back, `replaced` had served since `changed_at`."""

    account: Account
    address: str
    replaced: str
    changed_at: datetime


@transaction.atomic
def confirm_address(*, token: str) -> tuple[Account, str, str]:
    """Use up an address link: the account now signs in with the new address.

    Returns the account, its old address, and the token with which the old address can undo this for `REGRET`.
    Raises the link errors, or AddressTaken when another account has the address by now.
    """
    link, account = lock_link(token, LinkPurpose.ADDRESS)
    old, account.email = account.email, link.email
    try:
        with transaction.atomic():
            account.save(update_fields=["email"])
    except IntegrityError:
        raise errors.AddressTaken from None
    use_up(link)
    regret = ask_link(purpose=LinkPurpose.REGRET, email=old, account=account)
    audit.record("account.address_changed", actor=account, obj=account.audit_name, old={}, new={})
    return account, old, make_token(link=regret, life=REGRET)


@transaction.atomic
def put_address_back(*, token: str) -> PutBack:
    """Use up the link of the old address, and restore it: sessions end; password, keys and provider no longer work.

    Links asked for since are void, so that a thief cannot take the account again. If the old
    address belongs to another activated account by now, this account is closed. Raises the link errors.
    """
    link, account = lock_link(token, LinkPurpose.REGRET)
    # Anybody can create an empty account there by typing the address of a known payer in « Activer ».
    homonyms = Account.objects.filter(email=link.email).exclude(pk=account.pk)
    homonyms.filter(activated_at=None, role=Role.RESIDENT).delete()
    replaced = account.email
    account.set_unusable_password()
    account.identity_issuer = account.identity_subject = ""
    account.end_sessions()
    if account.role == Role.RESIDENT:
        account.second_factor_at = None
    if homonyms.exists():
        account.is_active = False
    else:
        account.email = link.email
    account.save(
        update_fields=[
            *("email", "password", "is_active", "sign_outs", "devices"),
            *("identity_issuer", "identity_subject", "second_factor_at"),
        ]
    )
    # All keys: a thief may have added one; the owner can add theirs again. A member of staff is still asked for a
    # second factor, because whoever reads the mail of an old address must not get around it.
    Passkey.objects.filter(account=account).delete()
    # Older undo links stay: each belongs to an earlier address of the account.
    Link.objects.filter(account=account, used_at=None).exclude(
        purpose=LinkPurpose.REGRET, pk__lt=link.pk
    ).update(used_at=timezone.now())
    throttle.clear(limits.PASSWORD, account.email)
    audit.record(
        "account.address_put_back",
        actor=account,
        obj=account.audit_name,
        new={"is_active": account.is_active},
    )
    return PutBack(account=account, address=link.email, replaced=replaced, changed_at=link.requested_at)
