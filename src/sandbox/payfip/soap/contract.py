"""The contract of the service: it is served on `?wsdl` and compared with each request.

The real service ignores a misspelt tag without a word. So does the simulator, but it stores what the schema
reports: people can see it, and tests assert that there is nothing.
"""

from functools import cache
from threading import Lock
from typing import Any

from lxml import etree

from tenant_apps.payments.providers.payfip.contract import CONTRACT

SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/"
    "contrat_paiement_securise/PaiementSecuriseService"
)
REAL = "https://www.payfip.gouv.fr/tpa/services/securite"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_reading = Lock()  # a validator keeps the errors of its last document, so one thread at a time uses it


def wsdl(address: str) -> str:
    """The contract, with `address` instead of the Treasury's address."""
    return CONTRACT.read_text(encoding="utf-8").replace(REAL, address)


@cache
def _validator() -> Any:
    """The validator of requests. lxml needs one schema document that imports the others."""
    schemas = etree.parse(str(CONTRACT)).iter(f"{_XS}schema")
    by_target = {schema.get("targetNamespace"): etree.tostring(schema) for schema in schemas}

    class Resolver(etree.Resolver):
        def resolve(self, url: str, _id: str, context: Any) -> Any:
            return self.resolve_string(by_target[url], context)

    parser = etree.XMLParser()
    parser.resolvers.add(Resolver())
    main = etree.fromstring(by_target[SERVICE], parser)
    for imported in main.iter(f"{_XS}import"):
        imported.set("schemaLocation", imported.get("namespace"))
    return etree.XMLSchema(etree.fromstring(etree.tostring(main), parser))


def warnings(call: Any) -> list[str]:
    """What the schema does not know in a call (the child of the SOAP Body); empty for a valid call."""
    with _reading:
        validator = _validator()
        if validator.validate(call):
            return []
        return [str(error.message)[:300] for error in validator.error_log]
