"""Staff who are past both steps of signing in, without walking through the pages each time."""

import pyotp
from django.test import Client

from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.accounts.sessions import devices, steps
from toolkit import clock
from toolkit.secrecy.sealing import seal


def protect(account: Account) -> str:
    """Give the account an application of codes, as `second_factor.confirm` leaves it. Returns its secret."""
    secret = pyotp.random_base32()
    SecondFactor.objects.update_or_create(
        account=account, defaults={"secret": seal(secret), "confirmed_at": clock.now()}
    )
    account.second_factor_at = clock.now()
    account.save(update_fields=["second_factor_at"])
    return secret


def open_session(client: Client, account: Account) -> None:
    """A session of `account` in the current schema. A manager gets a second factor and has given it, as must be."""
    if account.role == Role.MANAGER and account.second_factor_at is None:
        protect(account)
    client.force_login(account)
    if account.is_town_staff:
        session = client.session
        if account.second_factor_at is not None:
            session[steps.SESSION_MARK] = account.second_factor_at.isoformat()
        session["seen_on"] = devices.seen_today(
            session
        )  # so that what is noted once a day is in nobody's count
        session.save()
