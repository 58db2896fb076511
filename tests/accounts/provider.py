"""A small OpenID Connect provider over real HTTP, which can lie in every way that an honest one cannot."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from toolkit import outside

CLIENT, SECRET = "la-commune", "un-secret-de-soixante-quatre-signes-comme-ceux-de-franceconnect-0"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OTHER = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})  # of the same name as EC, and not it


def public(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unsigned(algorithm: str, claims: dict[str, Any]) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims))


def unsigned(claims: dict[str, Any]) -> str:
    return _unsigned("none", claims) + "."


def hs256(claims: dict[str, Any], secret: str = "") -> str:
    """By hand: a library would refuse to sign with a public key."""
    text = _unsigned("HS256", claims)
    return f"{text}.{_base64(hmac.digest((secret or SECRET).encode(), text.encode(), 'sha256'))}"


@dataclass
class Provider:
    """Honest until one of its fields is changed. `asked` holds the requests received: method, path, form, headers."""

    port: int
    document: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=lambda: public(RSA, EC))
    algorithm: str = "ES256"
    key: Key = field(default_factory=lambda: EC)
    claims: dict[str, Any] = field(default_factory=dict)  # over those of the ID token; None takes one away
    said: dict[str, Any] = field(default_factory=dict)  # over those of the userinfo
    signed_userinfo: bool = False
    userinfo_key: Key | None = None
    token_answer: dict[str, Any] | None = None
    faults: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    id_token: Callable[[dict[str, Any]], str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    subject: str = ""

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}/api/v2"

    def published(self) -> dict[str, Any]:
        here = self.issuer
        document = {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/jwks",
            "userinfo_endpoint": f"{here}/userinfo",
            "end_session_endpoint": f"{here}/session/end",
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "scopes_supported": ["openid", "email", "given_name", "family_name", "birthdate", "phone"],
            **self.document,
        }
        return {name: value for name, value in document.items() if value is not None}

    def sign_in(self, address: str, subject: str = "camille") -> dict[str, str]:
        """What the person's browser brings back, once they have signed in at that address."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "sub": subject}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        if self.token_answer is not None:
            return self.token_answer
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            return {"error": "invalid_grant"}
        if _base64(digest) != asked["code_challenge"]:
            return {"error": "invalid_grant"}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return {"error": "invalid_client"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": asked["sub"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
            "acr": "eidas1",
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        self.subject = asked["sub"]
        signed = self.id_token(claims) if self.id_token else self.sign(claims, self.key)
        return {"access_token": "jeton", "token_type": "Bearer", "expires_in": 60, "id_token": signed}

    def sign(self, claims: dict[str, Any], key: Key) -> str:
        header = {"alg": self.algorithm, **({"kid": key.kid} if key.kid else {})}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])

    def userinfo(self) -> dict[str, Any]:
        return {"sub": self.subject, "given_name": "Camille", "family_name": "MARTIN", **self.said}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer({name: values[0] for name, values in parse_qs(body).items()})

    def answer(self, form: dict[str, str]) -> None:
        path = urlsplit(self.path).path.removeprefix("/api/v2")
        self.provider.asked.append((self.command, path, form, dict(self.headers)))
        if path in self.provider.faults:
            return self.provider.faults[path](self)
        if path == "/.well-known/openid-configuration":
            return self.send(self.provider.published())
        if path == "/jwks":
            return self.send(self.provider.keys)
        if path == "/token":
            said = self.provider.token(form)
            return self.send(said, status=400 if "error" in said else 200)
        if path == "/userinfo" and self.headers["Authorization"] == "Bearer jeton":
            said = self.provider.userinfo()
            if not self.provider.signed_userinfo:
                return self.send(said)
            said = {"iss": self.provider.issuer, "aud": CLIENT, **said}
            signed = self.provider.sign(said, self.provider.userinfo_key or self.provider.key)
            return self.send(signed, kind="application/jwt; charset=utf-8")
        return self.send({"error": "not_found"}, status=404)

    def send(self, body: Any, *, status: int = 200, kind: str = "application/json") -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """A fault: that status, and nothing in it."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return act


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A fault: a byte every tenth of a second, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    try:
        for _ in range(600):
            handler.wfile.write(b" ")
            time.sleep(0.1)
    except OSError:
        pass


def body(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """A fault: that body."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(content)

    return act


def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is shared may take longer to answer than we wait for a provider: only its silence counts."""
    monkeypatch.setattr(outside, "SECONDS", 60.0)


@contextmanager
def running() -> Iterator[Provider]:
    """On a free port of localhost."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("localhost", 0), handler)
    server.daemon_threads = True
    provider = Provider(port=server.server_address[1])
    handler.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
