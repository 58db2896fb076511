"""A server that answers chosen bytes, and a client of ours that calls it."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tenant_apps.payments.providers.payfip.client import PayFiP


class Treasury:
    """`treasury(body, status=…, chunked=…)` sets the answer and returns the client. `received`: the last request."""

    received: bytes = b""

    def __call__(
        self, body: bytes, *, status: int = 200, chunked: bool = False, kind: str = "text/xml; charset=utf-8"
    ) -> PayFiP:
        self.body, self.status, self.chunked, self.kind = body, status, chunked, kind
        return self.client

    def __enter__(self) -> "Treasury":
        says = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # otherwise each answer takes 40 ms

            def do_POST(self) -> None:
                says.received = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(says.status)
                self.send_header("Content-Type", says.kind)
                if says.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                    pieces = [says.body[start : start + 7] for start in range(0, len(says.body), 7)]
                    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
                else:
                    self.send_header("Content-Length", str(len(says.body)))
                    body = says.body
                self.end_headers()
                self.wfile.write(body)

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    super().handle()

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self.server.server_port}/"
        self.client = PayFiP(service_url=address, payment_url="http://x/", timeout=5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
