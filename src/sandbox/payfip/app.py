"""The simulator as a WSGI application, on the Treasury's own paths, with a control API for tests."""

import json
import os
import time
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.payfip import bells, pages, soap
from sandbox.payfip.answers import detail
from sandbox.payfip.store import OPEN_WITHIN, Store
from tenant_apps.payments.providers.payfip.client import CONTRACT

RESULTS = {"pay": "P", "debit": "V", "refuse": "R", "refuse-debit": "Z", "abandon": "A"}
URLS = Map(
    [
        Rule("/", endpoint="home", methods=["GET"]),
        Rule("/healthz", endpoint="health", methods=["GET"]),
        Rule("/tpa/services/securite", endpoint="service", methods=["GET", "POST"]),
        Rule("/tpa/paiementws.web", endpoint="open_payfip", methods=["GET"]),
        Rule("/tpa/paiement.web", endpoint="open_tipi", methods=["GET"]),
        Rule("/simulateur/<idop>", endpoint="choose", methods=["POST"]),
        Rule("/api/operations", endpoint="operations", methods=["GET"]),
        Rule("/api/operations/<idop>/<act>", endpoint="act", methods=["POST"]),
        Rule("/api/behaviour", endpoint="behaviour", methods=["POST"]),
        Rule("/api/clock", endpoint="clock", methods=["POST"]),
        Rule("/api/reset", endpoint="reset", methods=["POST"]),
    ]
)


@cache
def store() -> Store:
    """The memory named by PAYFIP_SIM_DB."""
    return Store()


def application(environ: Any, start_response: Any) -> Any:
    """The WSGI entry."""
    request = Request(environ)
    try:
        endpoint, values = URLS.bind_to_environ(environ).match()
        response = globals()[f"on_{endpoint}"](request, **values)
    except HTTPException as error:
        response = error
    return response(environ, start_response)


def _html(page: str, status: int = 200) -> Response:
    return Response(page, status, content_type="text/html; charset=utf-8")


def on_home(request: Request) -> Response:
    return _html(pages.home(store().all(), store().behaviour()))


def on_health(request: Request) -> Response:
    return Response("ok")


def on_service(request: Request) -> Response:
    """The contract on `?wsdl`, the SOAP service on POST; ill when it was told to be."""
    if request.method == "GET":
        here = os.environ.get("PAYFIP_SIM_SERVICE_URL") or request.base_url
        contract = CONTRACT.read_text().replace("https://www.payfip.gouv.fr/tpa/services/securite", here)
        return Response(contract, content_type="text/xml; charset=utf-8")
    ill = store().behaviour()
    if ill["soap"] == "slow":
        time.sleep(float(ill["delay"] or 20))
    elif ill["soap"] == "down":
        return Response("Service Unavailable", 503, content_type="text/html")
    elif ill["soap"] == "garbage":
        return Response("<html><body>maintenance</body>", 200, content_type="text/html")
    elif ill["soap"] == "technical":
        return Response(soap.technical_fault(), 500, content_type="text/xml; charset=utf-8")
    status, body = soap.answer(request.get_data(), store())
    if ill["soap"] == "cut":  # the work is done, the answer is lost on the way
        return Response(body[: len(body) // 2], status, content_type="text/xml; charset=utf-8")
    return Response(body, status, content_type="text/xml; charset=utf-8")


def on_open_payfip(request: Request) -> Response:
    """The payer arrives with an idOp: once, within fifteen minutes."""
    found = store().get(request.args.get("idop", ""))
    if found is None:
        return _html(pages.sentence("Opération inconnue", "Cet identifiant n'existe pas (P1)."), 404)
    if found["opened"]:
        return _html(pages.sentence("Déjà ouvert", "Ce paiement a déjà été ouvert une fois (P3)."), 409)
    if store().now() - found["created"] > OPEN_WITHIN:
        return _html(
            pages.sentence("Trop tard", "Ce paiement devait être ouvert dans le quart d'heure (P4)."), 410
        )
    store().mark_opened(found["idop"])
    return _html(pages.payment(found))


def on_open_tipi(request: Request) -> Response:
    """TIPI: the fields come with the browser."""
    fields = {name: str(value) for name, value in request.args.items()}
    wanted = ("numcli", "exer", "refdet", "montant", "mel", "urlcl", "saisie")
    if any(not fields.get(name) for name in wanted) or not fields["montant"].isdigit():
        return _html(pages.sentence("Demande incomplète", "Il manque un champ à cette demande TIPI."), 400)
    idop = store().create("tipi", fields)
    store().mark_opened(idop)
    return _html(pages.payment({"idop": idop, "fields": fields}))


def on_choose(request: Request, idop: str) -> Response:
    """A button of the payment page."""
    found = store().get(idop)
    if found is None:
        raise NotFound
    choice, _, manner = request.form.get("choice", "").partition("-")
    if choice not in RESULTS:
        raise NotFound
    times = {"silent": 0, "twice": 2}.get(manner, 1)
    finish(found, RESULTS[choice], times=times, delay=60 if manner == "late" else 0)
    if manner == "silent":
        return _html(
            pages.sentence("Payé", "Le paiement est fait. Rien n'a été notifié : fermez cette page.")
        )
    if found["kind"] == "tipi":
        return _html(pages.sentence("Terminé", "Vous pouvez fermer cette fenêtre et revenir au portail."))
    back = found["fields"]["urlredirect"]
    return redirect(back + ("&" if urlsplit(back).query else "?") + urlencode({"idop": idop}), 303)


def finish(operation: dict[str, Any], result: str, *, times: int, delay: float) -> None:
    """Note the result and ring the town's bell, unless the behaviour says otherwise."""
    idop = operation["idop"]
    store().finish(idop, result)
    told = store().behaviour()["notifications"]
    times = {"off": 0, "twice": 2}.get(told, times)
    if not times:
        return
    found = store().get(idop)
    assert found is not None
    if operation["kind"] == "tipi":
        fields = {**operation["fields"], **detail(found)}
        bells.ring(operation["fields"]["urlcl"], {**fields, "idOp": ""}, times=times, delay=delay)
    else:
        bells.ring(operation["fields"]["urlnotif"], {"idop": idop}, times=times, delay=delay)


def on_operations(request: Request) -> Response:
    return _json(store().all())


def on_act(request: Request, idop: str, act: str) -> Response:
    """As if the payer had clicked. JSON: {notify: times, delay: seconds}."""
    found = store().get(idop)
    if found is None or act not in RESULTS:
        raise NotFound
    options = request.get_json(silent=True) or {}
    store().mark_opened(idop)
    finish(found, RESULTS[act], times=int(options.get("notify", 1)), delay=float(options.get("delay", 0)))
    return _json(store().get(idop))


def on_behaviour(request: Request) -> Response:
    """JSON: {soap: ok|slow|down|garbage|technical|cut, delay: seconds, notifications: on|off|twice}."""
    try:
        store().behave(**(request.get_json() or {}))
    except KeyError as unknown:
        return Response(f"unknown: {unknown}", 400)
    return _json(store().behaviour())


def on_clock(request: Request) -> Response:
    """JSON: {seconds: how far ahead the simulator's clock is}."""
    store().behave(clock=float((request.get_json() or {}).get("seconds", 0)))
    return _json(store().behaviour())


def on_reset(request: Request) -> Response:
    store().reset()
    return _json({})


def _json(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")
