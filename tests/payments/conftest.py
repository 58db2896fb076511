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

from sandbox.payfip.knobs import DEFAULTS
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
        return self._get(f"operations/{idop}")

    def warnings(self, after: int = 0) -> list[dict[str, Any]]:
        """What requests had that the contract does not know, above an id: the real service says nothing of it."""
        return self._get(f"warnings?after={after}")

    def last_event(self) -> int:
        """The id that what happens next will be above."""
        return max((event["id"] for event in self._get("events?limit=1")), default=0)

    def _get(self, path: str) -> Any:
        answer = requests.get(f"{self.base}/api/{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Behaves well at the end, and then has seen nothing outside of the contract."""
    parts = urlsplit(settings.PAYFIP_SERVICE_URL)
    found = Simulator(f"{parts.scheme}://{parts.netloc}")
    begun = found.last_event()
    yield found
    found.behave(**DEFAULTS)
    assert not found.warnings(begun)


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
