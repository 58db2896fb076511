"""Calls to the town's side: urlnotif (a bell with the idOp and nothing else) and TIPI's urlcl."""

import logging
import threading
import time
from urllib.parse import urlsplit, urlunsplit

import requests

log = logging.getLogger(__name__)
TIMEOUT = 10


def post(url: str, fields: dict[str, str]) -> int | None:
    """POST a form; the status, or None when nobody answered.

    `*.localhost` is loopback by definition (RFC 6761), also where the system's resolver does not know it.
    """
    parts = urlsplit(url)
    headers = {"Host": parts.netloc}
    if (parts.hostname or "").endswith(".localhost"):
        port = f":{parts.port}" if parts.port else ""
        url = urlunsplit(parts._replace(netloc=f"127.0.0.1{port}"))
    try:
        return requests.post(
            url, data=fields, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ).status_code
    except requests.RequestException as error:
        log.warning("nobody answered a notification: %s", type(error).__name__)
        return None


def ring(url: str, fields: dict[str, str], *, times: int, delay: float) -> None:
    """`times` calls after `delay` seconds, in the background when there is a delay."""

    def go() -> None:
        time.sleep(delay)
        for _ in range(times):
            post(url, fields)

    if delay:
        threading.Thread(target=go, daemon=True).start()
    else:
        go()
