"""The views of the control panel."""

from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.payfip import clients, life, notifications, payer
from sandbox.payfip.knobs import DEFAULTS
from sandbox.payfip.pages import html
from sandbox.payfip.pages import panel as pages
from sandbox.payfip.pages.payer import sentence
from sandbox.payfip.store import Store

CHOICES = {value: choice for value, choice in payer.CHOICES.items() if choice.returns and not choice.stays}
DONE = "?fait=1"


def home(request: Request, store: Store) -> Response:
    warnings, events = store.events(kind="warning", limit=5), store.events(limit=40)
    return html(pages.home(store.all(), store.behaviour(), warnings, events, store.now()))


def operation(request: Request, store: Store, idop: str) -> Response:
    found = _found(store, idop)
    happened = store.events(idop=idop, limit=200)[::-1]
    return html(pages.operation(found, store.notifications(idop), happened, store.now(), CHOICES))


def act(request: Request, store: Store, idop: str) -> Response:
    """Act as the payer. Refused when a real payer could not."""
    found, value = _found(store, idop), request.form.get("choice", "")
    if value == "notify" and found["result"]:
        notifications.plan(store, found)
        notifications.send_due(store)
        return redirect(f"/operations/{idop}", 303)
    if value not in CHOICES:
        raise NotFound
    code = life.opening(found, store.now())
    if code in ("P1", "P4"):
        title, words, status = payer.SHUT[code]
        return html(sentence(title, words), status)
    store.mark_opened(idop)
    choice = CHOICES[value]
    if choice.result:
        payer.conclude(store, found, choice.result, times=choice.times, delay=choice.delay)
    return redirect(f"/operations/{idop}", 303)


def settings(request: Request, store: Store) -> Response:
    return html(pages.settings(store.behaviour(), store.now(), done="fait" in request.args))


def change(request: Request, store: Store) -> Response:
    """Set the knobs from the form, or reset all of them and the clock."""
    given: dict[str, Any] = {name: value for name, value in request.form.items() if name in DEFAULTS}
    try:
        store.behave(**(DEFAULTS if "normal" in request.form else given))
    except ValueError as wrong:
        return html(pages.settings(store.behaviour(), store.now(), done=False, wrong=str(wrong)), 400)
    return redirect("/reglages" + DONE, 303)


def clock(request: Request, store: Store) -> Response:
    """Move the clock ahead by a button's seconds or to the night's purge, or reset it."""
    ahead, present = request.form.get("ahead", ""), float(store.behaviour()["clock"])
    if ahead not in pages.AHEAD:
        raise NotFound
    if ahead == "back":
        present = 0.0
    elif ahead == "night":
        present += life.next_time(life.PURGE, store.now()) - store.now() + 1
    else:
        present += float(ahead)
    store.behave(clock=present)
    notifications.send_due(store)
    return redirect("/reglages" + DONE, 303)


def towns(request: Request, store: Store) -> Response:
    return html(pages.towns(clients.every(store), set(store.clients()), done="fait" in request.args))


def set_town(request: Request, store: Store) -> Response:
    """Add, change or remove a client."""
    numcli = request.form.get("numcli", "").strip()
    given = {
        "lines": request.form.getlist("lines"),
        "modes": "".join(request.form.getlist("modes")),
        "refused": request.form.get("refused", ""),
    }
    if "forget" in request.form:
        store.set_client(numcli, None)
        return redirect("/collectivites" + DONE, 303)
    try:
        clients.read(numcli, given)
    except ValueError as wrong:
        page = pages.towns(clients.every(store), set(store.clients()), done=False, wrong=str(wrong))
        return html(page, 400)
    store.set_client(numcli, given)
    return redirect("/collectivites" + DONE, 303)


def reset(request: Request, store: Store) -> Response:
    store.reset()
    return redirect("/", 303)


def _found(store: Store, idop: str) -> dict[str, Any]:
    found = store.get(idop)
    if found is None:
        raise NotFound
    return found
