"""The three operations of the web service: read a request, and make its answer or fault."""

import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from sandbox.payfip import clients, life
from sandbox.payfip.soap import contract, envelopes
from sandbox.payfip.soap.answers import detail
from sandbox.payfip.store import Store

LARGEST = 100_000  # the most bytes of a request
CREATE, READ, CLIENT = "creerPaiementSecurise", "recupererDetailPaiementSecurise", "recupererDetailClient"
SHORT = {CREATE: "create", READ: "read", CLIENT: "client"}


@dataclass(frozen=True)
class Call:
    """A valid request: its operation, and the fields that the service knows."""

    operation: str
    fields: dict[str, str]
    warnings: list[str] = field(default_factory=list)

    @property
    def idop(self) -> str:
        """The idOp in the request; empty without one."""
        return self.fields.get("idOp", "") if self.operation == READ else ""


@dataclass(frozen=True)
class Reply:
    """A reply: HTTP status, envelope, fault code (empty for an answer), and idOp."""

    status: int
    body: bytes
    code: str = ""
    idop: str = ""


class Misunderstood(Exception):
    """The request is no call of this service. `str(error)` is the message of the SOAP layer."""


class Refused(Exception):
    """The service refuses the request with a FonctionnelleErreur; `str(error)` is its code."""


def read(body: bytes) -> Call:
    """Read the call of an envelope. Unknown fields become warnings. Raises Misunderstood."""
    if len(body) > LARGEST:
        raise Misunderstood("Request too large")
    try:
        envelope = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.LxmlError:
        raise Misunderstood("Couldn't create SOAP message due to exception: XML reader error") from None
    if envelope.getroottree().docinfo.doctype:
        raise Misunderstood("XML reader error: DOCTYPE is not allowed")
    within = envelope.find(f"{{{envelopes.ENVELOPE}}}Body")
    calls = [] if within is None else [child for child in within if isinstance(child.tag, str)]
    name = etree.QName(calls[0]) if calls else None
    if name is None or name.namespace != contract.SERVICE or name.localname not in SHORT:
        raise Misunderstood(f"Cannot find dispatch method for {name}")
    argument = calls[0].find("arg0")
    fields = {
        child.tag: (child.text or "").strip()
        for child in (argument if argument is not None else ())
        if isinstance(child.tag, str)
    }
    return Call(name.localname, fields, contract.warnings(calls[0]))


def answer(call: Call, store: Store) -> Reply:
    """Execute a call and return its reply."""
    try:
        fields = _OPERATIONS[call.operation](call.fields, store)
    except Refused as refused:
        code = str(refused)
        return Reply(500, envelopes.fault(envelopes.FUNCTIONAL, code), code, call.idop)
    return Reply(200, envelopes.response(call.operation, fields), idop=fields.get("idOp", ""))


def refusal(asked: dict[str, str], store: Store) -> str:
    """The code that refuses a creation or a redirect; empty when it is accepted."""
    numcli, saisie, montant, mel = (asked.get(name, "") for name in ("numcli", "saisie", "montant", "mel"))
    checks: tuple[tuple[str, Any], ...] = (
        (clients.check(store, numcli)[1], not clients.check(store, numcli)[1]),
        ("E1", re.fullmatch(r"[0-9]{4}", asked.get("exer", ""))),
        ("R3", re.fullmatch(r"[A-Za-z0-9]{6,30}", asked.get("refdet", ""))),
        ("A1", mel),
        ("A2", re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", mel) and 6 <= len(mel) <= 80),
        ("M1", re.fullmatch(r"[0-9]{1,9}", montant)),
        ("M3", montant.isdigit() and int(montant) >= 100),
        ("M5", montant.isdigit() and int(montant) < 10_000_000),
        ("O1", re.fullmatch(r"[A-Za-z0-9 ]{0,99}", asked.get("objet", ""))),
    )
    return next((code for code, good in checks if not good), "") or clients.check(store, numcli, saisie)[1]


def _create(asked: dict[str, str], store: Store) -> dict[str, str]:
    checks = (
        (str(store.behaviour()["refuse"]), not store.behaviour()["refuse"]),
        ("S1", asked.get("saisie") in ("T", "X", "W")),
        ("N1", 0 < len(asked.get("urlnotif", "")) < 250),
        ("D1", 0 < len(asked.get("urlredirect", "")) < 250),
    )
    code = next((code for code, good in checks if not good), "") or refusal(asked, store)
    if code:
        raise Refused(code)
    return {"idOp": store.create("payfip", asked)}


def _read(asked: dict[str, str], store: Store) -> dict[str, str]:
    found = store.get(asked.get("idOp", ""))
    code = life.reading(found, store.now(), store.behaviour())
    if code or found is None:
        raise Refused(code)
    return detail(found, store.behaviour())


def _client(asked: dict[str, str], store: Store) -> dict[str, str]:
    found, code = clients.check(store, asked.get("numCli", ""))
    if found is None:
        raise Refused(code)
    lines = dict(zip(("libelleN1", "libelleN2", "libelleN3"), found.lines, strict=True))
    return {**lines, "numcli": found.numcli}


_OPERATIONS = {CREATE: _create, READ: _read, CLIENT: _client}
