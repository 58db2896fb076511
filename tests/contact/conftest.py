"""Alice writes, Bob has access to the same payer, and the clerks of the town answer."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from shared_apps.accounts.models import Account, Role
from tenant_apps.contact.models import Message
from tenant_apps.contact.services import send_message
from tenants.models import Town


@pytest.fixture
def people(town: Town, make_account: Callable[..., Account]) -> SimpleNamespace:
    roles = {"alice": Role.RESIDENT, "bob": Role.RESIDENT, "reader": Role.READER, "clerk": Role.CLERK}
    return SimpleNamespace(
        **{name: make_account(f"{name}@example.net", role=role) for name, role in roles.items()}
    )


@pytest.fixture
def browsers(people: SimpleNamespace, client_for: Callable[..., Client]) -> SimpleNamespace:
    return SimpleNamespace(
        nobody=client_for(), **{name: client_for(account) for name, account in vars(people).items()}
    )


@pytest.fixture
def thread(people: SimpleNamespace, make_payer: Any, make_invoice: Any) -> Message:
    """Alice's question about one of her invoices."""
    invoice = make_invoice(make_payer(people.alice, people.bob))
    return send_message(
        actor=people.alice,
        email=people.alice.email,
        subject="Le repas du 12",
        body="Bonjour,\nmon fils était absent.",
        invoice=invoice,
    )
