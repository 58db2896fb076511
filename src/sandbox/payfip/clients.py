"""The clients of the service, by their number (numcli): their labels at the Treasury, and what they may do."""

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.payfip.store import Store

MODES = {
    "T": "essai",
    "X": "activation",
    "W": "production (service web)",
    "A": "production (TIPI)",
    "M": "autre mode de TIPI",
}
ALL_MODES = "".join(MODES)
REFUSALS = {"": "ouvert", "T1": "incorrect (T1)", "T2": "inconnu (T2)", "T4": "fermé (T4)"}


@dataclass(frozen=True)
class Client:
    """A client. `modes`: the values of `saisie` it may use. `refused`: the code that refuses all its requests."""

    numcli: str
    lines: tuple[str, str, str]
    modes: str = ALL_MODES
    refused: str = ""


BUILT_IN = {
    client.numcli: client
    for client in (
        Client("001964", ("MAIRIE DE DEMONSTRATION", "REGIE CANTINE ET PERISCOLAIRE", "DEMONSTRATION")),
        Client("001965", ("COMMUNE DE PECHABOU", "REGIE EAU", "PECHABOU")),
        Client("001966", ("MAIRIE DE DEMONSTRATION", "BUDGET EAU", "DEMONSTRATION")),
        Client("999901", ("NUMERO INCORRECT", "", ""), refused="T1"),
        Client("999902", ("NUMERO INCONNU", "", ""), refused="T2"),
        Client("999904", ("NUMERO FERME", "", ""), refused="T4"),
        Client("999911", ("COLLECTIVITE EN ESSAI", "REGIE", ""), modes="T"),
        Client("999912", ("COLLECTIVITE EN ACTIVATION", "REGIE", ""), modes="TX"),
    )
}


def read(numcli: str, given: dict[str, Any]) -> Client:
    """Read a client from a form or from the API. Raises ValueError with a sentence."""
    if not re.fullmatch(r"[0-9]{6}", numcli):
        raise ValueError("Un identifiant de collectivité a six chiffres.")
    lines = [str(line).strip()[:60] for line in given.get("lines") or ()][:3]
    modes = str(given.get("modes", ALL_MODES))
    refused = str(given.get("refused", ""))
    if set(modes) - set(MODES) or refused not in REFUSALS:
        raise ValueError("Les modes sont parmi T, X, W, A, M ; le refus parmi T1, T2, T4 ou rien.")
    first, second, third = [*lines, "", "", ""][:3]
    return Client(numcli, (first or f"COLLECTIVITE {numcli}", second, third), modes, refused)


def every(store: "Store") -> list[Client]:
    """All clients. Configured clients replace built-in ones of the same number."""
    known = {**BUILT_IN, **{numcli: read(numcli, given) for numcli, given in store.clients().items()}}
    return [known[numcli] for numcli in sorted(known)]


def check(store: "Store", numcli: str, saisie: str = "") -> tuple[Client | None, str]:
    """(the client of a number or None, the code that refuses it or this `saisie`, empty if it is accepted)."""
    if not re.fullmatch(r"[0-9]{6}", numcli):
        return None, "T1"
    found = next((client for client in every(store) if client.numcli == numcli), None)
    if found is None and store.behaviour()["unlisted"] == "unknown":
        return None, "T2"
    found = found or read(numcli, {"lines": ["", "REGIE"]})
    if found.refused:
        return None, found.refused
    return found, "T4" if saisie in MODES and saisie not in found.modes else ""


def as_json(client: Client) -> dict[str, Any]:
    """The client as the API shows it."""
    return asdict(client)
