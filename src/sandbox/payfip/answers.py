"""What the Treasury says of a finished operation, on SOAP and on TIPI's return."""

from datetime import datetime
from typing import Any

from toolkit.clock import PARIS


def detail(operation: dict[str, Any]) -> dict[str, str]:
    """The fields of recupererDetailPaiementSecurise: numauto is absent on R and A."""
    asked = operation["fields"]
    moment = datetime.fromtimestamp(operation["finished"], PARIS)
    known = ("exer", "mel", "montant", "numcli", "objet", "refdet", "saisie")
    return {
        **{name: asked.get(name, "") for name in known},
        "idOp": operation["idop"],
        "dattrans": f"{moment:%d%m%Y}",
        "heurtrans": f"{moment:%H%M}",
        "numauto": operation["numauto"] if operation["result"] not in "RA" else "",
        "resultrans": operation["result"],
    }
