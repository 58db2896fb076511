"""The web service: faults with their exact shape, the contract read against each request, numbers and modes."""

import pytest
from lxml import etree

from sandbox.payfip.soap import contract
from sandbox.payfip.soap.envelopes import ENVELOPE
from tests.sandbox.payfip.conftest import Sim, code

JAVA = "fr.gouv.finances.cp.tpa.webservice.exceptions."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"numcli": "1964"}, "T1"),
        ({"numcli": "-"}, "T1"),
        ({"numcli": "999901"}, "T1"),
        ({"numcli": "999902"}, "T2"),
        ({"numcli": "999904"}, "T4"),
        ({"refdet": "abcd"}, "R3"),
        ({"refdet": "with-dash-0"}, "R3"),
        ({"refdet": "x" * 31}, "R3"),
        ({"mel": "-"}, "A1"),
        ({"mel": "alice"}, "A2"),
        ({"mel": "a@b.c"}, "A2"),
        ({"mel": "a" * 80 + "@example.net"}, "A2"),
        ({"montant": "37,50"}, "M1"),
        ({"montant": "-"}, "M1"),
        ({"montant": "99"}, "M3"),
        ({"montant": "10000000"}, "M5"),
        ({"saisie": "A"}, "S1"),
        ({"saisie": "-"}, "S1"),
        ({"urlnotif": "-"}, "N1"),
        ({"urlnotif": "http://x/" + "y" * 250}, "N1"),
        ({"urlredirect": "-"}, "D1"),
        ({"exer": "26"}, "E1"),
        ({"objet": "école"}, "O1"),
    ],
)
def test_what_is_refused(sim: Sim, changes: dict[str, str], expected: str) -> None:
    assert sim.refused(**changes) == expected
    assert sim.store.all() == []


@pytest.mark.parametrize(
    "changes", [{"objet": "-"}, {"montant": "100"}, {"montant": "9999999"}, {"exer": "9999"}]
)
def test_what_is_accepted(sim: Sim, changes: dict[str, str]) -> None:
    fields = {name: value for name, value in {**sim.fields, **changes}.items() if value != "-"}
    assert sim.soap("creerPaiementSecurise", fields).status_code == 200


def test_a_fault_has_the_service_s_shape(sim: Sim) -> None:
    answer = sim.soap("recupererDetailPaiementSecurise", {"idOp": "nobody"})
    assert (answer.status_code, answer.content_type) == (500, "text/xml; charset=utf-8")
    body = etree.fromstring(answer.data)[0]
    (fault,) = body
    assert fault.tag == f"{{{ENVELOPE}}}Fault"
    assert [child.tag for child in fault] == ["faultcode", "faultstring", "detail"]
    assert fault.findtext("faultstring") == JAVA + "FonctionnelleErreur"
    (said,) = fault.find("detail")
    assert said.tag == f"{{{contract.SERVICE}}}FonctionnelleErreur"
    fields = [(child.tag, child.text) for child in said]
    assert fields == [
        ("code", "P1"),
        ("descriptif", None),
        ("libelle", "IdOp incorrect."),
        ("message", None),
        ("severite", "2"),
    ]
    assert contract.warnings(said) == []  # and the contract knows it


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ("technical", "TechIndisponibiliteErreur"),
        ("dysfunction", "TechDysfonctionnementErreur"),
        ("protocol", "TechProtocolaireErreur"),
        ("999", "FonctionnelleErreur"),
    ],
)
def test_the_technical_faults(sim: Sim, failure: str, kind: str) -> None:
    sim.behave(soap=failure)
    answer = sim.soap("creerPaiementSecurise", sim.fields)
    assert code(answer) == "999"
    assert etree.fromstring(answer.data).findtext(".//faultstring") == JAVA + kind
    assert sim.store.all() == []


@pytest.mark.parametrize("wanted", ["R3", "A1", "A2", "M1", "T4", "S1", "D1"])
def test_any_refusal_on_demand(sim: Sim, wanted: str) -> None:
    sim.behave(refuse=wanted)
    assert sim.refused() == wanted
    sim.behave(refuse="")
    assert sim.create()


def test_an_illness_of_one_operation_only(sim: Sim) -> None:
    sim.behave(soap="down", soap_on="read")
    idop = sim.create()
    assert sim.soap("recupererDetailPaiementSecurise", {"idOp": idop}).status_code == 503
    sim.behave(soap_on="client")
    assert sim.read(idop) == "P5"


def test_answers_follow_the_contract(sim: Sim) -> None:
    idop = sim.create()
    sim.act(idop, "pay")
    for operation, fields in (
        ("recupererDetailPaiementSecurise", {"idOp": idop}),
        ("recupererDetailClient", {"numCli": "001964"}),
        ("creerPaiementSecurise", sim.fields),
    ):
        answer = sim.soap(operation, fields)
        (result,) = etree.fromstring(answer.data)[0]
        assert result.tag == f"{{{contract.SERVICE}}}{operation}Response"
        assert contract.warnings(result) == []
        names = [child.tag for child in result[0]]
        assert names == sorted(names, key=str.lower)
    assert sim.client.get("/api/warnings").json == []


