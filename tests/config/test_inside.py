"""What is asked of every host without an account: health, the certificate's question, security.txt, robots.txt."""

from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from config import env
from config.web import health
from tenants.models import Town

STRANGER = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
THROUGH_A_PROXY = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
QUESTIONS = ("/interne/certificat?domain=localhost", "/healthz/databases")


@pytest.mark.parametrize("path", QUESTIONS)
def test_insiders_only(db: None, settings: Any, path: str) -> None:
    client = Client(headers={"host": "localhost"})
    for who in (STRANGER, THROUGH_A_PROXY, {"REMOTE_ADDR": "172.18.0.1"}, {"REMOTE_ADDR": ""}):
        answer = client.get(path, **who)
        assert answer.status_code == 404, who
        assert b"default" not in answer.content  # the name of a shard
        assert client.get(path, HTTP_X_INSIDE_KEY="", **who).status_code == 404
    assert client.get(path, REMOTE_ADDR="127.0.0.1").status_code == 200
    settings.INSIDE_KEY = "une longue clé"
    assert client.get(path, HTTP_X_INSIDE_KEY="une longue", **STRANGER).status_code == 404
    assert client.get(path, HTTP_X_INSIDE_KEY="une longue clé", **STRANGER).status_code == 200


def test_ready_without_redis(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real client, sent to a port where nobody listens: a web process that has its database stays in service."""
    monkeypatch.setattr(cache, "_connections", cache._connections, raising=False)
    monkeypatch.setattr(health, "cache", _deaf())
    answer = Client().get("/healthz/ready")
    assert (answer.status_code, answer.json()) == (200, {"postgresql": True, "schema": True, "redis": False})


def _deaf() -> Any:
    from django.core.cache.backends.redis import RedisCache

    return RedisCache("redis://127.0.0.1:1/0", {})


def test_not_ready_before_its_migrations(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_seen", set())
    assert Client().get("/healthz/ready").status_code == 200
    monkeypatch.setattr(health, "_seen", set())
    monkeypatch.setattr(health, "applied_names", lambda: {"tenants.0001_initial"})
    answer = Client().get("/healthz/ready")
    assert (answer.status_code, answer.json()["schema"]) == (503, False)


HOSTS = ("localhost", "admin.localhost", "paiement.localhost", "mairie.localhost")


@pytest.mark.parametrize("host", HOSTS)
def test_security_txt(town: Town, settings: Any, host: str) -> None:
    client = Client(headers={"host": host})
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACT, settings.SECURITY_EXPIRES = "mailto:securite@example.org", date(2027, 6, 30)
    answer = client.get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert lines[:2] == ["Contact: mailto:securite@example.org", "Expires: 2027-06-30T00:00:00Z"]
    assert lines[3].endswith("//localhost/.well-known/security.txt") or ":" in lines[3]
    settings.SECURITY_EXPIRES = None
    assert b"Expires: 20" in client.get("/.well-known/security.txt").content


@pytest.mark.parametrize("host", HOSTS)
def test_robots_txt(town: Town, host: str) -> None:
    said = Client(headers={"host": host}).get("/robots.txt").content.decode().splitlines()
    assert (said[0], said[-1]) == ("User-agent: *", "Disallow: /")
    assert ("Allow: /$" in said) == (host == "mairie.localhost")


@pytest.mark.parametrize("raw", ["securite@example.org", "http://example.org", "mailto:x y@example.org"])
def test_a_doubtful_contact_stops_the_boot(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("SECURITY_CONTACT", raw)
    with pytest.raises(env.Misconfigured):
        env.contact("SECURITY_CONTACT")
