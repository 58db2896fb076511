"""Every setting of a town has its box on a page, or says why it has none."""

import re
from types import SimpleNamespace

import pytest
from django.db import models

from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.townhall.models import TownHall

PAGES_OF_THE_TOWN = (
    "commune",
    "identite",
    "messages",
    "textes",
    "connexion",
    "donnees-personnelles",
    "franceconnect",
    "connexion-agents",
)
PAGES = {
    TownHall: [f"reglages/{page}/" for page in PAGES_OF_THE_TOWN],
    Product: ["reglages/regies/{product}/", "reglages/regies/{product}/identifiant/"],
}
WITHOUT_A_BOX = {
    TownHall: {
        "logo_width": "measured when the logo arrives",
        "logo_height": "measured when the logo arrives",
        "first_day": "what the list on the home page remembers",
        "identity_provider": "a secret and its companions: drawn one by one, as issuer, client_id, secret, label",
        "staff_identity_provider": "the same",
    },
    Product: {
        "numcli": "drawn as `number`",
        "mode": "moves on at « Mise en service » only, one way",
        "treasury_label": "what the Treasury answered",
        "checked_at": "when somebody recognised the town in that answer",
        "closed_at": "when the Treasury refused the number",
        "closed_code": "what it said then",
        "is_default": "given by a button on the page of another one",
    },
}


def settings_of(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields if field.editable and not field.primary_key}


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_every_setting_is_drawn_or_says_why_not(model: type[models.Model], browsers: SimpleNamespace) -> None:
    product = default_product().pk
    pages = [browsers.manager.get(f"/gestion/{page.format(product=product)}") for page in PAGES[model]]
    assert {page.status_code for page in pages} == {200}
    drawn = {name for page in pages for name in re.findall(r'name="(\w+)"', page.content.decode())}
    assert settings_of(model) - drawn == set(WITHOUT_A_BOX[model])
