"""Payment references per kind of product, and the references that the portal makes."""

import re
import uuid

import pytest

from tenant_apps.products import references
from tenant_apps.products.models import ProductKind


@pytest.mark.parametrize(
    ("kind", "reference", "good"),
    [
        ("role", "2025EA00123456789", True),
        ("role", "2025001001078", False),
        ("role", "2025ea00123456789", False),
        ("titre", "20250000012301", True),
        ("titre", "2025EA00123456789", False),
        ("regie", "2015RS008001516", True),
        ("regie", "ABCDE", False),
        ("regie", "A" * 31, False),
        ("regie", "été2026", False),
    ],
)
def test_the_reference_rule(kind: str, reference: str, good: bool) -> None:
    assert (references.problem(kind, reference) == "") == good


def test_our_references_meet_no_invoice_s() -> None:
    made = {references.of_several(uuid.uuid4()) for _ in range(2000)}
    made |= {references.of_several(uuid.UUID(int=n)) for n in (0, 1, 2**128 - 1)}
    assert len(made) == 2003
    for reference in made:
        assert re.fullmatch(r"[A-Za-z0-9]{6,30}", reference)
        for spelt in (reference, reference.lower()):
            assert all(references.problem(kind, spelt) for kind in ProductKind)  # refused when imported
    assert not references.problem(ProductKind.REGIE, "GRP2026001")
