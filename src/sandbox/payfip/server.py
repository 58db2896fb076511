"""The HTTP server. It can stop listening for a while and cut connections; it sends notifications when they are due."""

import logging
import threading
import time
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.payfip import notifications
from sandbox.payfip.app import Application
from sandbox.payfip.knobs import wait_of
from sandbox.payfip.store import Store

TICK = 0.2  # seconds between two looks for due notifications
log = logging.getLogger(__name__)


class Quiet(WSGIRequestHandler):
    """A request handler that logs nothing."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def serve(host: str, port: int, store: Store) -> None:
    """Listen until the process ends, except while the knob `soap` is « refused ». Raises OSError on a busy port."""
    if store.behaviour()["soap"] == "refused":
        store.behave(soap="ok")
    while True:
        server = make_server(host, port, Application(store), threaded=True, request_handler=Quiet)
        ticking = threading.Thread(target=_tick, args=(store, server), daemon=True)
        ticking.start()
        server.serve_forever()
        server.server_close()
        ticking.join()
        time.sleep(wait_of(store.behaviour()))
        store.behave(soap="ok")


def _tick(store: Store, server: Any) -> None:
    """Send due notifications. Returns when the server must stop listening."""
    while True:
        try:
            notifications.send_due(store)
            if store.behaviour()["soap"] == "refused":
                break
        except Exception:
            log.exception("the simulator's clockwork")
        time.sleep(TICK)
    server.shutdown()
