"""The payer whose addresses change."""

from collections.abc import Callable

import pytest

from tenant_apps.residents.models import Payer
from tenants.models import Town
from tests.residents.addresses.billing_file import ALICE


@pytest.fixture
def payer(town: Town, make_payer: Callable[..., Payer]) -> Payer:
    payer = make_payer(email=ALICE)
    assert payer.reference == "P00001"
    return payer
