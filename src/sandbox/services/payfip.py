"""The simulator of the Treasury's payment service, on the Treasury's own paths."""

import http.client
from functools import partial
from importlib.util import find_spec

from sandbox.home import Home
from sandbox.part import Part
from sandbox.services import find


def parts(home: Home) -> list[Part]:
    """The simulator under granian."""
    if find_spec("sandbox.payfip") is None:
        return []
    return [
        Part(
            name="payfip",
            command=[
                *(str(find.script("granian")), "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(home.ports["payfip"]), "--workers", "1", "--blocking-threads", "8"),
                *("--no-ws", "--log-level", "warning", "sandbox.payfip.app:application"),
            ],
            environment={
                "PAYFIP_SIM_DB": str(home.path("payfip", "simulator.sqlite3")),
                "PAYFIP_SIM_PUBLIC_URL": home.url("payfip", "").rstrip("/"),
                "PAYFIP_SIM_LOG": str(home.path("log", "payfip-calls.log")),
            },
            unshown="[WARNING] Configuration allows spawning",
            prepare=partial(home.folder, "payfip"),
            probe=partial(_ask, home),
        )
    ]


def _ask(home: Home) -> None:
    """The contract (WSDL) must be served."""
    connection = http.client.HTTPConnection("127.0.0.1", home.ports["payfip"], timeout=5)
    try:
        connection.request("GET", "/tpa/services/securite?wsdl", headers={"Host": f"payfip.{home.base}"})
        answer = connection.getresponse()
        if answer.status != 200 or b"definitions" not in answer.read():
            raise ConnectionError("the simulator is not ready")
    finally:
        connection.close()
