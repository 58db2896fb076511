"""The life of an operation (docs/payfip.md §2).

Its page can be opened once, within 15 minutes. The operation is kept until the night, or one year with a result.
"""

from datetime import datetime, time, timedelta
from typing import Any

from toolkit.clock import PARIS

Operation = dict[str, Any]
OPEN_WITHIN = 15 * 60  # seconds in which the page can be opened
AT_WORK = 2 * 3600  # seconds that a payer may need on the bank's page: the purge keeps younger operations
READABLE = 365 * 24 * 3600  # seconds that an operation with a result is kept
PURGE = time(3, 0)  # in Paris
NIGHT_NOTIFICATION = time(2, 30)


def next_time(of_day: time, after: float) -> float:
    """The first moment after `after` when it is `of_day` in Paris; both are Unix times."""
    moment = datetime.fromtimestamp(after, PARIS)
    day = moment.date()
    while (found := datetime.combine(day, of_day, PARIS).timestamp()) <= after:
        day += timedelta(days=1)
    return found


def forgotten_at(operation: Operation) -> float:
    """When the service deletes the operation: at night, or after a year if it has a result."""
    if operation["result"]:
        return float(operation["finished"]) + READABLE
    return next_time(PURGE, float(operation["opened"] or operation["created"]) + AT_WORK)


def opening(operation: Operation | None, now: float) -> str:
    """The code that refuses to open the payment page; empty when the page opens."""
    if operation is None or now >= forgotten_at(operation):
        return "P1"
    if operation["opened"]:
        return "P3"
    return "P4" if now - operation["created"] > OPEN_WITHIN else ""


def reading(operation: Operation | None, now: float, behaviour: dict[str, Any]) -> str:
    """The fault code of a look-up; empty when there is a result."""
    if operation is None or operation["kind"] != "payfip" or now >= forgotten_at(operation):
        return "P1"
    if operation["result"]:
        return ""
    if operation["opened"]:
        return str(behaviour["opened"])
    return str(behaviour["too_late"]) if now - operation["created"] > OPEN_WITHIN else "P5"


PHASES = {"P": "payé par carte", "V": "payé par prélèvement", "R": "carte refusée", "Z": "prélèvement refusé"}


def phase(operation: Operation, now: float) -> str:
    """The phase of an operation, in words."""
    result = operation["result"]
    if now >= forgotten_at(operation):
        return "oublié (P1)"
    if result:
        return PHASES.get(result) or ("abandonné" if result == "A" else f"résultat inconnu « {result} »")
    if operation["opened"]:
        return "le payeur est sur la page"
    return "trop tard pour l'ouvrir (P4)" if now - operation["created"] > OPEN_WITHIN else "pas encore ouvert"
