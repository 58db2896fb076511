"""The report of a list of towns, as a table for a spreadsheet (CSV)."""

from collections.abc import Iterable, Iterator
from typing import IO

from shared_apps.console.townlist.columns import COLUMNS
from shared_apps.console.townlist.outcomes import Outcome, What
from tenants.hosts import registry
from tenants.life.services import host_of
from toolkit.sheets import Sheet

TITLES = ("Ligne", "Adresse", "Nom", "Résultat", "Portail", "Détail")
SAMPLE = (
    tuple(column.label for column in COLUMNS if column.field != "shard"),
    (
        *("pechabou", "Pechabou", "Commune de Pechabou", "213104060", "31411"),
        *("regie@pechabou.example.org", "responsable@pechabou.example.org", "Régie cantine", "001964"),
    ),
)
_SERVED = (What.OPENED, What.THERE)


def rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[object, ...]]:
    """The lines of the report, under `TITLES`."""
    for one in outcomes:
        portal = registry.address(host_of(one.slug)) if one.what in _SERVED else ""
        yield one.number, one.slug, one.name, one.label, portal, one.words.replace("\n", " ")


def write(file: IO[bytes], outcomes: Iterable[Outcome]) -> None:
    """Write the report to `file`, which stays open."""
    sheet = Sheet(file)
    sheet.line(TITLES)
    for row in rows(outcomes):
        sheet.line(row)
    sheet.end()


def summary(counts: dict[str, int]) -> str:
    """« 97 ouvertes, 2 déjà là, 1 refusée »."""
    words = {
        What.NEW: ("à ouvrir", "à ouvrir"),
        What.OPENED: ("ouverte", "ouvertes"),
        What.THERE: ("déjà là", "déjà là"),
        What.REFUSED: ("refusée", "refusées"),
        What.WAITING: ("à reprendre", "à reprendre"),
    }
    said = [
        f"{counts[what]} {one if counts[what] < 2 else many}"
        for what, (one, many) in words.items()
        if counts.get(what)
    ]
    return ", ".join(said) or "aucune commune"
