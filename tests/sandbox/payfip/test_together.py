"""Several requests at once on one memory: one redirection, each notification once, one result.

And the manual names every knob.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.home import REPOSITORY
from sandbox.payfip import notifications
from sandbox.payfip.app import URLS
from sandbox.payfip.clients import BUILT_IN
from sandbox.payfip.knobs import KNOBS
from sandbox.payfip.soap.codes import WORDS
from tests.sandbox.payfip.conftest import Sim, Town

MANUAL = (REPOSITORY / "docs" / "payfip-simulator.md").read_text(encoding="utf-8")


def at_once(act: Callable[[], Any], times: int = 8) -> list[Any]:
    barrier, found = threading.Barrier(times), []

    def run() -> None:
        barrier.wait(10)
        found.append(act())

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def test_one_tab_only(sim: Sim) -> None:
    idop = sim.create()
    found = at_once(lambda: sim.client.get(f"/tpa/paiementws.web?idop={idop}").status_code)
    assert sorted(found) == [200, *[409] * 7]


def test_each_notification_goes_once(sim: Sim, town: Town) -> None:
    sim.behave(notifications="late", notification_delay=60)
    for _ in range(5):
        sim.act(sim.create(), "pay")
    sim.store.behave(clock=61)
    assert sum(at_once(lambda: notifications.send_due(sim.store))) == 5
    assert len({said["idop"] for _, _, said in town.heard}) == len(town.heard) == 5


def test_paid_once(sim: Sim, town: Town) -> None:
    idop = sim.create()
    at_once(lambda: sim.act(idop, "pay"))
    assert len(town.heard) == 1


def test_many_creations(sim: Sim) -> None:
    assert len(set(at_once(sim.create, 16))) == 16


@pytest.mark.parametrize("name", KNOBS)
def test_the_manual_names_every_knob_and_what_it_may_be(name: str) -> None:
    assert f"`{name}`" in MANUAL
    choices = KNOBS[name].choices or {}
    if name != "refuse":  # any code
        assert [value for value in choices if value and f"`{value}`" not in MANUAL] == []


def test_the_manual_names_the_rest() -> None:
    assert [code for code in WORDS if code not in MANUAL] == []
    assert [numcli for numcli in BUILT_IN if numcli not in MANUAL] == []
    paths = [rule.rule.split("<")[0] for rule in URLS.iter_rules() if rule.rule.startswith(("/api", "/tpa"))]
    assert [path for path in paths if path not in MANUAL] == []
