"""The town's provider, honest or lying, and the road of a browser to it and back."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import oidc_provider_mock
import pytest
import requests
from django.core.cache import cache
from django.test import Client

from shared_apps.accounts.signing_in.openid.audience import Audience
from tenant_apps.townhall import queries as townhalls
from tenant_apps.townhall.identity_provider import change_identity_provider
from tenants.models import Town
from tests.accounts import provider as lies
from tests.accounts.provider import Provider
from tests.conftest import PASSWORD
from tests.portal.conftest import text

STAFF_START, STAFF_BACK = "/connexion/agents/", "/connexion/agents/retour/"
OWN = "/gestion/mon-compte/fournisseur/"
START, BACK, LINK = "/connexion/fc/", "/connexion/fc/retour/", "/connexion/fc/relier/"
MINE = "/mes-informations/connexion/"
SUBJECT = "camille-martin"


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    """The issuer of a real provider, of another hand than ours."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def offer(issuer: str, **more: Any) -> None:
    values = {"client_id": lies.CLIENT, "secret": lies.SECRET, "label": "", "enabled": True, **more}
    change_identity_provider(issuer=issuer, **{"actor": "system", **values})
    townhalls.forget()


@pytest.fixture
def issuer(town: Town, honest: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The provider of the current town."""
    cache.clear()
    lies.patience(monkeypatch)
    offer(honest)
    return honest


@pytest.fixture
def staff_issuer(town: Town, honest: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same provider, for the staff of the current town only."""
    cache.clear()
    lies.patience(monkeypatch)
    offer(honest, audience=Audience.STAFF)
    return honest


@pytest.fixture
def staff_liar(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """One for staff that lies on demand."""
    cache.clear()
    lies.patience(monkeypatch)
    with lies.running() as found:
        offer(found.issuer, audience=Audience.STAFF)
        yield found


@pytest.fixture
def liar(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The same, which lies on demand."""
    cache.clear()
    lies.patience(monkeypatch)
    with lies.running() as found:
        offer(found.issuer)
        yield found


def out(client: Client, start: str = START, **query: str) -> str:
    """Where « S'identifier avec FranceConnect » leads, or the button of staff."""
    answer = client.get(start, query)
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"])


def over_there(address: str, subject: str = SUBJECT, action: str = "") -> str:
    """The person signs in at the provider; the address to which they are sent back, at the town's host."""
    sent = requests.post(address, data={"sub": subject, "action": action}, allow_redirects=False, timeout=10)
    assert sent.status_code == 302, sent.text
    parts = urlsplit(sent.headers["Location"])
    assert parts.path in (BACK, STAFF_BACK)
    assert parts.netloc.startswith("mairie.localhost")
    return f"{parts.path}?{parts.query}"


def sign_in(client: Client, subject: str = SUBJECT, **query: str) -> Any:
    return client.get(over_there(out(client, **query), subject))


def staff_sign_in(client: Client, subject: str = SUBJECT, **query: str) -> Any:
    return client.get(over_there(out(client, STAFF_START, **query), subject))


def link(client: Client, email: str = "alice@example.net", password: str = PASSWORD) -> Any:
    return client.post(LINK, {"email": email, "password": password})


def is_somebody(client: Client) -> bool:
    return client.get("/factures/").status_code == 200
