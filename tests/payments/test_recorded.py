"""Recorded exchanges: our requests have the bytes of the contract, and every form of an answer is read the same.

The files in `recorded/` follow the contract: namespaces, order of fields and form of faults are those of the service.
Each answer is served over HTTP in every form that an XML writer or a proxy may give it, and must be read the same.
What an answer does not say is None.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sandbox.payfip.soap import contract
from tenant_apps.payments.errors import EmailRefused, ProductRefused, ProviderRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import Outcome
from tests.payments.test_peers import request
from tests.payments.treasury import Treasury
from tests.payments.ways import WAYS, in_latin_1, written

RECORDED = Path(__file__).parent / "recorded"
IDOP = "cc0cb210-1cd4-11ea-8cca-0213ad91a103"
SERVICE, SOAP = contract.SERVICE, "http://schemas.xmlsoap.org/soap/envelope/"
AT = "2026-11-24T09:30:00+01:00"
# By the name of a file: outcome, amount, reference, numcli, mode, time, authorization
DETAILS: dict[str, tuple[Any, ...]] = {
    "carte": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    "prelevement": (Outcome.PAID_DEBIT, "37.50", "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    "carte-refusee": (Outcome.REFUSED_CARD, "37.50", "2015RS008001516", "001964", "W", AT, ""),
    "prelevement-refuse": (
        *(Outcome.REFUSED_DEBIT, "37.50", "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    ),
    "abandon": (Outcome.ABANDONED, "37.50", "2015RS008001516", "001964", "W", AT, ""),
    "code-inconnu": (Outcome.OTHER, "37.50", "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    "sans-resultat": (Outcome.OTHER, "37.50", "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    "exercice-court": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    "sans-date": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", None, "112233445566-tip"),
    "sans-heure": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", None, "112233445566-tip"),
    "date-etrange": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", None, "112233445566-tip"),
    "sans-options": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", None, ""),
    "vides": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W", AT, ""),
    "minuit": (
        *(Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "W"),
        *("2027-01-01T00:05:00+01:00", "112233445566-tip"),
    ),
    "essai": (Outcome.PAID_CARD, "37.50", "2015RS008001516", "001964", "T", AT, "112233445566-tip"),
    "montant-etrange": (Outcome.PAID_CARD, None, "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
    "sans-montant": (Outcome.PAID_CARD, None, "2015RS008001516", "001964", "W", AT, "112233445566-tip"),
}
FAULTS: dict[str, tuple[type[Exception] | None, Outcome | None]] = {
    # By the name of a file: what a creation raises, what a look-up says (None: ProviderUnavailable)
    "P1": (ProviderRefused, Outcome.UNKNOWN),
    "P3": (ProviderRefused, Outcome.USED),
    "P4": (ProviderRefused, Outcome.TOO_OLD),
    "P5": (ProviderRefused, Outcome.PENDING),
    "R3": (ProviderRefused, None),
    "A1": (EmailRefused, None),
    "A2": (EmailRefused, None),
    "M1": (ProviderRefused, None),
    "M3": (ProviderRefused, None),
    "M5": (ProviderRefused, None),
    "T1": (ProductRefused, None),
    "T2": (ProductRefused, None),
    "T4": (ProductRefused, None),
    "N1": (ProviderRefused, None),
    "D1": (ProviderRefused, None),
    "S1": (ProviderRefused, None),
    "code-nouveau": (ProviderRefused, None),
    "fonctionnelle-999": (ProviderUnavailable, None),
    "TechDysfonctionnementErreur": (ProviderUnavailable, None),
    "TechIndisponibiliteErreur": (ProviderUnavailable, None),
    "TechProtocolaireErreur": (ProviderUnavailable, None),
}


def recorded(kind: str, name: str) -> str:
    return (RECORDED / kind / f"{name}.xml").read_text(encoding="utf-8")


every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


@pytest.fixture(scope="module")
def treasury() -> Iterator[Treasury]:
    with Treasury() as found:
        yield found


# --- requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label"), [("creer", "Facture d'école n° 12/3 – été"), ("creer-sans-objet", "÷ ?")]
)
def test_a_creation_goes_out_as_recorded(treasury: Treasury, name: str, label: str) -> None:
    client = treasury(recorded("answers", "creer").encode())
    asked = request(
        label=label,
        notify_url="http://paiement.example.org/payfip/notification/",
        return_url="http://mairie.example.org/factures/1/retour/?a=1&b=2",
    )
    assert client.start(asked).operation == IDOP
    assert same(treasury.received, recorded("requests", name))


def test_questions_go_out_as_recorded(treasury: Treasury) -> None:
    treasury(recorded("answers", "carte").encode()).fetch_status(IDOP)
    assert same(treasury.received, recorded("requests", "lire"))
    treasury(recorded("answers", "client").encode()).client_details("001964")
    assert same(treasury.received, recorded("requests", "client"))


def same(sent: bytes, expected: str) -> bool:
    """Whether the XML is the same, and the contract knows all of it."""
    (call,) = etree.fromstring(sent)[0]
    assert contract.warnings(call) == []
    ours, theirs = (etree.canonicalize(text, strip_text=True) for text in (sent.decode(), expected))
    return bool(ours == theirs)


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*/*.xml")), ids=lambda path: path.stem)
def test_the_records_follow_the_contract(path: Path) -> None:
    (content,) = etree.parse(str(path)).getroot()[0]
    if content.tag == f"{{{SOAP}}}Fault":
        (content,) = content.find("detail")
    assert contract.warnings(content) == []


def test_every_record_is_read() -> None:
    assert {path.stem for path in (RECORDED / "answers").iterdir()} == {
        *(*DETAILS, "creer", "client", "client-une-ligne"),
    }
    assert {path.stem for path in (RECORDED / "faults").iterdir()} == set(FAULTS)


# --- answers ------------------------------------------------------------------------------------------


@every_way
def test_every_detail_in_every_way(treasury: Treasury, way: Callable[[str], str | bytes]) -> None:
    for name, (outcome, amount, *others, moment, authorization) in DETAILS.items():
        status = treasury(written(way, recorded("answers", name))).fetch_status(IDOP)
        assert (status.outcome, status.amount) == (outcome, Decimal(amount) if amount else None), name
        assert [status.reference, status.merchant, status.mode] == others, name
        assert status.paid_at == (datetime.fromisoformat(moment) if moment else None), name
        assert status.authorization == authorization, name
        assert "idOp" not in status.raw
        assert all(status.raw.values()), name


@every_way
def test_a_creation_in_every_way(treasury: Treasury, way: Callable[[str], str | bytes]) -> None:
    started = treasury(written(way, recorded("answers", "creer"))).start(request())
    assert (started.operation, started.url) == (IDOP, f"http://x/?idop={IDOP}")


@every_way
def test_a_town_s_label_in_every_way(treasury: Treasury, way: Callable[[str], str | bytes]) -> None:
    lines = treasury(written(way, recorded("answers", "client"))).client_details("001964")
    assert lines == ("COMMUNE DE SAINT-ÉTIENNE", "RÉGIE CANTINE & PÉRISCOLAIRE", "SAINT-ÉTIENNE")
    lines = treasury(written(way, recorded("answers", "client-une-ligne"))).client_details("001964")
    assert lines == ("COMMUNE DE SAINT-ÉTIENNE", "", "")


@every_way
@pytest.mark.parametrize("status", [500, 200])
def test_every_fault_in_every_way(treasury: Treasury, way: Callable[[str], str | bytes], status: int) -> None:
    for name, (raised, outcome) in FAULTS.items():
        client = treasury(written(way, recorded("faults", name)), status=status)
        if outcome is None:
            with pytest.raises(ProviderUnavailable):
                client.fetch_status(IDOP)
        else:
            found = client.fetch_status(IDOP)
            assert (found.outcome, found.amount, found.reference) == (outcome, None, None), name
        assert raised is not None
        with pytest.raises(raised) as said:
            client.start(request())
        assert type(said.value) is raised, name
        code = {"code-nouveau": "Q7", "fonctionnelle-999": "999"}.get(name, name)
        assert said.value.code == ("999" if name.startswith("Tech") else code)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["text/xml", "application/xml", "application/octet-stream", "text/html"])
def test_chunked_and_whatever_the_proxy_calls_it(treasury: Treasury, kind: str) -> None:
    status = treasury(recorded("answers", "carte").encode(), chunked=True, kind=kind).fetch_status(IDOP)
    assert (status.outcome, status.amount) == (Outcome.PAID_CARD, Decimal("37.50"))
    latin = in_latin_1(recorded("answers", "client"))
    assert (
        treasury(latin, chunked=True, kind="text/xml; charset=utf-8").client_details("001964")[2]
        == "SAINT-ÉTIENNE"
    )


# --- what must not be read ------------------------------------------------------------------------------

BOMB = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "xxe": ('<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>', "&y;"),
    "xxe-http": ('<!DOCTYPE x [<!ENTITY y SYSTEM "http://127.0.0.1:9/">]>', "&y;"),
    "parameter": ('<!DOCTYPE x [<!ENTITY % y SYSTEM "file:///etc/passwd"> %y;]>', "x"),
    "external-dtd": ('<!DOCTYPE x SYSTEM "file:///etc/passwd">', "x"),
    "bomb": (f'<!DOCTYPE x [<!ENTITY b0 "haha">{BOMB}]>', "&b9;"),
    "quadratic": (f'<!DOCTYPE x [<!ENTITY y "{"a" * 50_000}">]>', "&y;" * 1000),
    "harmless-dtd": ('<!DOCTYPE x [<!ENTITY y "haha">]>', "&y;"),
    "unknown-entity": ("", "&nbsp;"),
    "undeclared-prefix": ("", "<p:x/>"),
    "control": ("", "\x01"),
    "nul": ("", "\x00"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_no_answer(treasury: Treasury, name: str) -> None:
    doctype, value = HOSTILE[name]
    text = recorded("answers", "carte").replace("?>", f"?>{doctype}", 1)
    with pytest.raises(ProviderUnavailable):
        treasury(text.replace("Facture d ecole n 12 3 ete", value).encode()).fetch_status(IDOP)


@pytest.mark.parametrize(
    "body",
    [
        b"<x>" * 100_000,
        recorded("answers", "carte").encode() + b" " * 400_000,
        recorded("answers", "carte").replace("<objet>", f"<objet>{'x' * 300_000}").encode(),
        recorded("answers", "carte").encode()[:-40],
        recorded("answers", "carte").encode() * 2,
        recorded("answers", "carte").replace("return>", "retour>").encode(),
        recorded("answers", "carte").replace(SOAP, "http://www.w3.org/2003/05/soap-envelope").encode(),
        b"\xff" + recorded("answers", "carte").encode(),
    ],
    ids=["deep", "padded", "long", "cut", "twice", "return", "soap12", "byte"],
)
def test_what_is_no_answer(treasury: Treasury, body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        treasury(body).fetch_status(IDOP)


@pytest.mark.parametrize("name", ["carte", "prelevement"])
def test_a_field_said_twice_is_never_taken_for_a_payment(treasury: Treasury, name: str) -> None:
    """With a field twice in one answer, either value would be a guess."""
    text = recorded("answers", name).replace("<saisie>", "<resultrans>A</resultrans><saisie>")
    try:
        outcome = treasury(text.encode()).fetch_status(IDOP).outcome
    except ProviderUnavailable:
        return
    assert not outcome.is_paid
