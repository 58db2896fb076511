"""The card service that the second provider calls: a small HTTP server that signs its messages."""

import hashlib
import hmac
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = "a shared secret"
SHOPS = {"SHOP-1234": "Cantine de Démonstration"}


def signature(body: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()


class Service:
    """`operations` by their ids. With `is_down` it answers 503. `told(id)` is the body of its notification."""

    def __init__(self) -> None:
        self.operations: dict[str, dict[str, Any]] = {}
        self.is_down, self.asked = False, 0

    def told(self, operation: str, **changes: Any) -> str:
        kept = self.operations[operation]
        shown = {
            name: kept[name]
            for name in ("shop", "order", "amount", "test", "status", "at", "ticket", "email")
        }
        return json.dumps({"id": operation, **shown, **changes})

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        if self.is_down:
            return 503, "{}"
        _, kind, *rest = path.split("/")
        if (method, kind) == ("POST", "operations"):
            asked = json.loads(body)
            if asked["shop"] not in SHOPS:
                return 404, "{}"
            operation = uuid.uuid4().hex
            self.operations[operation] = {**asked, "status": "waiting", "at": "", "ticket": ""}
            return 200, json.dumps({"id": operation})
        if kind == "operations":
            self.asked += 1
            return (200, self.told(rest[0])) if rest[0] in self.operations else (404, "{}")
        if kind == "shops" and rest[0] in SHOPS:
            return 200, json.dumps({"name": SHOPS[rest[0]]})
        return 404, "{}"

    def __enter__(self) -> "Service":
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._do("GET")

            def do_POST(self) -> None:
                self._do("POST")

            def _do(self, method: str) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = service.answer(method, self.path, given)
                self.send_response(status)
                self.send_header("X-Signature", signature(body))
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
