"""The life of a town, as data: (from, to) → why."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TownState(models.TextChoices):
    """A town answers residents, and its work is done, only in the states `SERVED`."""

    OPENING = "opening", _("en cours d'ouverture")
    OPEN = "open", _("ouverte")
    SUSPENDED = "suspended", _("suspendue")
    CLOSING = "closing", _("en cours de fermeture")
    CLOSED = "closed", _("fermée")


SERVED = (TownState.OPEN, TownState.CLOSING)
EDGES: dict[tuple[TownState, TownState], str] = {
    (TownState.OPENING, TownState.OPEN): "its schema is complete",
    (TownState.OPENING, TownState.SUSPENDED): "it came back from an archive, to be looked at first",
    (TownState.OPENING, TownState.CLOSED): "its opening is given up; it is being erased",
    (TownState.OPEN, TownState.SUSPENDED): "the operator pauses it; nothing is lost",
    (TownState.SUSPENDED, TownState.OPEN): "the operator resumes it",
    (TownState.OPEN, TownState.CLOSING): "the town leaves; a delay runs",
    (TownState.SUSPENDED, TownState.CLOSING): "the town leaves; a delay runs",
    (TownState.SUSPENDED, TownState.CLOSED): "it is being erased",
    (TownState.CLOSING, TownState.OPEN): "the town changes its mind before the delay ends",
    (TownState.CLOSING, TownState.CLOSED): "the delay is over",
}
