"""The PayFiP simulator of the test session, and servers with chosen answers."""

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
    """The control API of the simulator (docs/payfip-simulator.md)."""

    base: str

    def act(self, idop: str | None, what: str, **options: Any) -> None:
        """Act as the payer on the payment page of `idop`. Without `notify`, no notification is sent."""
        answer = requests.post(
            f"{self.base}/api/operations/{idop}/{what}", json={"notify": 0, **options}, timeout=10
        )
        answer.raise_for_status()

    def behave(self, **how: Any) -> None:
        requests.post(f"{self.base}/api/behaviour", json=how, timeout=10).raise_for_status()

    def client(self, number: str, **given: Any) -> None:
        """Make a number of a town known, or change what may be done with it (`lines`, `modes`, `refused`)."""
        answer = requests.put(f"{self.base}/api/clients/{number}", json=given, timeout=10)
        answer.raise_for_status()

    def operation(self, idop: str | None) -> dict[str, Any]:
        return self._get(f"operations/{idop}")

    def warnings(self, after: int = 0) -> list[dict[str, Any]]:
        """What the contract does not know in requests after event `after`. The real service does not report it."""
        return self._get(f"warnings?after={after}")

    def last_event(self) -> int:
        """The id of the newest event."""
        return max((event["id"] for event in self._get("events?limit=1")), default=0)

    def _get(self, path: str) -> Any:
        answer = requests.get(f"{self.base}/api/{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The simulator. At the end it is reset, and no request may have broken the contract."""
    parts = urlsplit(settings.PAYFIP_SERVICE_URL)
    found = Simulator(f"{parts.scheme}://{parts.netloc}")
    begun = found.last_event()
    yield found
    found.behave(**DEFAULTS)
    assert not found.warnings(begun)


@pytest.fixture
def serve() -> Iterator[Callable[..., PayFiP]]:
    """`serve(body, status=200)`: our client, with a server that answers `body`; byte by byte with `drip`."""
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
                """Log nothing."""

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
