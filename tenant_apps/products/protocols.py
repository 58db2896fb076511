"""Who can take the money of a product online. The room of payments names them; this one knows none of them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

NONE = "none"  # of a product that is not paid online


class Taker(NamedTuple):
    """One of them: `problem(number)` says what is wrong with a product's number there, empty when it is fine."""

    name: str
    label: str
    problem: Callable[[str], str]


_sources: list[Callable[[], Iterable[Taker]]] = []


def register(source: Callable[[], Iterable[Taker]]) -> None:
    """`source()` gives those of the deployment, whenever they are wanted."""
    _sources.append(source)


def choices() -> list[tuple[str, str]]:
    """The protocols that a product may have."""
    return [*((taker.name, taker.label) for taker in _takers()), (NONE, _("pas de paiement en ligne"))]


def problem(protocol: str, number: str) -> str:
    """What is wrong with `number` for a product of `protocol`, in words."""
    found = next((taker for taker in _takers() if taker.name == protocol), None)
    return found.problem(number) if found else ""


def _takers() -> list[Taker]:
    return [taker for source in _sources for taker in source()]
