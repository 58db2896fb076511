"""A simulator in this process, with a memory of its own; and a town's side that hears its notifications."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from lxml import etree
from werkzeug.test import Client, TestResponse

from sandbox.payfip.app import Application
from sandbox.payfip.soap.contract import SERVICE
from sandbox.payfip.soap.envelopes import ENVELOPE
from sandbox.payfip.store import Store


@dataclass
class Sim:
    """Its memory, and a browser in front of it."""

    store: Store
    client: Client
    notify: str
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = {
            "exer": "2026",
            "mel": "alice@example.net",
            "montant": "3750",
            "numcli": "001964",
            "objet": "Facture",
            "refdet": "2026001000001",
            "saisie": "W",
            "urlnotif": self.notify,
            "urlredirect": "http://mairie.localhost/retour/",
        }

    def soap(self, operation: str, fields: dict[str, str]) -> TestResponse:
        """A request as a careful client writes it."""
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        return self.send(f'<n:{operation} xmlns:n="{SERVICE}"><arg0>{inside}</arg0></n:{operation}>')

    def send(self, body: str) -> TestResponse:
        text = f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body>{body}</S:Body></S:Envelope>'
        return self.client.post("/tpa/services/securite", data=text.encode(), content_type="text/xml")

    def create(self, **changes: str) -> str:
        """A new operation's idOp."""
        answer = self.soap("creerPaiementSecurise", {**self.fields, **changes})
        assert answer.status_code == 200, answer.text
        return str(etree.fromstring(answer.data).findtext(".//idOp"))

    def refused(self, **changes: str) -> str:
        """The code that a creation is refused with."""
        fields = {name: value for name, value in {**self.fields, **changes}.items() if value != "-"}
        return code(self.soap("creerPaiementSecurise", fields))

    def read(self, idop: str) -> dict[str, str] | str:
        """The detail, or the code of the fault."""
        answer = self.soap("recupererDetailPaiementSecurise", {"idOp": idop})
        if answer.status_code == 500:
            return code(answer)
        result = etree.fromstring(answer.data).find(".//return")
        return {child.tag: str(child.text) for child in result}

    def act(self, idop: str, what: str, **options: Any) -> TestResponse:
        return self.client.post(f"/api/operations/{idop}/{what}", json=options)

    def behave(self, **how: Any) -> None:
        assert self.client.post("/api/behaviour", json=how).status_code == 200

    def ahead(self, seconds: float) -> None:
        assert self.client.post("/api/clock", json={"advance": seconds}).status_code == 200


def code(answer: TestResponse) -> str:
    assert answer.status_code == 500, answer.text
    return str(etree.fromstring(answer.data).findtext(".//code"))


@dataclass
class Town:
    """What the town's side heard: (method, path, fields)."""

    url: str
    heard: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def town() -> Iterator[Town]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            found.heard.append((self.command, parts.path, dict(parse_qsl(body or parts.query))))
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Town(f"http://127.0.0.1:{server.server_port}/notification/")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def sim(tmp_path: Path, town: Town) -> Sim:
    store = Store(str(tmp_path / "memory.sqlite3"))
    return Sim(store, Client(Application(store)), town.url)
