"""The simulator of the Treasury's payment service, on the Treasury's own paths."""

import http.client
import sys
from functools import partial

from sandbox.home import Home
from sandbox.process.part import Part


def parts(home: Home) -> list[Part]:
    """The simulator's own server, `python -m sandbox.payfip`, which can refuse and cut connections."""
    return [
        Part(
            name="payfip",
            command=[
                *(sys.executable, "-m", "sandbox.payfip", "--quiet", "--port", str(home.ports["payfip"])),
                *("--memory", str(home.path("payfip", "memory.sqlite3"))),
            ],
            prepare=partial(home.folder, "payfip"),
            probe=partial(_ask, home),
        )
    ]


def _ask(home: Home) -> None:
    """Check that the contract (WSDL) is served."""
    connection = http.client.HTTPConnection("127.0.0.1", home.ports["payfip"], timeout=5)
    try:
        connection.request("GET", "/tpa/services/securite?wsdl", headers={"Host": f"payfip.{home.base}"})
        answer = connection.getresponse()
        if answer.status != 200 or b"definitions" not in answer.read():
            raise ConnectionError("the simulator is not ready")
    finally:
        connection.close()
