"""A clerk, a resident and four invoices."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared_apps.accounts.models import Role
from tenant_apps.invoices.models import Invoice


@pytest.fixture
def desk(
    town: Any, make_account: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> SimpleNamespace:
    alice = make_account("alice@example.net")
    return SimpleNamespace(
        alice=alice,
        clerk=make_account("clerk@example.net", role=Role.CLERK),
        payer=(payer := make_payer(alice, last_name="DUPRE")),
        bills=[make_invoice(payer, amount=amount) for amount in ("10", "20", "30", "40")],
    )
