"""Invoices to be paid."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tenant_apps.invoices.models import Invoice
from tenant_apps.products.models import Product


@pytest.fixture
def invoices(people: SimpleNamespace, make_payer: Any, make_invoice: Callable[..., Invoice]) -> list[Invoice]:
    """Alice's household owes 10 and 20 €, another 30 €."""
    alice = make_payer(people.alice, last_name="DUPRÉ", first_name="Alice")
    other = make_payer(last_name="LEFÈVRE", first_name="Łukasz")
    return [
        make_invoice(alice, amount="10"),
        make_invoice(alice, amount="20"),
        make_invoice(other, amount="30"),
    ]


@pytest.fixture
def of_water(make_payer: Any, make_invoice: Callable[..., Invoice], town: Any) -> Invoice:
    """An invoice of another régie, owed by another Alice DUPRÉ."""
    default = Product.objects.get(is_default=True)
    water = Product.objects.create(code="eau", label="Régie eau", kind=default.kind, numcli="001965")
    homonym = make_payer(last_name="DUPRÉ", first_name="Alice", address="3 rue du Moulin", city="Agen")
    return make_invoice(homonym, amount="15", product=water)
