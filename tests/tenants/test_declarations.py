"""Every table and every storage prefix says what becomes of it; a new one that nobody thought about stops here."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

from tenants import declarations
from tenants.declarations import HELD, MUST_BE_THERE, Declaration, Erased, held
from tests.services import ROOT
from toolkit.files.storage import PREFIXES


def test_every_model_is_declared() -> None:
    assert not declarations.problems(), "\n".join(declarations.problems())


@pytest.mark.parametrize(
    ("name", "declaration", "words"),
    [
        ("Product", None, "products.Product is not declared: say in town_data of ProductsConfig"),
        ("ParkingMeter", HELD, "products.ParkingMeter is declared but there is no such model any more"),
        ("Product", Declaration(exported=False, erased=Erased.WITH_TOWN), "say why"),
        ("Product", Declaration(exported=True, erased=Erased.KEPT), "say why"),
        ("Product", held(keys={"shoe": MUST_BE_THERE}), "« shoe », which is no column"),
    ],
)
def test_a_wrong_declaration_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, declaration: Declaration | None, words: str
) -> None:
    config = apps.get_app_config("products")
    said = {**config.town_data, name: declaration}  # type: ignore[attr-defined]
    monkeypatch.setattr(config, "town_data", {key: value for key, value in said.items() if value is not None})
    (problem,) = [problem for problem in declarations.problems() if problem.startswith("products.")]
    assert words in problem


def test_every_column_that_may_name_a_file_says_so() -> None:
    """By its name: `key`, `…_key`. One that is no file is listed here."""
    no_file = {
        "payments.Finding.key": "the same thing seen again is one row by it",
        "mail.OutgoingMail.key": "sending twice is impossible by it",
        "notices.PlannedNotice.key": "telling twice is impossible by it",
        "sessions.Session.session_key": "a session",
        "accounts.Passkey.public_key": "a public key, as bytes",
    }
    said = declarations.declared()
    for model in declarations.concrete_models():
        for column in model._meta.concrete_fields:
            name = f"{model._meta.label}.{column.column}"
            if (column.column == "key" or column.column.endswith("_key")) and name not in no_file:
                assert column.column in said[model._meta.label].keys, (
                    f"does {name} name a file? Then declare it with held(keys=…) in town_data; else list it here."
                )


def test_every_prefix_says_what_becomes_of_it() -> None:
    for name, prefix in PREFIXES.items():
        assert prefix.exported or prefix.why, (
            f"say why an export leaves {name} out (toolkit.files.storage.PREFIXES)"
        )


def test_no_room_makes_a_key_of_its_own() -> None:
    """Keys are made in toolkit.files.storage, where prefixes are declared; the storage refuses any other."""
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in (
                "put_object",
                "upload_file",
                "upload_fileobj",
            ):
                pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno} writes to S3 past toolkit.files.storage")


def _sources() -> list[Path]:
    folders = ("tenants", "shared_apps", "tenant_apps", "src/config")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
