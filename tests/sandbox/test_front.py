"""The front sends each request where its Host says, and nowhere else."""

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.front import BadRequest, choose_backend, rewrite_head
from sandbox.home import REPOSITORY, Ports, free_base_port

PORTS = Ports(8000)
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("mairie.localhost:8000", "web"),
        ("mail.localhost:8000", "mail"),
        ("MAIL.LocalHost", "mail"),
        ("payfip.localhost.", "payfip"),
        ("payfip.localhost:1", "payfip"),
        ("localhost", "web"),
        ("mail.localhost.evil.example", "web"),
        ("xmail.localhost", "web"),
        ("mail", "web"),
        ("[::1]:8000", "web"),
    ],
)
def test_the_host_chooses(host: str, name: str) -> None:
    assert choose_backend(host, "localhost", PORTS) == PORTS[name]


def test_the_head_goes_on_with_the_true_client_and_one_request_a_connection() -> None:
    host, head = rewrite_head(
        b"GET /a?b HTTP/1.1\r\nHost: Mail.localhost\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
        b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\nCookie: a=b\r\n\r\n",
        "127.0.0.1",
    )
    assert host == "Mail.localhost"
    assert head == (
        b"GET /a?b HTTP/1.1\r\nHost: Mail.localhost\r\nCookie: a=b\r\n"
        b"X-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET http://mail.localhost/ HTTP/1.1\r\nHost: mairie.localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n Host: b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
    ],
)
def test_a_head_that_readers_could_differ_about_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        rewrite_head(head, "127.0.0.1")


class Backend(BaseHTTPRequestHandler):
    """Says who it is and how much it was sent; `/early` answers before it has read anything."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        self._answer(200, f"{self.name} {self.path} {self.headers['X-Forwarded-For']}")

    def do_PUT(self) -> None:
        if self.path == "/early":
            self.close_connection = True
            self._answer(413, "too large")
            return
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, MIB)))
        self._answer(200, f"{self.name} {self.headers['Content-Length']}")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def front() -> Iterator[tuple[int, int]]:
    """A front with two backends, web and mail (nobody answers for payfip): its port and its process."""
    ports = Ports(free_base_port())
    servers = []
    for name in ("web", "mail"):
        handler = type(name, (Backend,), {"name": name})
        server = ThreadingHTTPServer(("127.0.0.1", ports[name]), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.front", str(ports.front), "localhost"],
        env={"PYTHONPATH": str(REPOSITORY / "src")},
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", ports.front)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield ports.front, process.pid
    process.terminate()
    process.wait()
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(port: int, host: str, path: str = "/") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_two_hosts_two_backends(front: tuple[int, int]) -> None:
    assert ask(front[0], f"mairie.localhost:{front[0]}", "/factures/") == (200, "web /factures/ 127.0.0.1")
    assert ask(front[0], f"mail.localhost:{front[0]}") == (200, "mail / 127.0.0.1")


def test_a_backend_that_is_down_gets_a_kind_page(front: tuple[int, int]) -> None:
    status, page = ask(front[0], "payfip.localhost")
    assert status == 502
    assert "Un instant" in page


def test_a_second_request_on_the_connection_never_reaches_the_first_ones_backend(
    front: tuple[int, int],
) -> None:
    with socket.create_connection(("127.0.0.1", front[0]), timeout=10) as client:
        client.sendall(
            b"GET /first HTTP/1.1\r\nHost: mairie.localhost\r\n\r\n"
            b"GET /second HTTP/1.1\r\nHost: mail.localhost\r\n\r\n"
        )
        received = b""
        while piece := client.recv(65536):
            received += piece
    assert b"web /first" in received
    assert b"second" not in received


def put(port: int, path: str, pieces: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("PUT", path, skip_host=True)
    connection.putheader("Host", "mairie.localhost")
    connection.putheader("Content-Length", str(pieces * MIB))
    connection.endheaders()
    for _ in range(pieces):
        connection.send(bytes(MIB))
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_large_upload_goes_through_without_being_kept(front: tuple[int, int]) -> None:
    assert put(front[0], "/upload", 200) == (200, f"web {200 * MIB}")
    status = Path(f"/proc/{front[1]}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 60 * 1024  # kB


def test_an_upload_refused_half_way_still_gets_its_answer(front: tuple[int, int]) -> None:
    assert put(front[0], "/early", 50) == (413, "too large")
