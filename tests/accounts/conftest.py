"""A resident of the Mairie de Démonstration, and her account."""

from collections.abc import Callable

import pytest

from shared_apps.accounts.models import Account
from tenants.models import Town


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")
