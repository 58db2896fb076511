"""An invoice for the reminders."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tenant_apps.invoices.models import Invoice
from tenant_apps.townhall.services import change_townhall
from toolkit import clock


@pytest.fixture
def make_owed(make_invoice: Callable[..., Invoice]) -> Callable[..., Invoice]:
    """`make_owed(payer, 7)`: online for a long time, due in seven days; -3: due three days ago."""

    def make(payer: Any, days: int, *, online_for: int = 90, **fields: Any) -> Invoice:
        published: datetime = clock.now() - timedelta(days=online_for)
        due = clock.today() + timedelta(days=days)
        return make_invoice(payer, due_on=due, published_at=published, **fields)

    return make


@pytest.fixture
def choose(town: Any) -> Callable[..., None]:
    """`choose(remind_after=3)`: change the town's settings."""

    def change(**settings: Any) -> None:
        change_townhall(actor="system", **settings)

    return change
