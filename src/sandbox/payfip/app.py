"""The simulator as a WSGI application: the addresses of the Treasury, pages for people, an API for programs."""

import os
from functools import cache
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.payfip import api, failures, panel, payer
from sandbox.payfip.pages import html
from sandbox.payfip.pages.payer import sentence
from sandbox.payfip.soap import contract
from sandbox.payfip.store import Store


def health(request: Request, store: Store) -> Response:
    return Response("ok")


def soap(request: Request, store: Store) -> Response:
    """The web service: the contract on GET `?wsdl`, the calls on POST."""
    if request.method == "GET":
        here = os.environ.get("PAYFIP_SIM_SERVICE_URL") or request.base_url
        return Response(contract.wsdl(here), content_type=failures.XML)
    return failures.serve(request, store)


def _rules() -> list[Rule]:
    get, post = ["GET"], ["POST"]
    found: list[tuple[str, list[str], Any]] = [
        # The addresses of the Treasury
        ("/tpa/services/securite", ["GET", "POST"], soap),
        ("/tpa/paiementws.web", get, payer.open_payfip),
        ("/tpa/paiement.web", get, payer.open_tipi),
        ("/simulateur/<idop>", post, payer.choose),
        # The pages of the control panel
        ("/", get, panel.home),
        ("/operations/<idop>", get, panel.operation),
        ("/operations/<idop>", post, panel.act),
        ("/reglages", get, panel.settings),
        ("/reglages", post, panel.change),
        ("/horloge", post, panel.clock),
        ("/collectivites", get, panel.towns),
        ("/collectivites", post, panel.set_town),
        ("/effacer", post, panel.reset),
        # The API for programs
        ("/healthz", get, health),
        ("/api/operations", get, api.operations),
        ("/api/operations/<idop>", get, api.operation),
        ("/api/operations/<idop>/<act>", post, api.act),
        ("/api/behaviour", ["GET", "POST"], api.behaviour),
        ("/api/clock", post, api.clock),
        ("/api/clients", get, api.known_clients),
        ("/api/clients/<numcli>", ["PUT", "DELETE"], api.set_client),
        ("/api/warnings", get, api.warnings),
        ("/api/events", get, api.events),
        ("/api/reset", post, api.reset),
    ]
    return [Rule(path, methods=methods, endpoint=view) for path, methods, view in found]


URLS = Map(_rules())


@cache
def store() -> Store:
    """The store in the file PAYFIP_SIM_DB."""
    return Store()


class Application:
    """The WSGI application. It uses one store, by default the one of this process."""

    def __init__(self, memory: Store | None = None) -> None:
        self._memory = memory

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request. Raises `failures.Gone` when the connection was cut on purpose."""
        request = Request(environ)
        try:
            view, values = URLS.bind_to_environ(environ).match()
            response: Any = view(request, self._memory or store(), **values)
        except HTTPException as error:
            response = _said(request, error)
        return response(environ, start_response)


def _said(request: Request, error: HTTPException) -> Any:
    """The answer to an error: plain text for the API, a page for a person."""
    if error.code not in (400, 404, 409):
        return error
    if request.path.startswith("/api/"):
        return Response(str(error.description), error.code, content_type="text/plain; charset=utf-8")
    return html(sentence("Page introuvable", "Cette page n'existe pas, ou n'existe plus."), error.code)


application = Application()
