"""What the services and the database refuse about products."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tenant_apps.products.models import Mode, Product, ProductKind
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import set_up_product
from tenants.models import Town


def test_the_mode_only_goes_forward(town: Town) -> None:
    Product.objects.update(mode=Mode.PRODUCTION)
    with pytest.raises(ValidationError):
        set_up_product(actor="system", code="REGIE", label="Régie", mode=Mode.TEST)
    assert default_product().mode == "W"
    other = set_up_product(actor="system", code="REGIE", label="Régie", mode=Mode.TEST, numcli="001999")
    assert (other.mode, other.checked_at) == ("T", None)  # a new number starts again in mode T


def test_only_a_regie(town: Town) -> None:
    for kind in (ProductKind.TITRE, ProductKind.ROLE):
        with pytest.raises(IntegrityError, match="several_is_for_a_regie"), transaction.atomic():
            Product.objects.update(kind=kind, takes_several=True)
