"""Addresses that people type: never our own network, never longer than the deadline."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.accounts import provider as lies
from tests.accounts.provider import Provider, running
from toolkit import outside
from toolkit.outside import OutsideError


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    lies.patience(monkeypatch)
    settings.INSIDE_HOSTS = ["localhost"]
    with running() as found:
        yield found


def kind_of(address: str) -> str:
    with pytest.raises(OutsideError) as caught:
        outside.get(address)
    return caught.value.kind


@pytest.mark.parametrize(
    "address",
    [
        "http://fc.example/",
        "ftp://fc.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://user:word@fc.example/",
        "https://fc.example:99999999/",
        "https://fc.example/a b",
        "https://fc.example\\@127.0.0.1/",
        "https://fc.example/\n",
        "//fc.example",
        "",
    ],
)
def test_what_is_no_address(address: str, settings: Any) -> None:
    settings.INSIDE_HOSTS = []
    with pytest.raises(OutsideError) as caught:
        outside.check(address)
    assert caught.value.kind == "address"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "0x7f.1",
        "224.0.0.1",
    ],
)
def test_our_own_network_is_not_asked(host: str, settings: Any) -> None:
    settings.INSIDE_HOSTS = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        assert kind_of(f"https://{host}:{server.getsockname()[1]}/") in ("inside", "unknown")
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_name_that_means_two_things_is_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One public address beside one of ours: whichever comes first."""
    settings.INSIDE_HOSTS = []

    def both(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("8.8.8.8", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert kind_of("https://fc.example/") == "inside"


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers otherwise the second time is asked once only."""
    settings.INSIDE_HOSTS = []
    asked: list[str] = []
    connected: list[Any] = []

    def once(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]

    def connect(address: Any, *_: Any, **__: Any) -> socket.socket:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", once)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OutsideError):
        outside.ask("GET", "https://fc.example/")
    assert (asked, connected) == (["fc.example"], [("8.8.8.8", 443)])


def test_a_host_that_the_operator_allows(provider: Provider, settings: Any) -> None:
    address = f"{provider.issuer}/jwks"
    assert outside.get(address).status_code == 200
    settings.INSIDE_HOSTS = [f"localhost:{provider.port}"]
    assert outside.get(address).status_code == 200
    settings.INSIDE_HOSTS = [f"localhost:{provider.port + 1}"]
    assert kind_of(address) == "address"


def test_nobody_listens(settings: Any) -> None:
    settings.INSIDE_HOSTS = ["localhost"]
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
    assert kind_of(f"http://localhost:{port}/") == "silent"


def test_a_name_that_does_not_exist(settings: Any) -> None:
    settings.INSIDE_HOSTS = ["nulle.part.invalid"]
    assert kind_of("https://nulle.part.invalid/") == "unknown"


def test_no_certificate(provider: Provider) -> None:
    assert kind_of(f"https://localhost:{provider.port}/") in ("certificate", "silent")


@pytest.mark.parametrize("where", ["head", "body"])
def test_it_ends_at_its_deadline_however_it_drips(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def slow_head(handler: Any) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for n in range(600):
                handler.wfile.write(f"X-{n}: x\r\n".encode())
                time.sleep(0.1)
        except OSError:
            pass

    monkeypatch.setattr(outside, "SECONDS", 1.0)
    provider.faults["/jwks"] = slow_head if where == "head" else lies.drip
    begun = time.monotonic()
    assert kind_of(f"{provider.issuer}/jwks") == "silent"
    assert 0.9 < time.monotonic() - begun < 20  # a minute, were it read to the end
    assert len(provider.asked) == 1


def test_addresses_that_swallow_everything_share_the_deadline(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three addresses, none of which answers: not three times as long."""
    waits: list[float] = []

    def swallow(address: Any, wait: float) -> socket.socket:
        waits.append(wait)
        time.sleep(wait)
        raise TimeoutError

    def three(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"8.8.8.{n}", port)) for n in range(3)]

    settings.INSIDE_HOSTS = []
    monkeypatch.setattr(outside, "SECONDS", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", three)
    monkeypatch.setattr(socket, "create_connection", swallow)
    begun = time.monotonic()
    with pytest.raises(OutsideError) as caught:
        outside.ask("GET", "https://fc.example/")
    assert caught.value.kind == "silent"
    assert time.monotonic() - begun < 20
    assert len(waits) == 1


def test_too_much(provider: Provider) -> None:
    provider.faults["/jwks"] = lies.body(b"x" * (outside.LARGEST + 1))
    assert kind_of(f"{provider.issuer}/jwks") == "size"


def test_elsewhere(provider: Provider) -> None:
    provider.faults["/jwks"] = lies.status(301, Location="http://127.0.0.1/")
    assert kind_of(f"{provider.issuer}/jwks") == "redirect"


def test_no_proxy_by_surprise(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    assert outside.get(f"{provider.issuer}/jwks").status_code == 200
