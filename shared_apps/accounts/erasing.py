"""Erase a person's account. `residents.erasure` decides when, and holds the account's lock."""

from collections.abc import Mapping

from django.db.models import Q
from django.utils import timezone

from shared_apps.accounts.errors import AccountErased
from shared_apps.accounts.models import Account, Link, LinkPurpose, Passkey, SecondFactor

NOWHERE = "erased.invalid"  # RFC 2606: no message can be delivered there


def addresses_of(account: Account) -> frozenset[str]:
    """The address of `account` and its earlier ones, except those that another account has by now."""
    before = Link.objects.filter(account=account, purpose=LinkPurpose.REGRET).values_list("email", flat=True)
    others = set(
        Account.objects.filter(email__in=before).exclude(pk=account.pk).values_list("email", flat=True)
    )
    return frozenset({account.email, *before} - others)


def lock_present(account: Account) -> None:
    """Lock the account so that no erasure can start in this transaction. Call it before taking any other lock.

    Raises AccountErased when the erasure came first: nothing that names the person may be written.
    """
    rows = Account.objects.select_for_update(no_key=True).filter(pk=account.pk, erased_at=None)
    if not rows.values_list("pk", flat=True):
        raise AccountErased


def erase(account: Account, addresses: frozenset[str]) -> Mapping[str, int]:
    """Close the account and remove the person's name and address. The caller has locked it.

    The row stays, because payments and the trail refer to its uuid. A link request that the worker is handling
    now is left to the worker, which looks the account up again (residents.activation).
    """
    waiting = Link.objects.filter(handled_at=None).select_for_update(skip_locked=True)
    gone = 0
    for links in (Link.objects.exclude(handled_at=None), waiting):
        mine = links.filter(Q(account=account) | Q(email__in=addresses))
        gone += Link.objects.filter(pk__in=list(mine.values_list("pk", flat=True))).delete()[0]
    SecondFactor.objects.filter(account=account).delete()
    keys = Passkey.objects.filter(account=account).delete()[0]
    account.set_unusable_password()
    account.end_sessions()
    account.email = f"{account.uuid}@{NOWHERE}"
    account.name, account.is_active = "", False
    account.identity_issuer = account.identity_subject = ""
    account.refused_alerts, account.language = [], ""
    account.last_login = account.activated_at = account.second_factor_at = None
    account.erasure_answer, account.erasure_refused_at = "", None
    account.erased_at = timezone.now()
    account.save()
    return {"links": gone, "passkeys": keys}
