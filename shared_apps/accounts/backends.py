"""Sign in with an address, in any case."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from shared_apps.accounts.models import Account


class EmailBackend(BaseBackend):
    """Checks an address and a password in the current schema, in the same time whether or not it is known."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", **_: Any
    ) -> Account | None:
        account = Account.objects.filter(email__iexact=username.strip()).first()
        if account is None:
            Account().set_password(password)  # spend the time of a real check
            return None
        return account if account.check_password(password) and account.is_active else None

    def get_user(self, user_id: int) -> Account | None:
        return Account.objects.filter(pk=user_id, is_active=True).first()
