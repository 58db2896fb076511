"""The people of a town hall and their browsers."""

import html
import io
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch
from tenants.models import Town

HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom;E-mail"
ROW = "2026-001-{n:06};01/10/2026;31/12/2026;25,00;CANTINE;F{n:03};MARTIN;Alice;alice{n}@example.net"


@pytest.fixture
def people(town: Town, make_account: Callable[..., Account]) -> SimpleNamespace:
    """`people.reader`, `.clerk`, `.cashier`, `.manager` are staff; `.alice` is a resident."""
    roles = {**{role.value: role for role in STAFF_ROLES}, "alice": Role.RESIDENT}
    return SimpleNamespace(
        **{name: make_account(f"{name}@example.net", role=role) for name, role in roles.items()}
    )


@pytest.fixture
def browsers(people: SimpleNamespace, client_for: Callable[..., Client]) -> SimpleNamespace:
    """A signed-in browser for each of `people`, and `browsers.nobody`."""
    return SimpleNamespace(
        nobody=client_for(), **{name: client_for(account) for name, account in vars(people).items()}
    )


@pytest.fixture
def make_batch(town: Town) -> Callable[..., Batch]:
    """`make_batch(3)`: an import of three invoices, checked; `publish=True` puts them online."""

    def make(size: int = 2, *, start: int = 1, publish: bool = False, **more: Any) -> Batch:
        lines = [HEADER, *(ROW.format(n=n) for n in range(start, start + size))]
        return send("\r\n".join(lines).encode(), publish=publish, **more)

    return make


def send(content: bytes, *, publish: bool = False, **more: Any) -> Batch:
    """An import of these bytes, taken as far as the worker takes it."""
    batch = services.create_batch(
        actor="system", rows_file=io.BytesIO(content), rows_name="factures.csv", **more
    )
    processing.process_waiting()
    batch.refresh_from_db()
    if publish:
        services.publish_batch(actor="system", batch=batch)
        processing.process_waiting()
        batch.refresh_from_db()
    return batch


def text(answer: Any) -> str:
    """The page as it reads: no tags, single plain spaces."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))).replace(
        "\xa0", " "
    )
