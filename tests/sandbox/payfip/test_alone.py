"""`python -m sandbox.payfip`: a real server of its own, which can refuse, cut and drip; and stop like any other."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.home import REPOSITORY, free_base_port
from tests.sandbox.payfip.conftest import Sim

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("payfip-alone")]


class Alone:
    """The process and how to talk to it."""

    def __init__(self, port: int, memory: Path) -> None:
        self.port, self.memory = port, memory
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sandbox.payfip"),
                *("--port", str(self.port), "--memory", str(self.memory)),
            ],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.until(lambda: requests.get(self.url("/healthz"), timeout=2).ok)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def until(self, true: Any, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if true():
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"nothing after {seconds} s")

    def behave(self, **how: Any) -> None:
        requests.post(self.url("/api/behaviour"), json=how, timeout=5).raise_for_status()

    def ask(self, body: bytes, timeout: float = 5) -> requests.Response:
        return requests.post(self.url("/tpa/services/securite"), data=body, timeout=timeout)

    def operations(self) -> list[Any]:
        return list(requests.get(self.url("/api/operations"), timeout=5).json())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    found = Alone(free_base_port(), tmp_path_factory.mktemp("payfip") / "a" / "memory.sqlite3")
    yield found
    found.process.terminate()
    found.process.wait(10)


@pytest.fixture
def creation(sim: Sim, alone: Alone) -> Iterator[bytes]:
    """A good request, as bytes; the simulator is well again afterwards."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in sim.fields.items())
    from sandbox.payfip.soap.contract import SERVICE
    from sandbox.payfip.soap.envelopes import ENVELOPE

    yield (
        f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body><n:creerPaiementSecurise xmlns:n="{SERVICE}"><arg0>{inside}'
        "</arg0></n:creerPaiementSecurise></S:Body></S:Envelope>"
    ).encode()
    requests.post(alone.url("/api/reset"), timeout=5)


def test_it_needs_nothing_else_and_forgets_nothing(alone: Alone, creation: bytes) -> None:
    assert alone.ask(creation).status_code == 200
    known = alone.operations()
    assert len(known) == 1
    alone.process.send_signal(signal.SIGKILL)
    alone.process.wait(10)
    alone.start()
    assert alone.operations() == known
    assert (
        alone.url("/tpa/services/securite")
        in requests.get(alone.url("/tpa/services/securite?wsdl"), timeout=5).text
    )


def test_cut_in_the_middle(alone: Alone, creation: bytes) -> None:
    alone.behave(soap="cut")
    connection = http.client.HTTPConnection("127.0.0.1", alone.port, timeout=5)
    connection.request("POST", "/tpa/services/securite", creation)
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    assert b"Envelope" in cut.value.partial
    assert len(alone.operations()) == 1  # the work was done


@pytest.mark.parametrize(("failure", "done"), [("reset", 0), ("reset-after", 1)])
def test_reset(alone: Alone, creation: bytes, failure: str, done: int) -> None:
    alone.behave(soap=failure)
    with pytest.raises(requests.ConnectionError, match="reset"):
        alone.ask(creation)
    assert len(alone.operations()) == done


@pytest.mark.parametrize(("failure", "while_waiting"), [("slow", 0), ("slow-after", 1)])
def test_slow(alone: Alone, creation: bytes, failure: str, while_waiting: int) -> None:
    alone.behave(soap=failure, delay=1.5)
    with pytest.raises(requests.ReadTimeout):
        alone.ask(creation, timeout=0.5)
    assert len(alone.operations()) == while_waiting
    alone.until(lambda: len(alone.operations()) == 1)


def test_refused_then_there_again(alone: Alone, creation: bytes) -> None:
    alone.behave(soap="refused", delay=1)

    def refused() -> bool:
        try:
            alone.ask(creation)
        except requests.ConnectionError as error:
            return "refused" in str(error)
        return False

    alone.until(refused, 5)
    alone.until(lambda: alone.ask(creation).ok)
    assert requests.get(alone.url("/api/behaviour"), timeout=5).json()["soap"] == "ok"


def test_a_late_notification_goes_by_itself(alone: Alone, creation: bytes, town: Any) -> None:
    alone.ask(creation)
    (operation,) = alone.operations()
    alone.behave(notifications="late", notification_delay=0.5)
    requests.post(alone.url(f"/api/operations/{operation['idop']}/pay"), json={}, timeout=5)
    assert not town.heard
    alone.until(lambda: town.heard)


def test_a_busy_port_is_said(alone: Alone) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "sandbox.payfip", "--port", str(alone.port)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert "payfip" in second.stderr or "in use" in second.stderr
    assert "Traceback" not in second.stderr


def test_what_is_not_json_is_refused(alone: Alone) -> None:
    answer = requests.post(alone.url("/api/behaviour"), data="soap=down", timeout=5)
    assert answer.status_code == 400
    assert json.loads(requests.get(alone.url("/api/behaviour"), timeout=5).text)["soap"] == "ok"
