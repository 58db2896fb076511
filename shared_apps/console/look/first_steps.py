"""The first steps of a town as the operator sees them: the same lines as its staff, with the console's own pages."""

from typing import NamedTuple

from django.urls import reverse

from tenant_apps.firstday.lines import Line, State
from tenants.models import Town

# The pages of the console where a line is looked after; the other steps are the town's alone.
PAGES = {"regies": "products", "going-live": "products", "team": "town-team"}
TONES = {State.DONE: "ok", State.TODO: "warn", State.WAITING: ""}


class Step(NamedTuple):
    """One line; `address` is empty where the console has no page for it."""

    line: Line
    address: str
    word: str
    tone: str


def shown(town: Town, lines: list[Line]) -> list[Step]:
    """Each line with its page and its word."""
    return [Step(line, _address(town, line), _word(line), TONES[line.state]) for line in lines]


def _address(town: Town, line: Line) -> str:
    route = PAGES.get(line.leads_to)
    return reverse(f"admin:{route}", args=[town.slug]) if route else ""


def _word(line: Line) -> str:
    if line.state == State.WAITING:
        return f"en attente {line.waits_for}"
    return "fait" if line.is_done else "à faire"
