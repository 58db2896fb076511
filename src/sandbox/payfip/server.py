"""The simulator's own server: it can stop listening for a while, cut a connection, and ring bells on time."""

import logging
import threading
import time
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.payfip import bells
from sandbox.payfip.app import Application
from sandbox.payfip.knobs import wait_of
from sandbox.payfip.store import Store

TICK = 0.2  # seconds between two looks at what is due
log = logging.getLogger(__name__)


class Quiet(WSGIRequestHandler):
    """Not a line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def serve(host: str, port: int, store: Store) -> None:
    """Listen for ever, but for the times when the knob `soap` says « refused ». Raises OSError on a busy port."""
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
    """Ring what is due; end when the server must not listen any more."""
    while True:
        try:
            bells.ring_due(store)
            if store.behaviour()["soap"] == "refused":
                break
        except Exception:
            log.exception("the simulator's clockwork")
        time.sleep(TICK)
    server.shutdown()
