"""An operation's life: a quarter of an hour, one redirection, a night, a year; and what is answered meanwhile."""

from datetime import datetime
from typing import Any

import pytest

from sandbox.payfip import life
from tests.sandbox.payfip.conftest import Sim
from toolkit.clock import PARIS

HOUR, DAY = 3600, 86400


def opened(sim: Sim, idop: str) -> int:
    return sim.client.get(f"/tpa/paiementws.web?idop={idop}").status_code


def test_waiting_then_paid(sim: Sim) -> None:
    idop = sim.create()
    assert sim.read(idop) == "P5"
    assert opened(sim, idop) == 200
    assert sim.read(idop) == "P5"
    sim.act(idop, "pay")
    found = sim.read(idop)
    assert isinstance(found, dict)
    assert {**sim.fields, **found} == {
        **sim.fields,
        "idOp": idop,
        "resultrans": "P",
        "numauto": found["numauto"],
        "dattrans": f"{datetime.now(PARIS):%d%m%Y}",
        "heurtrans": found["heurtrans"],
    }


@pytest.mark.parametrize(
    ("act", "result", "authorised"),
    [
        ("pay", "P", True),
        ("debit", "V", True),
        ("refuse", "R", False),
        ("refuse-debit", "Z", True),
        ("abandon", "A", False),
    ],
)
def test_every_result(sim: Sim, act: str, result: str, authorised: bool) -> None:
    idop = sim.create()
    sim.act(idop, act)
    found = sim.read(idop)
    assert isinstance(found, dict)
    assert (found["resultrans"], "numauto" in found) == (result, authorised)


def test_a_result_that_nobody_announced(sim: Sim) -> None:
    idop = sim.create()
    sim.act(idop, "other", result="WERO")
    found = sim.read(idop)
    assert isinstance(found, dict)
    assert found["resultrans"] == "WERO"


def test_one_redirection(sim: Sim) -> None:
    idop = sim.create()
    assert [opened(sim, idop) for _ in range(2)] == [200, 409]
    assert sim.read(idop) == "P5"
    sim.behave(opened="P3")
    assert sim.read(idop) == "P3"
    sim.act(idop, "pay")
    assert sim.read(idop) != "P3"


@pytest.mark.parametrize("said", ["P4", "P5"])
def test_a_quarter_of_an_hour(sim: Sim, said: str) -> None:
    sim.behave(too_late=said)
    late, in_time = sim.create(), sim.create()
    sim.ahead(14 * 60)
    assert opened(sim, in_time) == 200
    sim.ahead(2 * 60)
    assert opened(sim, late) == 410
    assert sim.read(late) == said
    assert sim.act(late, "pay").status_code == 409  # nobody holds it
    assert sim.read(in_time) == "P5"
    assert sim.act(in_time, "pay").status_code == 200  # on the bank's page all that time


def test_abandoned_then_paid_after_all(sim: Sim) -> None:
    idop = sim.create()
    for act, result in (("abandon", "A"), ("refuse", "R"), ("debit", "V"), ("refuse", "V"), ("abandon", "V")):
        sim.act(idop, act)
        found = sim.read(idop)
        assert isinstance(found, dict)
        assert found["resultrans"] == result


def test_the_night_forgets_what_never_reached_the_bank(sim: Sim) -> None:
    never, left, abandoned, paid = (sim.create() for _ in range(4))
    sim.act(left, "leave")
    sim.act(abandoned, "abandon")
    sim.act(paid, "pay")
    sim.ahead(life.next_time(life.PURGE, sim.store.now() + life.AT_WORK) - sim.store.now() + 60)
    assert [sim.read(idop) for idop in (never, left)] == ["P1", "P1"]
    assert opened(sim, never) == 404
    assert isinstance(sim.read(abandoned), dict)
    sim.ahead(363 * DAY)  # from two hours to a day and two hours have passed already
    assert isinstance(sim.read(paid), dict)
    sim.ahead(3 * DAY)
    assert sim.read(paid) == "P1"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-11-24T14:00+01:00", "2026-11-25T03:00+01:00"),
        ("2026-11-24T02:59+01:00", "2026-11-24T03:00+01:00"),
        ("2026-11-24T03:00+01:00", "2026-11-25T03:00+01:00"),
        ("2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00"),
        ("2026-10-24T12:00+02:00", "2026-10-25T03:00+01:00"),
    ],
)
def test_the_hour_of_the_purge(after: str, expected: str) -> None:
    found = life.next_time(life.PURGE, datetime.fromisoformat(after).timestamp())
    assert found == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize(
    ("knobs", "field", "value"),
    [
        ({"exer": "short"}, "exer", "20"),
        ({"dattrans": "missing"}, "dattrans", None),
        ({"dattrans": "missing"}, "heurtrans", None),
        ({"dattrans": "odd"}, "heurtrans", f"{datetime.now(PARIS):%H}h"),
    ],
)
def test_answers_as_odd_as_in_the_field(
    sim: Sim, knobs: dict[str, Any], field: str, value: str | None
) -> None:
    idop = sim.create()
    sim.act(idop, "pay")
    sim.behave(**knobs)
    found = sim.read(idop)
    assert isinstance(found, dict)
    if field != "heurtrans" or value is None:
        assert found.get(field) == value
    else:
        assert found["heurtrans"].endswith("h")


def test_an_answer_that_is_not_what_was_asked(sim: Sim) -> None:
    idop = sim.create()
    sim.act(idop, "pay", changes={"montant": "1", "refdet": "ANOTHER001"})
    found = sim.read(idop)
    assert isinstance(found, dict)
    assert (found["montant"], found["refdet"], found["numcli"]) == ("1", "ANOTHER001", "001964")


def test_a_restart_forgets_nothing(sim: Sim, tmp_path: Any) -> None:
    from sandbox.payfip.store import Store

    idop = sim.create()
    sim.behave(notifications="off")
    again = Store(str(tmp_path / "memory.sqlite3"))
    assert again.get(idop) == sim.store.get(idop)
    assert again.behaviour()["notifications"] == "off"
    again.reset()
    assert sim.store.all() == []
    assert sim.store.behaviour()["notifications"] == "on"
