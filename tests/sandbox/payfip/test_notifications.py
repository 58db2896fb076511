"""Notifications: at once, lost, doubled, late, in the night, after the return; the payer's road; TIPI's urlcl."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.payfip import life, notifications
from tests.sandbox.payfip.conftest import Sim, Town


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("name", ["idop", "idOp"])
def test_the_notification_says_the_idop_and_nothing_else(
    sim: Sim, town: Town, method: str, name: str
) -> None:
    sim.behave(notification_method=method, notification_field=name)
    idop = sim.create()
    sim.act(idop, "pay")
    assert town.heard == [(method, "/notification/", {name: idop})]
    (notification,) = sim.client.get(f"/api/operations/{idop}").json["notifications"]  # type: ignore[index]
    assert notification["status"] == 200


@pytest.mark.parametrize(("told", "times"), [("on", 1), ("off", 0), ("twice", 2)])
def test_lost_and_doubled(sim: Sim, town: Town, told: str, times: int) -> None:
    sim.behave(notifications=told)
    sim.act(sim.create(), "pay")
    assert len(town.heard) == times


def test_late(sim: Sim, town: Town) -> None:
    sim.behave(notifications="late", notification_delay=600)
    sim.act(sim.create(), "pay")
    sim.ahead(590)
    assert not town.heard
    sim.ahead(11)
    assert len(town.heard) == 1
    sim.ahead(600)
    assert len(town.heard) == 1


def test_in_the_night(sim: Sim, town: Town) -> None:
    sim.behave(notifications="night")
    idop = sim.create()
    sim.act(idop, "pay")
    sim.ahead(life.next_time(life.NIGHT_NOTIFICATION, sim.store.now()) - sim.store.now() - 60)
    assert not town.heard
    sim.ahead(61)
    assert len(town.heard) == 1


def test_the_payer_comes_back_first(sim: Sim, town: Town) -> None:
    sim.behave(notification_order="after")
    sim.act(sim.create(), "pay")
    assert not town.heard
    sim.ahead(notifications.AFTER_RETURN + 1)
    assert len(town.heard) == 1


def test_nobody_listens(sim: Sim) -> None:
    idop = sim.create(urlnotif="http://127.0.0.1:9/")
    sim.act(idop, "pay")
    found: Any = sim.client.get(f"/api/operations/{idop}").json
    assert found["notifications"][0]["status"] is None
    assert any("personne ne répond" in event["text"] for event in found["events"])


@pytest.mark.parametrize(
    ("choice", "result", "heard", "back"),
    [
        ("pay", "P", 1, True),
        ("debit", "V", 1, True),
        ("refuse", "R", 1, True),
        ("refuse-debit", "Z", 1, True),
        ("abandon", "A", 1, True),
        ("leave", "", 0, True),
        ("pay-silent", "P", 0, False),
        ("pay-gone", "P", 1, False),
        ("pay-twice", "P", 2, True),
        ("pay-late", "P", 0, True),
        ("other", "K", 1, True),
    ],
)
def test_every_button(sim: Sim, town: Town, choice: str, result: str, heard: int, back: bool) -> None:
    idop = sim.create()
    assert f'value="{choice}"' in sim.client.get(f"/tpa/paiementws.web?idop={idop}").text
    answer = sim.client.post(f"/simulateur/{idop}", data={"choice": choice})
    assert answer.status_code == (303 if back else 200)
    if back:
        assert answer.location == f"http://mairie.localhost/retour/?idop={idop}"
    assert len(town.heard) == heard
    found = sim.store.get(idop)
    assert found is not None
    assert found["result"] == result


@pytest.mark.parametrize("choice", ["refuse-stay", "abandon-stay"])
def test_another_try_on_the_same_page(sim: Sim, choice: str) -> None:
    idop = sim.create()
    sim.client.get(f"/tpa/paiementws.web?idop={idop}")
    again = sim.client.post(f"/simulateur/{idop}", data={"choice": choice})
    assert "Vous pouvez recommencer" in again.text
    assert sim.client.post(f"/simulateur/{idop}", data={"choice": "pay"}).status_code == 303
    assert sim.client.post(f"/simulateur/{idop}", data={"choice": "pay"}).status_code == 409


def test_a_button_without_the_page(sim: Sim) -> None:
    idop = sim.create()
    assert sim.client.post(f"/simulateur/{idop}", data={"choice": "pay"}).status_code == 404
    sim.client.get(f"/tpa/paiementws.web?idop={idop}")
    assert sim.client.post(f"/simulateur/{idop}", data={"choice": "steal"}).status_code == 404


def tipi(sim: Sim, town: Town, **changes: str) -> dict[str, str]:
    fields = {name: value for name, value in sim.fields.items() if not name.startswith("url")}
    found = {**fields, "saisie": "A", "urlcl": town.url + "token/", **changes}
    return {name: value for name, value in found.items() if value != "-"}


@pytest.mark.parametrize(
    ("choice", "result"), [("pay", "P"), ("debit", "V"), ("refuse", "R"), ("abandon", "A"), ("other", "K")]
)
def test_the_redirect_calls_back_with_every_field(sim: Sim, town: Town, choice: str, result: str) -> None:
    asked = tipi(sim, town)
    assert sim.client.get("/tpa/paiement.web", query_string=asked).status_code == 200
    (operation,) = sim.store.all()
    sim.client.post(f"/simulateur/{operation['idop']}", data={"choice": choice})
    ((method, path, said),) = town.heard
    assert (method, path) == ("POST", "/notification/token/")
    assert {name: said[name] for name in asked} == asked
    assert said["resultrans"] == result
    assert ("numauto" in said) == (result not in "RA")
    assert "idOp" not in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"montant": "-"}, "Il manque : montant"),
        ({"urlcl": "-"}, "Il manque : urlcl"),
        ({"saisie": "W"}, "S1"),
        ({"saisie": "-"}, "S1"),
        ({"montant": "1"}, "M3"),
        ({"montant": "trop"}, "M1"),
        ({"numcli": "999902"}, "T2"),
        ({"numcli": "999911"}, "T4"),
        ({"refdet": "a-b-c-d-e"}, "R3"),
    ],
)
def test_a_redirect_that_is_refused(sim: Sim, town: Town, changes: dict[str, str], words: str) -> None:
    answer = sim.client.get("/tpa/paiement.web", query_string=tipi(sim, town, **changes))
    assert answer.status_code == 400
    assert words in answer.text
    assert not sim.store.all()


def test_a_redirect_s_operation_cannot_be_asked_about(sim: Sim, town: Town) -> None:
    sim.client.get("/tpa/paiement.web", query_string=tipi(sim, town))
    (operation,) = sim.store.all()
    sim.act(operation["idop"], "pay")
    assert sim.read(operation["idop"]) == "P1"
    assert sim.client.get(f"/tpa/paiementws.web?idop={operation['idop']}").status_code == 404


def test_the_way_back_keeps_the_town_s_own_query(sim: Sim) -> None:
    idop = sim.create(urlredirect="http://mairie.localhost/retour/?a=1")
    sim.client.get(f"/tpa/paiementws.web?idop={idop}")
    back = sim.client.post(f"/simulateur/{idop}", data={"choice": "abandon"}).location
    assert parse_qs(urlsplit(back or "").query) == {"a": ["1"], "idop": [idop]}
