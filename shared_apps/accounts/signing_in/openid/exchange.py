"""The authorization code flow (OpenID Connect Core 1.0 §3.1), with PKCE: the redirect, and the answer."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from django.utils.http import urlencode
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, OctKey, import_key

from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.discovery import (
    ASYMMETRIC,
    SYMMETRIC,
    Provider,
    Registration,
    is_franceconnect,
    keys,
)
from shared_apps.accounts.signing_in.openid.errors import Misconfigured, Refused, Unreachable, Untrusted
from toolkit import outside
from toolkit.outside import OutsideError

LEEWAY = 60  # seconds by which clocks may differ
LEVELS = (Audience.RESIDENTS.level, "eidas2", "eidas3")
KEY_TYPES = {"ES256": "EC", "RS256": "RSA", "PS256": "RSA"}
_ILL = ("server_error", "temporarily_unavailable")


@dataclass(frozen=True)
class Way:
    """Three random values, kept in the session until the person comes back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Way":
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), generate_token(64))


@dataclass(frozen=True)
class Identity:
    """The person, as the provider says. `issuer` as registered, without a final slash.

    `name`, and `email` of staff, are shown to that person only: they prove nothing (decisions 33, 67).
    """

    issuer: str
    subject: str
    name: str
    id_token: str
    end_session: str
    email: str = ""


def way_out(registration: Registration, provider: Provider, *, way: Way, redirect_uri: str) -> str:
    """The provider's address where the person signs in."""
    with _client(registration, provider, redirect_uri) as client:
        address, _state = client.create_authorization_url(
            provider.authorization,
            state=way.state,
            code_verifier=way.verifier,
            nonce=way.nonce,
            **({"acr_values": level} if (level := registration.audience.level) else {}),
        )
    return str(address)


def identity(
    registration: Registration,
    provider: Provider,
    *,
    way: Way,
    redirect_uri: str,
    answer: Mapping[str, str],
) -> Identity:
    """The person of `answer` (the query of the redirect), whose state was that of `way`.

    Raises Refused, Unreachable, Misconfigured or Untrusted.
    """
    code = _code(provider, answer)
    with _client(registration, provider, redirect_uri) as client:
        tokens = _tokens(client, provider, code, way)
    id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise Untrusted("no tokens")
    header, said = _verified(registration, provider, id_token)
    _check_id_token(registration, provider, header, said, nonce=way.nonce, access_token=access_token)
    more = _userinfo(registration, provider, access_token) if provider.userinfo else {}
    if more and more.get("sub") != said["sub"]:
        raise Untrusted("the two subjects differ")
    return Identity(
        issuer=registration.issuer,
        subject=said["sub"],
        name=_name({**said, **more}),
        id_token=id_token,
        end_session=provider.end_session,
        email=_email({**said, **more}) if registration.audience is Audience.STAFF else "",
    )


def sign_out_url(identity_token: str, end_session: str, *, back: str) -> str:
    """The provider's address that ends its session too (RP-Initiated Logout 1.0) and returns to `back`."""
    query = {
        "id_token_hint": identity_token,
        "post_logout_redirect_uri": back,
        "state": secrets.token_urlsafe(32),
    }
    return f"{end_session}{'&' if '?' in end_session else '?'}{urlencode(query)}"


