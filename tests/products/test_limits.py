"""Which régies a member of staff works for: who may be limited, from when on, and what a list of ids lets through."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.products.errors import CannotBeLimited
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product, names_several_products, products_for_staff
from tenant_apps.products.services import limit_member, set_up_product
from tenants.models import Town
from toolkit.scope import EVERYTHING, NOTHING, Scope


@pytest.fixture
def pool(town: Town) -> Product:
    return set_up_product(actor="system", code="PISCINE", label="Régie piscine")


@pytest.fixture
def clerk(make_account: Callable[..., Account]) -> Account:
    return make_account("clerk@example.net", role=Role.CLERK)


def test_from_the_next_request_on_and_nobody_is_signed_out(
    pool: Product, clerk: Account, client_for: Callable[..., Client]
) -> None:
    browser = client_for(clerk)
    assert "Régie piscine" not in browser.get("/gestion/").content.decode()
    limit_member(actor="system", account=clerk, products=[pool])
    page = browser.get("/gestion/")
    assert page.status_code == 200
    assert "Régie piscine" in page.content.decode()  # at the foot of the menu
    assert "Régie cantine" not in page.content.decode()
    limit_member(actor="system", account=clerk, products=[])
    assert "Régie piscine" not in browser.get("/gestion/").content.decode()


def test_the_trail_says_from_what_to_what_once(pool: Product, clerk: Account) -> None:
    both = [default_product(), pool]
    limit_member(actor="system", account=clerk, products=[pool])
    limit_member(actor="system", account=clerk, products=both)
    limit_member(actor="system", account=clerk, products=[*reversed(both)])  # the same again
    told = AuditEntry.objects.filter(verb="account.limited").order_by("id").values_list("old", "new")
    assert list(told) == [
        ({"products": []}, {"products": ["PISCINE"]}),
        ({"products": ["PISCINE"]}, {"products": ["PISCINE", "REGIE"]}),
    ]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RESIDENT])
def test_a_manager_and_a_resident_are_not_limited(
    pool: Product, make_account: Callable[..., Account], role: Role
) -> None:
    account = make_account("other@example.net", role=role)
    with pytest.raises(CannotBeLimited):
        limit_member(actor="system", account=account, products=[pool])
    account.refresh_from_db()
    assert account.limited_to == []


def test_whoever_becomes_manager_has_the_whole_town(pool: Product, clerk: Account) -> None:
    limit_member(actor="system", account=clerk, products=[pool])
    assert clerk.scope == Scope(frozenset({pool.pk}))
    clerk.role = Role.MANAGER
    assert clerk.scope == EVERYTHING
    clerk.role = Role.RESIDENT
    assert clerk.scope == NOTHING


def test_what_a_scope_lets_through(pool: Product) -> None:
    canteen, mine = default_product(), Scope(frozenset({pool.pk}))
    assert list(products_for_staff(mine)) == [pool]
    assert list(products_for_staff(EVERYTHING)) == [canteen, pool]
    assert list(products_for_staff(NOTHING)) == []
    assert [names_several_products(scope) for scope in (mine, EVERYTHING)] == [False, True]
    lists = ([], [pool.pk], [canteen.pk], [canteen.pk, pool.pk])
    assert [mine.covers(ids) for ids in lists] == [False, True, False, False]
    assert all(EVERYTHING.covers(ids) for ids in lists)
    assert not any(NOTHING.covers(ids) for ids in lists)
    assert Scope.kept(mine.listed) == mine
    assert (
        Scope.kept([0]).of(Product.objects.all(), "pk").count() == 0
    )  # no product any more: nothing, and not all


def test_it_costs_no_statement_but_the_names_of_the_menu(
    pool: Product, clerk: Account, client_for: Callable[..., Client]
) -> None:
    browser = client_for(clerk)
    browser.get("/gestion/factures/")
    counts = []
    for products in ([], [pool]):
        limit_member(actor="system", account=clerk, products=products)
        with CaptureQueriesContext(connection) as asked:
            browser.get("/gestion/factures/")
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 1
