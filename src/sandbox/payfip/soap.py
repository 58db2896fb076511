"""The SOAP side: requests checked against the contract, answers and faults shaped as the service's own."""

import re
from functools import cache
from typing import Any

from lxml import etree

from sandbox.payfip.answers import detail
from sandbox.payfip.store import OPEN_WITHIN, Store
from tenant_apps.payments.providers.payfip.client import CONTRACT

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/"
    "contrat_paiement_securise/PaiementSecuriseService"
)
_XS = "{http://www.w3.org/2001/XMLSchema}schema"
JAVA = "fr.gouv.finances.cp.tpa.webservice.exceptions."
# What a few reserved numbers answer, so that a town can see each refusal.
REFUSED_NUMCLI = {"999901": "T1", "999902": "T2", "999904": "T4"}
WORDS = {
    "P1": "IdOp incorrect.",
    "P3": "Redirection déjà effectuée.",
    "P4": "Délai de redirection dépassé.",
    "P5": "Résultat de la transaction non connu.",
    "R3": "Le format du paramètre REFDET n'est pas conforme",
    "A1": "Adresse mél manquante",
    "A2": "Adresse mél incorrecte.",
    "M1": "Le montant est incorrect",
    "M3": "Le montant est inférieur au minimum",
    "M5": "Le montant est supérieur au maximum",
    "T1": "Numéro client manquant ou incorrect",
    "T2": "Numéro client inconnu",
    "T4": "Client non actif pour ce service",
    "N1": "Adresse de notification incorrecte",
    "D1": "Adresse de retour incorrecte",
    "S1": "Type de saisie incorrect",
    "E1": "Exercice incorrect",
}
CLIENTS = {
    "001964": ("MAIRIE DE DEMONSTRATION", "REGIE CANTINE ET PERISCOLAIRE", "DEMONSTRATION"),
    "001965": ("COMMUNE DE PECHABOU", "REGIE EAU", "PECHABOU"),
}


class FaultAnswer(Exception):
    """Answered as a SOAP Fault with HTTP 500."""

    def __init__(self, kind: str, code: str) -> None:
        super().__init__(f"{kind} {code}")
        self.kind, self.code = kind, code


@cache
def _schemas() -> list[Any]:
    """The contract's schemas; requests are validated, because the service ignores a misspelt tag in silence."""
    tree = etree.parse(str(CONTRACT))
    return list(tree.iter(_XS))


@cache
def _validator() -> Any:
    """One schema document that imports the others: lxml wants it whole."""
    by_target = {schema.get("targetNamespace"): etree.tostring(schema) for schema in _schemas()}

    class Resolver(etree.Resolver):
        def resolve(self, url: str, _id: str, context: Any) -> Any:
            return self.resolve_string(by_target[url], context)

    parser = etree.XMLParser()
    parser.resolvers.add(Resolver())
    main = etree.fromstring(by_target[SERVICE], parser)
    for imported in main.iter("{http://www.w3.org/2001/XMLSchema}import"):
        imported.set("schemaLocation", imported.get("namespace"))
    return etree.XMLSchema(etree.fromstring(etree.tostring(main), parser))


def answer(body: bytes, store: Store) -> tuple[int, bytes]:
    """A SOAP request → (HTTP status, SOAP response)."""
    try:
        envelope = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        call = envelope.find(f"{{{ENVELOPE}}}Body")[0]
        _validator().assertValid(call)
    except (etree.LxmlError, TypeError, IndexError):
        return 500, _fault("TechProtocolaireErreur", "999", "Requête non conforme au contrat")
    operation = etree.QName(call).localname
    argument = (
        {child.tag: (child.text or "") for child in call.find("arg0")}
        if call.find("arg0") is not None
        else {}
    )
    try:
        fields = _OPERATIONS[operation](argument, store)
    except FaultAnswer as fault:
        return 500, _fault(fault.kind, fault.code, WORDS.get(fault.code, ""))
    return 200, _response(operation, fields)


