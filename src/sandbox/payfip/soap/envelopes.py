"""Answers and faults as the service writes them: SOAP 1.1, fields without namespace, Java class names."""

from typing import Any

from lxml import etree

from sandbox.payfip.soap.codes import WORDS
from sandbox.payfip.soap.contract import SERVICE

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
JAVA = "fr.gouv.finances.cp.tpa.webservice.exceptions."
FUNCTIONAL = "FonctionnelleErreur"
TECHNICAL = {
    "technical": "TechIndisponibiliteErreur",
    "dysfunction": "TechDysfonctionnementErreur",
    "protocol": "TechProtocolaireErreur",
    "999": FUNCTIONAL,
}


def response(operation: str, fields: dict[str, str]) -> bytes:
    """The answer of an operation, with its fields in alphabetical order and without empty ones."""
    envelope, body = _envelope()
    outer = etree.SubElement(body, f"{{{SERVICE}}}{operation}Response", nsmap={"ns2": SERVICE})
    result = etree.SubElement(outer, "return")
    for name in sorted(fields, key=str.lower):
        if fields[name]:
            etree.SubElement(result, name).text = fields[name]
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def fault(kind: str, code: str, words: str | None = None) -> bytes:
    """One of the four faults of the service. Its `descriptif` and `message` are empty, as in real ones."""
    envelope, body = _envelope()
    outer = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    etree.SubElement(outer, "faultcode").text = "S:Server"
    etree.SubElement(outer, "faultstring").text = JAVA + kind
    said = etree.SubElement(etree.SubElement(outer, "detail"), f"{{{SERVICE}}}{kind}", nsmap={"ns2": SERVICE})
    etree.SubElement(said, "code").text = code
    etree.SubElement(said, "descriptif")
    etree.SubElement(said, "libelle").text = (
        WORDS.get(code, "Service indisponible") if words is None else words
    )
    etree.SubElement(said, "message")
    etree.SubElement(said, "severite").text = "2"
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def misunderstood(words: str) -> bytes:
    """The answer of the SOAP layer to a malformed request: a client fault without detail."""
    envelope, body = _envelope()
    outer = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    etree.SubElement(outer, "faultcode").text = "S:Client"
    etree.SubElement(outer, "faultstring").text = words
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _envelope() -> tuple[Any, Any]:
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"S": ENVELOPE})
    return envelope, etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
