"""The protocols that a product can be paid with. The room of payments registers its providers here."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

NONE = "none"  # the protocol of a product that is not paid online


class Taker(NamedTuple):
    """A provider that a product may have. `problem(number)` says what is wrong with a number, empty if nothing."""

    name: str
    label: str
    problem: Callable[[str], str]


_sources: list[Callable[[], Iterable[Taker]]] = []


def register(source: Callable[[], Iterable[Taker]]) -> None:
    """Set the function that returns the providers of this deployment."""
    _sources.append(source)


def choices() -> list[tuple[str, str]]:
    """The protocols that a product may have."""
    return [*((taker.name, taker.label) for taker in _takers()), (NONE, _("pas de paiement en ligne"))]


def first() -> str:
    """The protocol of a product that has a number, unless somebody chose another one; NONE when there is none."""
    return next((taker.name for taker in _takers()), NONE)


def problem(protocol: str, number: str) -> str:
    """What is wrong with `number` for a product of `protocol`, as a sentence; empty if nothing is."""
    found = next((taker for taker in _takers() if taker.name == protocol), None)
    return found.problem(number) if found else ""


def _takers() -> list[Taker]:
    return [taker for source in _sources for taker in source()]