def _client(registration: Registration, provider: Provider, redirect_uri: str) -> OAuth2Session:
    client = OAuth2Session(
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        token_endpoint_auth_method="client_secret_post" if provider.secret_in_body else "client_secret_basic",
        scope=" ".join(provider.scopes(registration.audience)),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    outside.prepare(client)
    return client


def _code(provider: Provider, answer: Mapping[str, str]) -> str:
    if answer.get("iss") and answer["iss"] != provider.issuer:  # RFC 9207
        raise Untrusted("the answer is another issuer's")
    error = answer.get("error", "")
    if error == "access_denied":
        raise Refused("access_denied")
    if error in _ILL:
        raise Unreachable(error)
    if error:
        raise Misconfigured("request")
    code = answer.get("code", "")
    if not code or len(code) > 2000:
        raise Untrusted("no code")
    return code


def _tokens(client: OAuth2Session, provider: Provider, code: str, way: Way) -> dict[str, Any]:
    """Exchange the code. Never retried: a code works once, and a second use looks like a theft."""

    def act() -> Any:
        return client.fetch_token(
            provider.token,
            grant_type="authorization_code",
            code=code,
            code_verifier=way.verifier,
            redirect_uri=client.redirect_uri,
        )

    try:
        return dict(outside.translated(act))
    except OutsideError as error:
        raise _of_transport(error) from None
    except OAuthError as error:
        if error.error in _ILL:
            raise Unreachable(error.error) from None
        if error.error in ("invalid_client", "unauthorized_client"):
            raise Misconfigured("secret") from None
        raise Untrusted("the code was refused") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Untrusted("no answer of a token endpoint") from None


def _of_transport(error: OutsideError) -> Unreachable | Misconfigured:
    return Unreachable("no answer") if error.kind == "silent" else Misconfigured(error.kind)


def _userinfo(registration: Registration, provider: Provider, access_token: str) -> dict[str, Any]:
    """The claims about the person: JSON, or a token signed like the first one."""
    try:
        answer = outside.get(provider.userinfo, headers={"Authorization": f"Bearer {access_token}"})
    except OutsideError as error:
        raise _of_transport(error) from None
    if answer.status_code >= 500:
        raise Unreachable(f"userinfo: HTTP {answer.status_code}")
    if answer.status_code != 200:
        raise Untrusted(f"userinfo: HTTP {answer.status_code}")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/jwt":
        text = answer.content.decode("ascii", "replace").strip()
        _header, said = _verified(registration, provider, text)
        if said.get("iss", provider.issuer) != provider.issuer:
            raise Untrusted("userinfo: another issuer")
        if registration.client_id not in _list(said.get("aud", registration.client_id)):
            raise Untrusted("userinfo: another audience")
        return said
    try:
        said = json.loads(answer.content)
    except ValueError:
        raise Untrusted("userinfo: neither JSON nor a token") from None
    if not isinstance(said, dict):
        raise Untrusted("userinfo: no object")
    return said


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _verified(
    registration: Registration, provider: Provider, token: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token signed by the provider. When no cached key fits, fetch the keys once more."""
    try:
        header = dict(jws.extract_compact(token.encode("ascii")).headers())
    except (JoseError, ValueError):
        raise Untrusted("no signed token") from None
    algorithm = header.get("alg")
    if algorithm not in provider.algorithms:
        raise Untrusted(f"signed by {str(algorithm)[:20]!r}, which the provider does not announce")
    if algorithm == SYMMETRIC:
        claims = _opened(token, _shared(registration.client_secret), algorithm)
    else:
        published, fetched = keys(provider)
        claims = _opened(token, _fitting(published, header), algorithm)
        if claims is None and not fetched:  # the keys may have changed
            published, _fetched = keys(provider, fresh=True)
            claims = _opened(token, _fitting(published, header), algorithm)
    if claims is None:
        raise Untrusted("no key of the provider made this signature")
    return header, claims


def _fitting(published: list[dict[str, Any]], header: dict[str, Any]) -> list[Key]:
    """The published keys that may have made the signature: right type, for signing, with that id."""
    assert header["alg"] in ASYMMETRIC
    found: list[Key] = []
    for one in published:
        if one.get("kty") != KEY_TYPES[header["alg"]] or one.get("use", "sig") != "sig":
            continue
        if one.get("alg", header["alg"]) != header["alg"] or one.get("kid") != header.get(
            "kid", one.get("kid")
        ):
            continue
        try:
            found.append(
                import_key({name: one[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in one})
            )
        except (JoseError, ValueError, TypeError):
            continue
    return found


def _shared(secret: str) -> list[Key]:
    try:
        return [OctKey.import_key(secret)]
    except ValueError:  # it looks like a public key
        return []


def _opened(token: str, candidates: list[Key], algorithm: str) -> dict[str, Any] | None:
    for key in candidates[:10]:
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError, TypeError):
            continue
    return None


def _check_id_token(
    registration: Registration,
    provider: Provider,
    header: dict[str, Any],
    said: dict[str, Any],
    *,
    nonce: str,
    access_token: str,
) -> None:
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": registration.client_id},
        "nonce": {"essential": True, "value": nonce},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }
    params = {"nonce": nonce, "client_id": registration.client_id, "access_token": access_token}
    try:
        CodeIDToken(said, header, options, params).validate(leeway=LEEWAY)
    except (JoseError, ValueError, TypeError) as error:
        raise Untrusted(f"ID token: {type(error).__name__}") from None
    if (
        said["iss"] != provider.issuer or said["nonce"] != nonce
    ):  # the library also accepts a list that contains it
        raise Untrusted("ID token: issuer or nonce")
    if not isinstance(said["sub"], str) or not 1 <= len(said["sub"]) <= 255:
        raise Untrusted("ID token: no subject")
    if is_franceconnect(registration.issuer) and said.get("acr") not in LEVELS:
        raise Untrusted("ID token: the level of assurance is not one that was asked for")


def _name(said: Mapping[str, Any]) -> str:
    """« Camille MARTIN », as far as the provider says; shown to that person only."""
    given, family = said.get("given_name"), said.get("usual_name") or said.get("family_name")
    words = [word for word in (given, family) if isinstance(word, str)]
    return " ".join(" ".join(words).split())[:120]


def _email(said: Mapping[str, Any]) -> str:
    """The professional address, as the provider says; shown to that person only."""
    email = said.get("email")
    return email.strip()[:254] if isinstance(email, str) else ""
