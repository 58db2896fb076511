"""What every answer says to browsers: who may do what on the page, and where a secret must not be kept or told."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config.web.headers import tokens
from tests.isolation.table import TOWN
from tests.isolation.test_routes import World
from tests.isolation.test_routes import world as world

KEPT_TO_ITSELF = ("no-referrer", "same-origin")


def token_routes(urlconf: str) -> set[str]:
    """The routes with a secret in their path, by their parameters' names."""

    def walk(resolver: URLResolver, prefix: str) -> Any:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, route)
            elif isinstance(entry, URLPattern) and set(entry.pattern.converters) & tokens():
                yield "/" + route

    return set(walk(get_resolver(urlconf), ""))


def check(answer: Any, where: str) -> None:
    assert "no-store" in answer.headers.get("Cache-Control", ""), where
    assert answer.headers.get("Referrer-Policy") in KEPT_TO_ITSELF, where


@pytest.mark.parametrize("person", ["nobody", "alice", "manager"])
def test_every_answer(world: World, person: str) -> None:
    browser: Any = world.client(person)
    for route in TOWN:
        answer = browser.get(world.address(route))
        assert "geolocation=()" in answer["Permissions-Policy"], route
        assert "publickey-credentials-get=(self)" in answer["Permissions-Policy"], route
        assert answer["Referrer-Policy"] in KEPT_TO_ITSELF, route
        if not answer.streaming and b"csrfmiddlewaretoken" in answer.content:
            check(answer, route)
        # A secret in the address, whatever the page makes of it.
        check(browser.get(world.address(route), {"LIEN": "x"}), route)


def test_every_route_with_a_token(world: World) -> None:
    towns, callbacks = token_routes("config.urls.town"), token_routes("config.urls.callback")
    assert len(towns) >= 2
    assert callbacks
    for host, routes in (("mairie.localhost", towns), ("paiement.localhost", callbacks)):
        client = Client(headers={"host": host})
        for route in routes:
            path = route.partition("<")[0] + "un-secret/"
            for answer in (client.get(path), client.post(path)):
                check(answer, path)


@pytest.mark.parametrize("host", ["localhost", "admin.localhost", "paiement.localhost", "nulle-part.example"])
def test_errors_too(db: None, host: str) -> None:
    for path in ("/", "/nulle-part/", "/healthz/live"):
        assert "camera=()" in Client(headers={"host": host}).get(path)["Permissions-Policy"], path
