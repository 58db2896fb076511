"""The life of an operation (docs/payfip.md §2): 15 minutes to be opened, once; kept until the night, or a year."""

from datetime import datetime, time, timedelta
from typing import Any

from toolkit.clock import PARIS

Operation = dict[str, Any]
OPEN_WITHIN = 15 * 60  # seconds: an idOp not opened by then never will be
AT_WORK = 2 * 3600  # a payer may be on the bank's page that long: the purge keeps such an operation
READABLE = 365 * 24 * 3600  # seconds, for operations that reached the card or debit provider
PURGE = time(3, 0)  # Paris
NIGHT_NOTIFICATION = time(2, 30)


def next_time(of_day: time, after: float) -> float:
    """The first time after a moment when it is `of_day` in Paris."""
    moment = datetime.fromtimestamp(after, PARIS)
    day = moment.date()
    while (found := datetime.combine(day, of_day, PARIS).timestamp()) <= after:
        day += timedelta(days=1)
    return found


def forgotten_at(operation: Operation) -> float:
    """When the service forgets it: at night, or after a year if it has a result."""
    if operation["result"]:
        return float(operation["finished"]) + READABLE
    return next_time(PURGE, float(operation["opened"] or operation["created"]) + AT_WORK)


def opening(operation: Operation | None, now: float) -> str:
    """The code with which the payer's browser is refused; empty when it may enter."""
    if operation is None or now >= forgotten_at(operation):
        return "P1"
    if operation["opened"]:
        return "P3"
    return "P4" if now - operation["created"] > OPEN_WITHIN else ""


def reading(operation: Operation | None, now: float, behaviour: dict[str, Any]) -> str:
    """The code with which a look-up is refused; empty when there is a result."""
    if operation is None or operation["kind"] != "payfip" or now >= forgotten_at(operation):
        return "P1"
    if operation["result"]:
        return ""
    if operation["opened"]:
        return str(behaviour["opened"])
    return str(behaviour["too_late"]) if now - operation["created"] > OPEN_WITHIN else "P5"


PHASES = {"P": "payé par carte", "V": "payé par prélèvement", "R": "carte refusée", "Z": "prélèvement refusé"}


def phase(operation: Operation, now: float) -> str:
    """Its phase, in words."""
    result = operation["result"]
    if now >= forgotten_at(operation):
        return "oublié (P1)"
    if result:
        return PHASES.get(result) or ("abandonné" if result == "A" else f"résultat inconnu « {result} »")
    if operation["opened"]:
        return "le payeur est sur la page"
    return "trop tard pour l'ouvrir (P4)" if now - operation["created"] > OPEN_WITHIN else "pas encore ouvert"
