"""The fields that the Treasury answers about a finished operation, by SOAP and in TIPI's return."""

from datetime import datetime
from typing import Any

from toolkit.clock import PARIS

KNOWN = ("exer", "mel", "montant", "numcli", "objet", "refdet", "saisie")


def detail(operation: dict[str, Any], behaviour: dict[str, Any]) -> dict[str, str]:
    """The fields of recupererDetailPaiementSecurise, changed as the knobs or the operation say.

    `numauto` is absent for the results R and A. An empty field is not sent.
    """
    asked = operation["fields"]
    moment = datetime.fromtimestamp(operation["finished"], PARIS)
    found = {
        **{name: asked.get(name, "") for name in KNOWN},
        "idOp": operation["idop"],
        "dattrans": f"{moment:%d%m%Y}",
        "heurtrans": f"{moment:%H%M}",
        "numauto": operation["numauto"],
        "resultrans": operation["result"],
    }
    if behaviour["exer"] == "short":
        found["exer"] = found["exer"][:2]
    if behaviour["dattrans"] == "missing":
        found["dattrans"] = found["heurtrans"] = ""
    elif behaviour["dattrans"] == "odd":
        found["dattrans"], found["heurtrans"] = f"{moment:%Y-%m-%d}", f"{moment:%H}h"
    return {**found, **operation["changes"]}
