"""« Ses régies »: a manager chooses for which régies a member of staff works."""

from types import SimpleNamespace

import pytest

from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import limit_member, set_up_product
from tests.backoffice.conftest import text


@pytest.fixture
def pool(people: SimpleNamespace) -> Product:
    return set_up_product(actor="system", code="PISCINE", label="Régie piscine")


def page(people: SimpleNamespace, who: str = "clerk") -> str:
    return f"/gestion/equipe/{getattr(people, who).uuid}/regies/"


def test_some_then_all_again(people: SimpleNamespace, browsers: SimpleNamespace, pool: Product) -> None:
    box = f'name="regie_{pool.pk}"'
    shown = browsers.manager.get(page(people)).content.decode()
    assert box in shown
    assert f'name="regie_{default_product().pk}"' in shown
    answer = browsers.manager.post(page(people), {f"regie_{pool.pk}": "on"})
    assert answer["Location"] == page(people)
    people.clerk.refresh_from_db()
    assert people.clerk.limited_to == [pool.pk]
    assert "C'est enregistré" in text(browsers.manager.get(page(people)))
    browsers.manager.post(page(people), {"everything": "on"})
    people.clerk.refresh_from_db()
    assert people.clerk.limited_to == []


@pytest.mark.parametrize(
    ("both", "words"), [(False, "au moins une régie"), (True, "celles qui comptent : pas les deux")]
)
def test_neither_and_both_are_refused(
    people: SimpleNamespace, browsers: SimpleNamespace, pool: Product, both: bool, words: str
) -> None:
    limit_member(actor="system", account=people.clerk, products=[pool])
    sent = {"everything": "on", f"regie_{pool.pk}": "on"} if both else {}
    answer = browsers.manager.post(page(people), sent)
    assert answer.status_code == 422
    assert words in text(answer)
    people.clerk.refresh_from_db()
    assert people.clerk.limited_to == [pool.pk]


def test_a_manager_is_not_limited_and_a_resident_is_absent(
    people: SimpleNamespace, browsers: SimpleNamespace, pool: Product
) -> None:
    answer = browsers.manager.post(page(people, "manager"), {f"regie_{pool.pk}": "on"})
    assert answer.status_code == 422
    assert "Un responsable travaille pour toutes les régies" in text(answer)
    assert browsers.manager.get(page(people, "alice")).status_code == 404
    assert browsers.clerk.get(page(people, "reader")).status_code == 403
