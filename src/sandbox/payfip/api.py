"""The JSON API that tests and other programs use to control the simulator."""

import json
from typing import Any

from werkzeug.exceptions import BadRequest, Conflict, NotFound
from werkzeug.wrappers import Request, Response

from sandbox.payfip import clients, life, notifications, payer
from sandbox.payfip.store import PAID, Store

ACTS = {"pay": "P", "debit": "V", "refuse": "R", "refuse-debit": "Z", "abandon": "A", "leave": ""}


def operations(request: Request, store: Store) -> Response:
    return _json(store.all())


def operation(request: Request, store: Store, idop: str) -> Response:
    """One operation, with its phase, its notifications and its events, oldest first."""
    found = store.get(idop)
    if found is None:
        raise NotFound
    happened = store.events(idop=idop, limit=1000)[::-1]
    phase = life.phase(found, store.now())
    return _json({**found, "phase": phase, "notifications": store.notifications(idop), "events": happened})


def act(request: Request, store: Store, idop: str, act: str) -> Response:
    """Act as the payer: pay, debit, refuse, refuse-debit, abandon, leave, open, other.

    JSON: {notify: number of notifications, delay: seconds before them, result: the code of `other`,
    changes: fields that a look-up answers differently}. 409 when a real payer could not: too late, or purged.
    """
    found, options = store.get(idop), _given(request)
    if found is None:
        raise NotFound
    if act not in (*ACTS, "open", "other"):
        raise NotFound
    code = life.opening(found, store.now())
    if code in ("P1", "P4") and found["result"] not in PAID:
        raise Conflict(f"nobody could: {code}")
    store.mark_opened(idop)
    result = str(options.get("result", "K"))[:10] if act == "other" else ACTS.get(act, "")
    if result:
        payer.conclude(
            store,
            found,
            result,
            times=int(options.get("notify", 1)),
            delay=float(options.get("delay", 0)),
            changes={str(name): str(value) for name, value in (options.get("changes") or {}).items()},
        )
    return _json(store.get(idop))


def behaviour(request: Request, store: Store) -> Response:
    """GET: every knob. POST: set some of them (see `knobs`)."""
    if request.method == "POST":
        try:
            store.behave(**_given(request))
        except KeyError as unknown:
            raise BadRequest(f"unknown: {unknown}") from None
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from None
    return _json(store.behaviour())


def clock(request: Request, store: Store) -> Response:
    """Move the clock. JSON: {seconds: how far it is ahead} or {advance: more seconds}. Sends due notifications."""
    given = _given(request)
    try:
        ahead = float(given.get("seconds", store.behaviour()["clock"])) + float(given.get("advance", 0))
        store.behave(clock=ahead)
    except (TypeError, ValueError) as wrong:
        raise BadRequest(str(wrong)) from None
    notifications.send_due(store)
    return _json(store.behaviour())


def known_clients(request: Request, store: Store) -> Response:
    return _json([clients.as_json(client) for client in clients.every(store)])


def set_client(request: Request, store: Store, numcli: str) -> Response:
    """PUT {lines: [three], modes: "TXWAM", refused: ""
    T1
    T2
    T4}; DELETE removes it."""
    if request.method == "DELETE":
        store.set_client(numcli, None)
        return _json({})
    given = _given(request)
    try:
        clients.read(numcli, given)
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from None
    store.set_client(numcli, given)
    return known_clients(request, store)


def warnings(request: Request, store: Store) -> Response:
    """What the contract does not know in past requests, oldest first; `?after=` an id."""
    return _json(store.events(kind="warning", after=_after(request), limit=1000)[::-1])


def events(request: Request, store: Store) -> Response:
    """The events, oldest first. Filters: `?after=` an id, `?kind=` a kind, `?limit=` only the newest."""
    kind, limit = request.args.get("kind", ""), request.args.get("limit", 1000, type=int)
    return _json(store.events(kind=kind, after=_after(request), limit=limit)[::-1])


def reset(request: Request, store: Store) -> Response:
    store.reset()
    return _json({})


def _after(request: Request) -> int:
    return request.args.get("after", 0, type=int)


def _given(request: Request) -> dict[str, Any]:
    given = request.get_json(silent=True, force=True) if request.get_data() else {}
    if not isinstance(given, dict):
        raise BadRequest("JSON object wanted")
    return given


def _json(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), content_type="application/json")
