"""What became of each town of a list, and what the registry says of it before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import TextChoices

from shared_apps.console.townlist.reading import Line, Problem
from tenants.current import registry as in_registry
from tenants.life.services import host_of
from tenants.models import Domain, Town
from tenants.states import TownState
from toolkit.reading.fields import fold


class What(TextChoices):
    """What became of a line."""

    NEW = "new", "à ouvrir"
    OPENED = "opened", "ouverte"
    THERE = "there", "déjà là"
    REFUSED = "refused", "refusée"
    WAITING = "waiting", "à reprendre"


BAD = (What.REFUSED, What.WAITING)  # somebody must still do something


@dataclass(frozen=True)
class Outcome:
    """Of one line: `words` say why, or what to do, a mistake a line; they are empty for a town that was opened."""

    number: int
    slug: str
    name: str
    what: str
    words: str = ""

    @property
    def label(self) -> str:
        """In French."""
        return str(What(self.what).label)


def of_line(line: Line, what: What, words: str = "") -> Outcome:
    """An outcome of a line that could be read."""
    return Outcome(line.number, line.new.slug, line.new.name, what.value, words)


def of_problems(problems: Iterable[Problem]) -> Iterator[Outcome]:
    """A refusal for each line that could not be read, with all that is wrong on it."""
    by_line: dict[int, list[Problem]] = {}
    for problem in problems:
        by_line.setdefault(problem.number, []).append(problem)
    for number, found in by_line.items():
        words = "\n".join(f"{one.words[:1].upper()}{one.words[1:]}" for one in found)
        yield Outcome(number, found[0].slug, found[0].name, What.REFUSED.value, words)


def counts_of(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many lines ended in each way."""
    counts = {what.value: 0 for what in What}
    for one in outcomes:
        counts[one.what] += 1
    return counts


def expected(lines: Iterable[Line]) -> list[Outcome]:
    """What the registry says of each line now: to be opened, there already, or refused. Three statements."""
    lines = list(lines)
    slugs = [line.new.slug for line in lines]
    sirens = [line.new.siren for line in lines if line.new.siren]
    with in_registry():
        towns = {town.slug: town for town in Town.objects.filter(slug__in=slugs)}
        hosts = Domain.objects.filter(domain__in=map(host_of, slugs)).select_related("tenant")
        holders = {domain.domain: domain.tenant for domain in hosts}
        of_siren: dict[str, list[Town]] = {}
        for town in Town.objects.filter(siren__in=sirens):
            of_siren.setdefault(town.siren, []).append(town)
    return [_expected(line, towns, holders, of_siren) for line in lines]


def _expected(
    line: Line, towns: dict[str, Town], holders: dict[str, Town], of_siren: dict[str, list[Town]]
) -> Outcome:
    new, town = line.new, towns.get(line.new.slug)
    if town is not None and town.state != TownState.OPENING:
        if _is_same(line, town):
            return of_line(line, What.THERE, f"Elle est {town.get_state_display()} : rien n'a été changé.")
        return of_line(
            line,
            What.REFUSED,
            f"L'adresse « {new.slug} » est celle de {_said(town)} : donnez une autre adresse à {new.name}, ou "
            "corrigez son nom ou son SIREN.",
        )
    holder = holders.get(host_of(new.slug))
    if holder is not None and holder.slug != new.slug:
        return of_line(
            line,
            What.REFUSED,
            f"L'adresse « {new.slug} » a été celle de {_said(holder)} et y redirige : donnez une autre adresse.",
        )
    others = [other for other in of_siren.get(new.siren, []) if other.slug != new.slug] if new.siren else []
    if others:
        return of_line(
            line,
            What.REFUSED,
            f"Le SIREN {new.siren} est celui de {_said(others[0])}, à l'adresse « {others[0].slug} » : "
            "vérifiez le SIREN, ou ôtez cette ligne.",
        )
    return of_line(line, What.NEW)


def _is_same(line: Line, town: Town) -> bool:
    """Whether the town at that address is the one of the line: the same SIREN, or else the same name."""
    if line.new.siren and town.siren:
        return line.new.siren == town.siren
    return fold(line.new.name) == fold(town.name)


def _said(town: Town) -> str:
    return f"{town.name} (SIREN {town.siren})" if town.siren else town.name
