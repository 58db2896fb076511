"""Every table of a town says what it is to a person; a new one that nobody thought about stops here."""

import pytest
from django.apps import apps

from shared_apps.privacy import personal
from shared_apps.privacy.personal import Declared, given, withheld


def test_every_model_is_declared() -> None:
    assert not personal.problems(), "\n".join(personal.problems())


@pytest.mark.parametrize(
    ("name", "declaration", "words"),
    [
        ("Product", None, "products.Product is not declared: say in person_data of ProductsConfig"),
        ("ParkingMeter", given("x"), "products.ParkingMeter is declared but there is no such model any more"),
        ("Product", Declared(), "say why"),
        ("Product", withheld("why", keeps={"shoe": "why"}), "no such column"),
        ("Product", withheld("why", keeps={"label": ""}), "no reason"),
    ],
)
def test_a_wrong_declaration_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, declaration: Declared | None, words: str
) -> None:
    config = apps.get_app_config("products")
    said = {**config.person_data, name: declaration}  # type: ignore[attr-defined]
    monkeypatch.setattr(
        config, "person_data", {key: value for key, value in said.items() if value is not None}
    )
    (problem,) = personal.problems()
    assert words in problem
