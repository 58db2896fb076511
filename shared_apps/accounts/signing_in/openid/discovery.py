"""What a provider publishes about itself (OpenID Connect Discovery 1.0) and its keys, kept for a while."""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from redis.exceptions import RedisError

from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.errors import Misconfigured, Unreachable
from toolkit import outside
from toolkit.outside import OutsideError

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT = 600  # seconds, in Redis, under the town's own key
ASYMMETRIC = ("ES256", "RS256", "PS256")
SYMMETRIC = "HS256"  # only FranceConnect's first version uses it


@dataclass(frozen=True)
class Registration:
    """What a town got from its provider."""

    issuer: str
    client_id: str
    client_secret: str
    audience: Audience = Audience.RESIDENTS


@dataclass(frozen=True)
class Provider:
    """The part of the published document that is used."""

    issuer: str  # as its tokens name it
    authorization: str
    token: str
    jwks: str
    userinfo: str
    end_session: str
    algorithms: tuple[str, ...]
    offered: tuple[str, ...]  # scopes; empty when it does not publish them
    secret_in_body: bool  # client_secret_post rather than client_secret_basic

    def scopes(self, audience: Audience) -> tuple[str, ...]:
        """The scopes to ask for, of those that it offers."""
        if not self.offered:
            return ("openid", *audience.scopes)
        wanted = tuple(name for name in audience.scopes if name in self.offered)
        if "given_name" not in self.offered and "profile" in self.offered:  # names have no scope of their own
            wanted += ("profile",)
        return ("openid", *wanted)


def normalise(issuer: str) -> str:
    """The issuer, from what a person typed: the issuer itself or the address of its document."""
    return issuer.strip().removesuffix("/").removesuffix(WELL_KNOWN).removesuffix("/")


def is_franceconnect(issuer: str) -> bool:
    """Whether it is FranceConnect, in production or in a test environment."""
    return _is_at(issuer, "franceconnect.gouv.fr", "dev-franceconnect.fr")


def is_proconnect(issuer: str) -> bool:
    """Whether it is ProConnect, whose hosts keep the name that it had before (AgentConnect)."""
    return _is_at(issuer, "proconnect.gouv.fr", "agentconnect.gouv.fr", "dev-agentconnect.fr")


def _is_at(issuer: str, *domains: str) -> bool:
    host = urlsplit(issuer).hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def discover(issuer: str, *, fresh: bool = False) -> Provider:
    """The provider of that issuer. Raises Unreachable, or Misconfigured with what is wrong."""
    return _read(issuer, _kept_or_fetched(issuer, f"{issuer}{WELL_KNOWN}", fresh=fresh)[0])


def keys(provider: Provider, *, fresh: bool = False) -> tuple[list[dict[str, Any]], bool]:
    """The published keys, and whether they were fetched just now. Raises Unreachable or Misconfigured."""
    if not provider.jwks:
        return [], True
    document, was_fetched = _kept_or_fetched(provider.issuer, provider.jwks, fresh=fresh)
    found = document.get("keys")
    if not isinstance(found, list):
        raise Misconfigured("keys")
    return [key for key in found[:50] if isinstance(key, dict)], was_fetched


def _kept_or_fetched(issuer: str, address: str, *, fresh: bool) -> tuple[dict[str, Any], bool]:
    key = "openid:" + hashlib.sha256(f"{issuer} {address}".encode()).hexdigest()[:32]
    if not fresh:
        try:
            kept = cache.get(key)
        except RedisError:
            kept = None
        if isinstance(kept, dict):
            return kept, False
    document = _fetch(address)
    with contextlib.suppress(RedisError):  # it is fetched again next time
        cache.set(key, document, KEPT)
    return document, True


def _fetch(address: str) -> dict[str, Any]:
    try:
        answer = outside.get(address, headers={"Accept": "application/json"})
    except OutsideError as error:
        if error.kind == "silent":
            raise Unreachable("no answer") from None
        raise Misconfigured(error.kind) from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Unreachable(f"HTTP {answer.status_code}")
    if answer.status_code != 200:
        raise Misconfigured("status")
    try:
        document = json.loads(answer.content)
    except ValueError:
        raise Misconfigured("form") from None
    if not isinstance(document, dict):
        raise Misconfigured("form")
    return document


def _read(issuer: str, document: dict[str, Any]) -> Provider:
    """Raises Misconfigured."""
    named = _text(document, "issuer")
    if named.removesuffix("/") != issuer:
        raise Misconfigured("issuer")
    return Provider(
        issuer=named,
        authorization=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        jwks=_address(document, "jwks_uri", needed=False),
        userinfo=_address(document, "userinfo_endpoint", needed=False),
        end_session=_address(document, "end_session_endpoint", needed=False),
        algorithms=_algorithms(document),
        offered=tuple(_words(document, "scopes_supported")),
        secret_in_body=_secret_in_body(document),
    )


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name, "")
    return value if isinstance(value, str) and len(value) <= 500 else ""


def _words(document: dict[str, Any], name: str) -> list[str]:
    value = document.get(name)
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _address(document: dict[str, Any], name: str, *, needed: bool = True) -> str:
    address = _text(document, name)
    if not address and not needed:
        return ""
    try:
        return outside.check(address)
    except OutsideError:
        raise Misconfigured("endpoints") from None


def _algorithms(document: dict[str, Any]) -> tuple[str, ...]:
    """The provider's algorithms that we accept; never `none`, and HS256 only when it offers nothing else.

    So somebody who learns the client secret cannot forge tokens of a provider that signs with its own key.
    """
    offered = _words(document, "id_token_signing_alg_values_supported") or [
        "RS256"
    ]  # which Discovery demands
    found = tuple(name for name in ASYMMETRIC if name in offered)
    if found and not document.get("jwks_uri"):
        raise Misconfigured("keys")
    if not found and SYMMETRIC not in offered:
        raise Misconfigured("algorithms")
    return found or (SYMMETRIC,)


def _secret_in_body(document: dict[str, Any]) -> bool:
    methods = _words(document, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in methods:
        return False
    if "client_secret_post" in methods:
        return True
    raise Misconfigured("methods")
