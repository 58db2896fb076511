"""Sign in with an e-mail address and a password."""

import json
from contextlib import suppress
from functools import cache
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password, verify_password
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import JSONField
from django.http import HttpRequest

from shared_apps.accounts.errors import TooBusy
from shared_apps.accounts.models import Account
from tenants.current import is_read_only


class EmailBackend(BaseBackend):
    """Checks an address and a password in the current schema. It takes the same time for an unknown address.

    Raises TooBusy (accounts.hashing).
    """

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", **_: Any
    ) -> Account | None:
        account = Account.objects.filter(email=username).first()
        if account is None:
            make_password(password)  # take as long as a real check
            return None
        is_right, is_old = verify_password(password, account.password)
        if not (is_right and account.is_active):
            return None
        if is_old and not is_read_only():
            _hash_again(account, password)
        return account

    def get_user(self, user_id: int) -> Account | None:
        sql, names = _active()
        with connection.cursor() as cursor:
            cursor.execute(sql, [user_id])
            row = cursor.fetchone()
        if row is None:
            return None
        account = Account.from_db(DEFAULT_DB_ALIAS, names, row)
        account.limited_to = json.loads(account.limited_to)  # a statement of text converts nothing
        return account


def _hash_again(account: Account, password: str) -> None:
    """Hash the same password with today's parameters. Other sessions end, because they depend on the hash.

    Does nothing when the password changed meanwhile. If hashing is busy, the next sign-in does it.
    """
    with suppress(TooBusy):
        made = make_password(password)
        if Account.objects.filter(pk=account.pk, password=account.password).update(password=made, devices={}):
            account.password, account.devices = made, {}


@cache
def _active() -> tuple[str, list[str]]:
    """The SQL that finds a session's account, and its columns. Every page runs it, so it is built once.

    The JSON lists are deferred: only two pages need them, and parsing costs time. All but `limited_to`, which every
    page of staff needs.
    """
    needed = {"limited_to"}
    names = [
        f.attname
        for f in Account._meta.concrete_fields
        if f.attname in needed or not isinstance(f, JSONField)
    ]
    sql, parameters = Account.objects.filter(pk=0, is_active=True).only(*names).query.sql_with_params()
    assert parameters == (0,), "one value: the key"
    return sql, names
