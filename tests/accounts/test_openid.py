"""The protocol against a provider that lies: what comes back is believed only when it proves what it must."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache

from shared_apps.accounts.signing_in.openid import discovery, errors, exchange
from shared_apps.accounts.signing_in.openid.discovery import Registration, discover
from shared_apps.accounts.signing_in.openid.exchange import Identity, Way
from tests.accounts import provider as lies
from tests.accounts.provider import CLIENT, EC, OTHER, RSA, SECRET, Provider, public, running
from toolkit import outside

BACK = "https://mairie.example.org/connexion/fc/retour/"


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    cache.clear()
    lies.patience(monkeypatch)
    settings.INSIDE_HOSTS = ["localhost"]
    with running() as found:
        yield found


def registration(provider: Provider, **more: str) -> Registration:
    return replace(Registration(provider.issuer, CLIENT, SECRET), **more)


def whole_way(provider: Provider, *, way: Way | None = None, **changed: str) -> Identity:
    """Out, signed in over there, and back."""
    way, registered = way or Way.new(), registration(provider)
    found = discover(registered.issuer)
    address = exchange.way_out(registered, found, way=way, redirect_uri=BACK)
    answer = {**provider.sign_in(address), **changed}
    return exchange.identity(registered, found, way=way, redirect_uri=BACK, answer=answer)


def test_the_way_out(provider: Provider) -> None:
    way = Way.new()
    address = exchange.way_out(registration(provider), discover(provider.issuer), way=way, redirect_uri=BACK)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{provider.issuer}/authorize?")
    assert asked["scope"] == "openid email given_name family_name birthdate"
    assert asked["acr_values"] == "eidas1"
    assert asked["redirect_uri"] == BACK
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] != way.verifier
    assert (asked["state"], asked["nonce"]) == (way.state, way.nonce)
    assert min(len(way.state), len(way.nonce), len(way.verifier)) >= 43
    assert SECRET not in address


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("algorithm", "key"), [("ES256", EC), ("RS256", RSA)])
def test_an_honest_provider_is_believed(provider: Provider, algorithm: str, key: Any, signed: bool) -> None:
    provider.algorithm, provider.key, provider.signed_userinfo = algorithm, key, signed
    found = whole_way(provider)
    assert (found.issuer, found.subject, found.name) == (provider.issuer, "camille", "Camille MARTIN")
    assert found.end_session == f"{provider.issuer}/session/end"
    assert found.id_token


def test_the_first_franceconnect_signs_with_the_secret(provider: Provider) -> None:
    provider.document = {"id_token_signing_alg_values_supported": ["HS256"], "jwks_uri": None}
    provider.id_token = lies.hs256
    assert whole_way(provider).subject == "camille"
    provider.id_token = lambda claims: lies.hs256(claims, "x" * 64)
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_the_secret_goes_where_the_provider_wants_it(provider: Provider) -> None:
    whole_way(provider)
    _method, _path, form, headers = next(one for one in provider.asked if one[1] == "/token")
    assert form["client_secret"] == SECRET
    assert "Authorization" not in headers
    cache.clear()
    provider.document = {"token_endpoint_auth_methods_supported": None}  # Basic, by default
    with pytest.raises(errors.Misconfigured):  # this one only reads the form
        whole_way(provider)
    _method, _path, form, headers = [one for one in provider.asked if one[1] == "/token"][-1]
    assert headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in form


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["another"]},
        {"aud": "another-town"},
        {"aud": None},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"aud": [CLIENT, "another"]},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 12},
        {"at_hash": "another"},
    ],
    ids=str,
)
def test_a_token_that_says_something_else(provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_lists_that_hold_the_right_word_are_no_right_word(provider: Provider) -> None:
    way = Way.new()
    provider.claims = {"iss": ["https://evil.example", provider.issuer]}
    with pytest.raises(errors.Untrusted):
        whole_way(provider, way=way)
    provider.claims = {"nonce": ["x", way.nonce]}
    with pytest.raises(errors.Untrusted):
        whole_way(provider, way=way)


@pytest.mark.parametrize("announced", [["ES256"], ["none"], ["ES256", "none"]])
def test_no_signature_is_no_token(provider: Provider, announced: list[str]) -> None:
    provider.document = {"id_token_signing_alg_values_supported": announced}
    provider.id_token = lies.unsigned
    with pytest.raises((errors.Untrusted, errors.Misconfigured)):
        whole_way(provider)


def test_the_public_key_is_no_secret(provider: Provider) -> None:
    """Confusion of algorithms: HS256 with what everybody can read, or even with the true secret, unannounced."""
    pem = EC.as_pem(private=False).decode()
    for forge in (lambda claims: lies.hs256(claims, pem), lies.hs256):
        provider.id_token = forge
        for announced in (["ES256"], ["ES256", "HS256"]):
            cache.clear()
            provider.document = {"id_token_signing_alg_values_supported": announced}
            with pytest.raises(errors.Untrusted):
                whole_way(provider)


def test_an_algorithm_that_is_not_announced(provider: Provider) -> None:
    provider.document = {"id_token_signing_alg_values_supported": ["RS256"]}
    with pytest.raises(errors.Untrusted):
        whole_way(provider)  # ES256, by a key that is published


def test_another_s_key_of_the_same_name(provider: Provider) -> None:
    provider.key = OTHER
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


@pytest.mark.parametrize("use", [{"use": "enc"}, {"alg": "ES384"}])
def test_a_key_for_something_else(provider: Provider, use: dict[str, str]) -> None:
    provider.keys = {"keys": [{**EC.as_dict(private=False), **use}]}
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_keys_that_were_renewed_are_fetched_once_more(provider: Provider) -> None:
    whole_way(provider)
    provider.key, provider.keys = OTHER, public(OTHER)
    assert whole_way(provider).subject == "camille"
    assert [path for _m, path, _f, _h in provider.asked].count("/jwks") == 2
    provider.key = EC  # gone
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_both_answers_name_one_person(provider: Provider) -> None:
    for provider.signed_userinfo in (False, True):
        provider.said = {"sub": "somebody-else"}
        with pytest.raises(errors.Untrusted):
            whole_way(provider)


@pytest.mark.parametrize("said", [{"iss": "https://evil.example"}, {"aud": "another-town"}])
def test_a_signed_answer_for_another(provider: Provider, said: dict[str, Any]) -> None:
    provider.signed_userinfo, provider.said = True, said
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_a_signed_answer_by_another(provider: Provider) -> None:
    provider.signed_userinfo, provider.userinfo_key = True, OTHER
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_a_code_serves_once_and_with_its_verifier(provider: Provider) -> None:
    way, registered, found = Way.new(), registration(provider), discover(provider.issuer)
    answer = provider.sign_in(exchange.way_out(registered, found, way=way, redirect_uri=BACK))
    stolen = replace(way, verifier=Way.new().verifier)
    with pytest.raises(errors.Untrusted):
        exchange.identity(registered, found, way=stolen, redirect_uri=BACK, answer=answer)
    with pytest.raises(errors.Untrusted):
        exchange.identity(registered, found, way=way, redirect_uri=BACK, answer=answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"iss": "https://evil.example"}, errors.Untrusted),
        ({"error": "access_denied"}, errors.Refused),
        ({"error": "server_error"}, errors.Unreachable),
        ({"error": "invalid_scope"}, errors.Misconfigured),
        ({"code": ""}, errors.Untrusted),
        ({"code": "x" * 3000}, errors.Untrusted),
    ],
    ids=str,
)
def test_what_comes_back_in_the_address(
    provider: Provider, answer: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        whole_way(provider, **answer)


def test_another_town_s_secret(provider: Provider) -> None:
    registered, found, way = registration(provider, client_secret="x"), discover(provider.issuer), Way.new()
    answer = provider.sign_in(exchange.way_out(registered, found, way=way, redirect_uri=BACK))
    with pytest.raises(errors.Misconfigured) as caught:
        exchange.identity(registered, found, way=way, redirect_uri=BACK, answer=answer)
    assert caught.value.kind == "secret"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"id_token": 1, "access_token": "x"},
        {"access_token": "x"},
        {"id_token": "a.b.c", "access_token": "x"},
    ],
)
def test_no_answer_of_a_token_endpoint(provider: Provider, said: dict[str, Any]) -> None:
    provider.token_answer = said
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"])
def test_it_is_ill(provider: Provider, path: str) -> None:
    provider.faults[path] = lies.status(500)
    with pytest.raises(errors.Unreachable):
        whole_way(provider)
    times = [one[1] for one in provider.asked].count(path)
    assert times == (1 if path == "/token" else 2)  # what is only read is asked for once more


def test_it_comes_round(provider: Provider) -> None:
    def once(handler: Any) -> None:
        del provider.faults["/jwks"]
        lies.status(503)(handler)

    provider.faults["/jwks"] = once
    assert whole_way(provider).subject == "camille"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"])
@pytest.mark.parametrize("content", [b"<html>", b"[]", b"\xff", b"{" + b" " * outside.LARGEST + b"}"])
def test_it_babbles(provider: Provider, path: str, content: bytes) -> None:
    provider.faults[path] = lies.body(content)
    with pytest.raises((errors.Misconfigured, errors.Untrusted)):
        whole_way(provider)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"])
def test_it_sends_us_elsewhere(provider: Provider, path: str) -> None:
    provider.faults[path] = lies.status(302, Location=f"{provider.issuer}/elsewhere")
    with pytest.raises(errors.Misconfigured) as caught:
        whole_way(provider)
    assert caught.value.kind == "redirect"
    assert "/elsewhere" not in [one[1] for one in provider.asked]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"issuer": "https://evil.example"}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"token_endpoint": "http://169.254.169.254/token"}, "endpoints"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "endpoints"),
        ({"authorization_endpoint": None}, "endpoints"),
        ({"end_session_endpoint": "https://x.example/ onclick=1"}, "endpoints"),
        ({"id_token_signing_alg_values_supported": ["none", "RS1"]}, "algorithms"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "methods"),
        ({"jwks_uri": None}, "keys"),
    ],
    ids=str,
)
def test_a_document_that_cannot_serve(provider: Provider, document: dict[str, Any], kind: str) -> None:
    provider.document = document
    with pytest.raises(errors.Misconfigured) as caught:
        discover(provider.issuer)
    assert caught.value.kind == kind


def test_the_document_is_kept_a_while(provider: Provider) -> None:
    for _ in range(3):
        discover(provider.issuer)
    assert len(provider.asked) == 1
    discover(provider.issuer, fresh=True)
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    "typed",
    [
        "https://fc.example/api/v2",
        " https://fc.example/api/v2/ ",
        "https://fc.example/api/v2/.well-known/openid-configuration",
    ],
)
def test_an_issuer_as_people_type_it(typed: str) -> None:
    assert discovery.normalise(typed) == "https://fc.example/api/v2"


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://oidc.franceconnect.gouv.fr/api/v2", True),
        ("https://fcp-low.integ01.dev-franceconnect.fr/api/v2", True),
        ("https://franceconnect.gouv.fr.evil.example", False),
        ("https://notfranceconnect.gouv.fr", False),
    ],
)
def test_who_is_franceconnect(issuer: str, expected: bool) -> None:
    assert discovery.is_franceconnect(issuer) is expected


def test_franceconnect_must_say_how_sure_it_is(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "is_franceconnect", lambda issuer: True)
    assert whole_way(provider).subject == "camille"
    provider.claims = {"acr": "eidas0"}
    with pytest.raises(errors.Untrusted):
        whole_way(provider)


def test_the_way_off() -> None:
    address = exchange.sign_out_url(
        "jeton", "https://fc.example/session/end?x=1", back="https://mairie.example/"
    )
    asked = parse_qs(urlsplit(address).query)
    assert asked["id_token_hint"] == ["jeton"]
    assert asked["post_logout_redirect_uri"] == ["https://mairie.example/"]
    assert asked["x"] == ["1"]
    assert len(asked["state"][0]) >= 32
