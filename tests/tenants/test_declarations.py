"""Every table and every storage prefix says what becomes of it; a new one that nobody thought about stops here."""

from tenants.archive import declarations


def test_every_model_is_declared() -> None:
    assert not declarations.problems(), "\n".join(declarations.problems())
