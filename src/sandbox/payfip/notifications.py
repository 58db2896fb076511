"""Notifications to the town: calls to urlnotif (with only the idOp) and to TIPI's urlcl."""

import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from sandbox.payfip import life
from sandbox.payfip.soap.answers import detail
from sandbox.payfip.store import Store

log = logging.getLogger(__name__)
TIMEOUT = 10
AFTER_RETURN = 3  # seconds to wait when the payer's browser must return first


def call(method: str, url: str, fields: dict[str, str]) -> int | None:
    """Send a form to `url`. Returns the HTTP status, or None without an answer.

    `*.localhost` means 127.0.0.1 (RFC 6761), even if the system's resolver does not know it.
    """
    parts = urlsplit(url)
    headers = {"Host": parts.netloc}
    if (parts.hostname or "").endswith(".localhost"):
        port = f":{parts.port}" if parts.port else ""
        url = urlunsplit(parts._replace(netloc=f"127.0.0.1{port}"))
    form: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    try:
        answer = requests.request(
            method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **form
        )
    except (requests.RequestException, UnicodeError) as error:
        log.warning("nobody answered a notification: %s", type(error).__name__)
        return None
    return answer.status_code


def plan(store: Store, operation: dict[str, Any], *, times: int = 1, delay: float = 0) -> None:
    """Plan `times` notifications about a finished operation, as the knobs say. `send_due` sends them."""
    behaviour, now = store.behaviour(), store.now()
    told = behaviour["notifications"]
    times = {"off": 0, "twice": 2}.get(told, times)
    due = now + delay
    if behaviour["notification_order"] == "after":
        due = max(due, now + AFTER_RETURN)
    if told == "late":
        due = now + float(behaviour["notification_delay"])
    elif told == "night":
        due = life.next_time(life.NIGHT_NOTIFICATION, now)
    url, fields = _address(operation, behaviour)
    for _ in range(times if url else 0):
        store.plan_notification(operation["idop"], url, behaviour["notification_method"], fields, due)


def _address(operation: dict[str, Any], behaviour: dict[str, Any]) -> tuple[str, dict[str, str]]:
    asked = operation["fields"]
    if operation["kind"] == "tipi":
        found = {**asked, **detail(operation, behaviour), "idOp": ""}  # the redirect has no idOp
        return asked.get("urlcl", ""), {name: value for name, value in found.items() if value}
    return asked.get("urlnotif", ""), {behaviour["notification_field"]: operation["idop"]}


def send_due(store: Store) -> int:
    """Send the notifications that are due. Returns how many."""
    due = store.take_notifications()
    for notification in due:
        status = call(notification["method"], notification["url"], notification["fields"])
        store.notification_answered(notification["id"], status)
        store.note(
            "notification",
            f"notification ({notification['method']}) : {status or 'personne ne répond'}",
            idop=notification["idop"],
            detail={"status": status},
        )
    return len(due)
