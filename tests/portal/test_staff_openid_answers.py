"""What comes back from the provider of staff: once, in its browser, checked; ProConnect's ways, and its silence."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.accounts.signing_in.openid.audience import Audience
from tenant_apps.portal.openid import road
from tenants.models import Town
from tests.accounts import provider as lies
from tests.accounts.provider import Provider
from tests.portal.conftest import text
from tests.portal.openid import (
    OWN,
    STAFF_BACK,
    STAFF_START,
    honest,
    offer,
    out,
    over_there,
    staff_issuer,
    staff_liar,
    staff_sign_in,
)
from tests.portal.test_staff_openid import clerk, is_at_work, link_to

__all__ = ["clerk", "honest", "staff_issuer", "staff_liar"]  # fixtures


def test_an_answer_serves_once_and_in_its_browser(
    staff_issuer: str, clerk: Account, client_for: Callable[..., Client]
) -> None:
    link_to(clerk, staff_issuer)
    client, thief = client_for(), client_for()
    out(thief, STAFF_START)
    back = over_there(out(client, STAFF_START))
    assert thief.get(back).status_code == 400
    assert not is_at_work(thief)
    before = client.session.session_key
    assert client.get(back).status_code == 302
    assert client.session.session_key != before
    again = client.get(back)
    assert again.status_code == 400
    assert 'href="/connexion/agents/"' in again.content.decode()


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": ""}, {"code": "x"}, {"iss": "https://evil.example"}]
)
def test_an_answer_that_was_changed(
    staff_issuer: str, clerk: Account, client_for: Callable[..., Client], change: dict[str, str]
) -> None:
    link_to(clerk, staff_issuer)
    client = client_for()
    address = over_there(out(client, STAFF_START))
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert client.get(STAFF_BACK, {**query, **change}).status_code == 400
    assert not is_at_work(client)


@pytest.mark.parametrize(
    "lie",
    [{"nonce": "another"}, {"aud": "another-town"}, {"iss": "https://evil.example"}, {"exp": 1}],
    ids=str,
)
def test_a_lie_opens_nothing(
    staff_liar: Provider, clerk: Account, client_for: Callable[..., Client], lie: dict[str, Any]
) -> None:
    link_to(clerk, staff_liar.issuer, "camille")
    client = client_for()
    assert client.get(STAFF_BACK, staff_liar.sign_in(out(client, STAFF_START)))["Location"] == "/gestion/"
    staff_liar.claims, client = lie, client_for()
    answer = client.get(STAFF_BACK, staff_liar.sign_in(out(client, STAFF_START)))
    assert answer.status_code == 400
    assert "prévenez un responsable" in text(answer)
    assert not is_at_work(client)


def test_as_proconnect_does(staff_liar: Provider, clerk: Account, client_for: Callable[..., Client]) -> None:
    """Its scopes, no parameter that it does not list, its name in use, and a signed userinfo."""
    staff_liar.signed_userinfo = True
    staff_liar.document = {
        "scopes_supported": ["openid", "given_name", "usual_name", "email", "uid", "siret", "idp_id"],
        "acr_values_supported": ["eidas1"],
    }
    staff_liar.said = {
        "family_name": None,
        "usual_name": "DURAND",
        "email": "Agent@Example.net",
        "siret": "21310001900024",
        "idp_id": "71144ab3-ee1a-4401-b7b3-79b44f7daeeb",
    }
    client = client_for(clerk)
    address = out(client, STAFF_START)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["scope"] == "openid email given_name usual_name"
    assert "acr_values" not in asked
    assert asked["redirect_uri"].endswith("/connexion/agents/retour/")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert min(len(asked["state"]), len(asked["nonce"])) >= 32
    assert client.get(STAFF_BACK, staff_liar.sign_in(address))["Location"] == OWN
    page = text(client.get(OWN))
    assert "Camille DURAND" in page
    assert "vérifiez que c'est bien vous" not in page  # the same address, in other letters
    staff_liar.said = {"email": "collegue@example.net"}
    client.get(STAFF_BACK, staff_liar.sign_in(out(client, STAFF_START)))
    page = text(client.get(OWN))
    assert "collegue@example.net : vérifiez que c'est bien vous" in page
    client.post(OWN, {"quoi": "relier"})
    assert "DURAND" not in str(dict(client.session))
    assert "collegue" not in str(Account.objects.values().get(pk=clerk.pk))


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"])
def test_the_provider_is_down(staff_liar: Provider, client_for: Callable[..., Client], path: str) -> None:
    client = client_for()
    back = {} if path.startswith("/.") else staff_liar.sign_in(out(client, STAFF_START))
    staff_liar.faults[path] = lies.status(503)
    answer = client.get(STAFF_BACK, back) if back else client.get(STAFF_START)
    assert answer.status_code == 503
    assert "ProConnect ne répond pas" in text(answer)


def test_wrong_keys_are_the_town_s_affair(staff_liar: Provider, client_for: Callable[..., Client]) -> None:
    offer(staff_liar.issuer, secret="another", audience=Audience.STAFF)
    client = client_for()
    answer = client.get(STAFF_BACK, staff_liar.sign_in(out(client, STAFF_START)))
    assert answer.status_code == 503
    assert "Prévenez un responsable" in text(answer)


def test_too_late(
    staff_issuer: str, clerk: Account, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for(clerk)
    back = over_there(out(client, STAFF_START))
    staff_sign_in(client)
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + attempts.LIFE + 1)
    assert client.get(back).status_code == 410


def test_guessing_is_slowed_down(staff_issuer: str, client_for: Callable[..., Client]) -> None:
    for _ in range(road.FAILURES.most):
        last = client_for().get(f"{STAFF_BACK}?state=x")
    assert last.status_code == 400
    assert client_for().get(f"{STAFF_BACK}?state=x").status_code == 429
    for _ in range(road.STARTS.most):
        last = client_for().get(STAFF_START)
    assert last.status_code == 302
    assert client_for().get(STAFF_START).status_code == 429


@pytest.mark.parametrize("suite", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_only_pages_of_this_host_are_next(
    staff_issuer: str, clerk: Account, client_for: Callable[..., Client], suite: str
) -> None:
    link_to(clerk, staff_issuer)
    assert staff_sign_in(client_for(), suite=suite)["Location"] == "/gestion/"


def test_another_town_knows_nobody(
    staff_issuer: str, clerk: Account, other_town: Town, honest: str, client_for: Callable[..., Client]
) -> None:
    link_to(clerk, staff_issuer)
    client = client_for()
    back = over_there(out(client, STAFF_START))
    elsewhere = {"host": "pechabou.localhost"}
    with tenant_context(other_town):
        assert client.get(STAFF_START, headers=elsewhere).status_code == 404
        offer(honest, audience=Audience.STAFF)
    assert client.get(back, headers=elsewhere).status_code == 400
    assert client.get("/gestion/", headers=elsewhere).status_code == 302


def test_while_the_town_is_moved(
    staff_issuer: str, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(road, "is_read_only", lambda: True)
    client = client_for()
    client.raise_request_exception = False
    for path in (STAFF_START, STAFF_BACK):
        assert client.get(path).status_code == 503
        assert client.post(path).status_code == 405