def test_a_misspelt_tag_is_ignored_and_noted(sim: Sim) -> None:
    idop = sim.create()
    answer = sim.soap("recupererDetailPaiementSecurise", {"idop": idop})
    assert code(answer) == "P1"  # a field that is not there
    (warning,) = sim.client.get("/api/warnings").json or []
    assert "idop" in warning["text"]
    assert warning["detail"] == {"operation": "recupererDetailPaiementSecurise"}
    assert sim.client.get(f"/api/warnings?after={warning['id']}").json == []
    assert "Demandes hors du contrat" in sim.client.get("/").text


def test_a_field_too_many_does_no_harm_and_is_noted(sim: Sim) -> None:
    assert sim.create(moyen="carte")
    assert len(sim.client.get("/api/warnings").json or []) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<x/>",
        '<n:creerPaiementSecurise xmlns:n="http://elsewhere"/>',
        f'<n:payer xmlns:n="{contract.SERVICE}"/>',
    ],
)
def test_what_is_no_call(sim: Sim, body: str) -> None:
    answer = sim.send(body)
    assert answer.status_code == 500
    assert "S:Client" in answer.text
    assert "<detail>" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
        b"<x>" + b"y" * 200_000 + b"</x>",
    ],
)
def test_what_is_no_envelope(sim: Sim, body: bytes) -> None:
    answer = sim.client.post("/tpa/services/securite", data=body)
    assert answer.status_code == 500
    assert "root:" not in answer.text


def test_a_call_without_argument_is_refused_not_broken(sim: Sim) -> None:
    assert code(sim.send(f'<n:recupererDetailPaiementSecurise xmlns:n="{contract.SERVICE}"/>')) == "P1"


def test_the_contract_is_served_with_our_address(sim: Sim) -> None:
    page = sim.client.get("/tpa/services/securite?wsdl")
    assert "payfip.gouv.fr" not in page.text
    assert 'location="http://localhost/tpa/services/securite"' in page.text


def test_who_a_number_is(sim: Sim) -> None:
    answer = sim.soap("recupererDetailClient", {"numCli": "001964"})
    lines = etree.fromstring(answer.data).find(".//return")
    assert [child.text for child in lines] == [
        "MAIRIE DE DEMONSTRATION",
        "REGIE CANTINE ET PERISCOLAIRE",
        "DEMONSTRATION",
        "001964",
    ]
    for numcli, expected in (("999901", "T1"), ("999902", "T2"), ("999904", "T4"), ("12", "T1"), ("", "T1")):
        assert code(sim.soap("recupererDetailClient", {"numCli": numcli})) == expected


def test_a_number_of_one_s_own(sim: Sim) -> None:
    given = {"lines": ["COMMUNE D ICI", "REGIE MUSIQUE"], "modes": "TX", "refused": ""}
    assert sim.client.put("/api/clients/123456", json=given).status_code == 200
    answer = sim.soap("recupererDetailClient", {"numCli": "123456"})
    assert "REGIE MUSIQUE" in answer.text
    assert "libelleN3" not in answer.text  # an empty line is not sent
    assert sim.refused(numcli="123456") == "T4"  # W is not open yet
    assert sim.create(numcli="123456", saisie="X")
    sim.client.put("/api/clients/123456", json={**given, "refused": "T2"})
    assert sim.refused(numcli="123456", saisie="T") == "T2"
    sim.client.delete("/api/clients/123456")
    assert sim.refused(numcli="123456") == "T2"


def test_a_number_that_nobody_has(sim: Sim) -> None:
    """As the Treasury does, unless a test asks otherwise."""
    assert sim.refused(numcli="999999") == "T2"
    assert code(sim.soap("recupererDetailClient", {"numCli": "999999"})) == "T2"
    assert "T2" in sim.client.get("/tpa/paiement.web", query_string=tipi(sim, numcli="999999")).text
    sim.behave(unlisted="open")
    assert sim.create(numcli="999999")
    assert "COLLECTIVITE 999999" in sim.soap("recupererDetailClient", {"numCli": "999999"}).text


def tipi(sim: Sim, **changes: str) -> dict[str, str]:
    return {**sim.fields, "saisie": "A", "urlcl": sim.notify, **changes}


@pytest.mark.parametrize(
    ("numcli", "open_", "shut"), [("999911", "T", "X"), ("999911", "T", "W"), ("999912", "X", "W")]
)
def test_modes_open_one_after_the_other(sim: Sim, numcli: str, open_: str, shut: str) -> None:
    assert sim.create(numcli=numcli, saisie=open_)
    assert sim.refused(numcli=numcli, saisie=shut) == "T4"


@pytest.mark.parametrize(
    "given", [{"modes": "TZ"}, {"refused": "P1"}, {"lines": "text"}, ["a list"]], ids=str
)
def test_a_number_badly_described(sim: Sim, given: object) -> None:
    answer = sim.client.put("/api/clients/123456", json=given)
    assert answer.status_code == (200 if given == {"lines": "text"} else 400)
    assert sim.client.put("/api/clients/12", json={}).status_code == 400


@pytest.mark.parametrize(
    "given", [{"soap": "tired"}, {"nobody": 1}, {"delay": -1}, {"delay": "soon"}, {"clock": "nan"}], ids=str
)
def test_a_knob_badly_turned(sim: Sim, given: dict[str, object]) -> None:
    before = sim.client.get("/api/behaviour").json
    assert sim.client.post("/api/behaviour", json={"notifications": "off", **given}).status_code == 400
    assert sim.client.get("/api/behaviour").json == before
