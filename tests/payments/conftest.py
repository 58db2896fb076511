"""The simulator of the session, driven as a payer or a breakdown would."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings

from tenant_apps.payments.providers.payfip.client import PayFiP


@dataclass(frozen=True)
class Simulator:
    """Its control API (docs/payfip-simulator.md)."""

    base: str

    def act(self, idop: str | None, what: str, **options: Any) -> None:
        """As if the payer had clicked; no notification unless asked for."""
        answer = requests.post(
            f"{self.base}/api/operations/{idop}/{what}", json={"notify": 0, **options}, timeout=10
        )
        answer.raise_for_status()

    def behave(self, **how: Any) -> None:
        requests.post(f"{self.base}/api/behaviour", json=how, timeout=10).raise_for_status()

    def operation(self, idop: str | None) -> dict[str, Any]:
        found = requests.get(f"{self.base}/api/operations", timeout=10).json()
        return next(operation for operation in found if operation["idop"] == idop)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    parts = urlsplit(settings.PAYFIP_SERVICE_URL)
    found = Simulator(f"{parts.scheme}://{parts.netloc}")
    yield found
    found.behave(soap="ok", delay=0, notifications="on", clock=0.0)


@pytest.fixture
def serve() -> Iterator[Callable[..., PayFiP]]:
    """`serve(body, status=200)`: our client in front of a server that says just that, byte by byte if `drip`."""
    servers = []

    def make(
        body: bytes,
        *,
        status: int = 200,
        drip: float = 0,
        kind: str = "text/xml; charset=utf-8",
        **headers: str,
    ) -> PayFiP:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                for name, value in {
                    "Content-Type": kind,
                    "Content-Length": str(len(body)),
                    **headers,
                }.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                try:
                    for start in range(0, len(body), 1 if drip else max(len(body), 1)):
                        self.wfile.write(body[start : start + 1] if drip else body)
                        time.sleep(drip)
                except OSError:
                    """The client had enough."""

            def log_message(self, format: str, *args: object) -> None:
                """Silence."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return PayFiP(
            service_url=f"http://127.0.0.1:{server.server_port}/", payment_url="http://x/", timeout=2
        )

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()
