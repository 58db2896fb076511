"""What no person types and any program sends: a NUL, which PostgreSQL takes in no text, is no fault of ours."""

from typing import Any

import pytest
from django.test import Client

from tests.isolation.table import TOWN
from tests.isolation.test_routes import World
from tests.isolation.test_routes import world as world

FIELDS = ("q", "facture", "produit", "etat", "apres", "page", "import", "redevable", "moyen", "LIEN", "suite")
QUERY = "&".join(f"{name}=%00" for name in FIELDS)


@pytest.mark.parametrize("person", ["alice", "manager", "nobody"])
def test_in_the_address(world: World, person: str) -> None:
    browser = world.client(person)
    for route, expected in TOWN.items():
        answer = browser.get(f"{world.address(route).partition('?')[0]}?{QUERY}")
        assert answer.status_code in (expected[person], 302, 404, 410), route


@pytest.mark.parametrize("key", ['"abcdefghijkl\\000"', "abcdefgh%00", "'; DROP", "x" * 4000, "é" * 20])
def test_in_the_session_s_cookie(town: Any, key: str) -> None:
    """Whoever sends what we never gave is nobody, on every host."""
    for host, path, status in (("mairie", "/", 200), ("mairie", "/factures/", 302), ("admin", "/", 302)):
        browser = Client(headers={"host": f"{host}.localhost", "cookie": f"session={key}"})
        assert browser.get(path).status_code == status, (host, path)


@pytest.mark.parametrize("route", ["backoffice:close-finding", "backoffice:reject-attempt"])
def test_in_the_words_of_staff(world: World, route: str) -> None:
    words = {"answer": "vu\0", "reason": "vu\0"}
    assert world.client("manager").post(world.address(route), words).status_code == 302
