"""Two managers change products at the same time."""

from tenant_apps.products import services
from tenant_apps.products.models import Product
from tenants.models import Town
from tests.races import at_once, crowd


def test_two_set_the_default(live_town: Town) -> None:
    creche = services.add_product(actor="system", label="Crèche").pk
    water = services.add_product(actor="system", label="Eau").pk

    def choose(pk: int) -> Product:
        return services.make_default(actor="system", product=Product.objects.get(pk=pk))

    with crowd(live_town) as go:
        for _ in range(10):
            assert go(lambda: choose(creche), lambda: choose(water)) == []
            assert Product.objects.filter(is_default=True).count() == 1


def test_one_closes_what_the_other_makes_the_default(live_town: Town) -> None:
    creche = services.add_product(actor="system", label="Crèche").pk

    def close() -> None:
        services.end_product(actor="system", product=Product.objects.get(pk=creche), pays_after_end=False)

    def choose() -> None:
        services.make_default(actor="system", product=Product.objects.get(pk=creche))

    raised = at_once(live_town, close, choose)
    assert len(raised) == 1  # the second is refused with a sentence
    assert isinstance(raised[0], services.StillDefault | services.Ended)
    assert Product.objects.filter(is_default=True, ended_at=None).count() == 1


def test_two_add_the_same(live_town: Town) -> None:
    assert at_once(live_town, *[lambda: services.add_product(actor="system", label="Crèche")] * 3) == []
    codes = sorted(Product.objects.exclude(code="REGIE").values_list("code", flat=True))
    assert codes == ["CRECHE", "CRECHE-2", "CRECHE-3"]