def technical_fault() -> bytes:
    """When the service is told to be ill."""
    return _fault("TechIndisponibiliteErreur", "999", "Service indisponible")


def _functional(code: str) -> FaultAnswer:
    return FaultAnswer("FonctionnelleErreur", code)


def _create(asked: dict[str, str], store: Store) -> dict[str, str]:
    numcli, montant = asked.get("numcli", ""), asked.get("montant", "")
    checks = (
        ("T1", re.fullmatch(r"[0-9]{6}", numcli)),
        (REFUSED_NUMCLI.get(numcli, ""), numcli not in REFUSED_NUMCLI),
        ("E1", re.fullmatch(r"[0-9]{4}", asked.get("exer", ""))),
        ("R3", re.fullmatch(r"[A-Za-z0-9]{6,30}", asked.get("refdet", ""))),
        ("A1", asked.get("mel")),
        ("A2", re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", asked.get("mel", "")) and len(asked["mel"]) <= 80),
        ("M1", re.fullmatch(r"[0-9]{1,9}", montant)),
        ("M3", montant.isdigit() and int(montant) >= 100),
        ("M5", montant.isdigit() and int(montant) < 10_000_000),
        ("S1", asked.get("saisie") in ("T", "X", "W")),
        ("N1", 0 < len(asked.get("urlnotif", "")) < 250),
        ("D1", 0 < len(asked.get("urlredirect", "")) < 250),
        ("O1", re.fullmatch(r"[A-Za-z0-9 ]{0,99}", asked.get("objet", ""))),
    )
    for code, good in checks:
        if not good:
            raise _functional(code)
    return {"idOp": store.create("payfip", asked)}


def _read(asked: dict[str, str], store: Store) -> dict[str, str]:
    found = store.get(asked.get("idOp", ""))
    if found is None:
        raise _functional("P1")
    if found["result"]:
        return detail(found)
    if not found["opened"] and store.now() - found["created"] > OPEN_WITHIN:
        raise _functional("P4")
    raise _functional("P5")


def _client(asked: dict[str, str], store: Store) -> dict[str, str]:
    numcli = asked.get("numCli", "")
    if not re.fullmatch(r"[0-9]{6}", numcli):
        raise _functional("T1")
    if numcli in REFUSED_NUMCLI:
        raise _functional(REFUSED_NUMCLI[numcli])
    lines = CLIENTS.get(numcli, (f"COLLECTIVITE {numcli}", "REGIE", ""))
    return {"libelleN1": lines[0], "libelleN2": lines[1], "libelleN3": lines[2], "numcli": numcli}


_OPERATIONS = {
    "creerPaiementSecurise": _create,
    "recupererDetailPaiementSecurise": _read,
    "recupererDetailClient": _client,
}


def _response(operation: str, fields: dict[str, str]) -> bytes:
    envelope, body = _envelope()
    result = etree.SubElement(
        etree.SubElement(body, f"{{{SERVICE}}}{operation}Response", nsmap={"ns2": SERVICE}), "return"
    )
    for name in sorted(fields, key=str.lower):
        if fields[name]:
            etree.SubElement(result, name).text = fields[name]
    return etree.tostring(envelope)


def _fault(kind: str, code: str, words: str) -> bytes:
    envelope, body = _envelope()
    fault = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    etree.SubElement(fault, "faultcode").text = "S:Server"
    etree.SubElement(fault, "faultstring").text = JAVA + kind
    said = etree.SubElement(etree.SubElement(fault, "detail"), f"{{{SERVICE}}}{kind}", nsmap={"ns2": SERVICE})
    for name, text in (
        ("code", code),
        ("descriptif", ""),
        ("libelle", words),
        ("message", ""),
        ("severite", "2"),
    ):
        etree.SubElement(said, name).text = text
    return etree.tostring(envelope)


def _envelope() -> tuple[Any, Any]:
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"S": ENVELOPE})
    return envelope, etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
