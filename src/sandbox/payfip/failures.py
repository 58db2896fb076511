"""The HTTP layer of the web service, with the failures that the knobs select."""

import os
import socket
import struct
import time
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.payfip.knobs import wait_of
from sandbox.payfip.soap import envelopes, service
from sandbox.payfip.store import Store

XML = "text/xml; charset=utf-8"
MAINTENANCE = "<html><body><h1>Maintenance</h1><p>Le service est momentanément interrompu.</body>"


class Gone(ConnectionError):
    """The connection was cut on purpose, so the request gets no answer."""


def serve(request: Request, store: Store) -> Response:
    """Answer one SOAP request; store an event before and after the work. Raises Gone."""
    behaviour = store.behaviour()
    body = request.get_data()
    try:
        call = service.read(body)
    except service.Misunderstood as error:
        store.note("answered", f"incompris : {error}")
        return Response(envelopes.misunderstood(str(error)), 500, content_type=XML)
    for words in call.warnings:
        store.note("warning", words, idop=call.idop, detail={"operation": call.operation})
    store.note("asked", call.operation, idop=call.idop)
    failure = behaviour["soap"] if behaviour["soap_on"] in ("all", service.SHORT[call.operation]) else "ok"
    reply = _before(failure, behaviour, request) or service.answer(call, store)
    said = reply.code or ("réponse" if reply.status == 200 else f"HTTP {reply.status}")
    store.note(
        "answered",
        f"{call.operation} : {said}" + ("" if failure == "ok" else f" ({failure})"),
        idop=reply.idop or call.idop,
        detail={"operation": call.operation, "code": reply.code, "status": reply.status, "failure": failure},
    )
    return _after(failure, behaviour, request, reply)


def _before(failure: str, behaviour: dict[str, Any], request: Request) -> service.Reply | None:
    """Apply a failure that comes before the work. Returns the reply if there is no work to do."""
    if failure == "slow":
        time.sleep(wait_of(behaviour))
    elif failure in ("reset", "refused"):
        _reset(request)
    elif failure == "down":
        return service.Reply(503, b"Service Unavailable")
    elif failure == "garbage":
        return service.Reply(200, MAINTENANCE.encode(), code="HTML")
    elif failure == "empty":
        return service.Reply(200, b"", code="vide")
    elif failure in envelopes.TECHNICAL:
        return service.Reply(500, envelopes.fault(envelopes.TECHNICAL[failure], "999"), code="999")
    return None


def _after(failure: str, behaviour: dict[str, Any], request: Request, reply: service.Reply) -> Response:
    """The response, with a failure that comes after the work."""
    if failure == "slow-after":
        time.sleep(wait_of(behaviour))
    elif failure == "reset-after":
        _reset(request)
    kind = "text/html" if failure in ("down", "garbage") else XML
    response = Response(reply.body, reply.status, content_type=kind)
    if failure == "cut":  # send less than the announced length
        response.response = [reply.body[: len(reply.body) // 2]]
        response.headers["Content-Length"] = str(len(reply.body))
    return response


def _reset(request: Request) -> None:
    """Close the connection so that the other side sees « connection reset » (RST)."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())  # close() would wait for the server's file objects
    raise Gone
