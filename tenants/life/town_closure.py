"""A town leaves: it is served until its announced last day, then closed (docs/decisions/0015)."""

import logging
from datetime import datetime, time, timedelta

from django.utils import timezone

from tenants import facts
from tenants.current import registry
from tenants.errors import TownError, WrongState
from tenants.life import services
from tenants.models import Town
from tenants.states import TownState
from toolkit import clock

LONGEST = 365  # days
# No payment or publication starts in the last hours: what has started must have time to end.
LAST_CALL = timedelta(days=1)
log = logging.getLogger(__name__)


def close_town(*, town: Town, days: int, reason: str, actor: facts.Actor = facts.SYSTEM) -> Town:
    """The town closes at the end of the day, in France, that is `days` from today. Instant.

    Until then `resume_town` cancels it. Asking again for the same day changes nothing. Raises TownError.
    """
    if not 1 <= days <= LONGEST:
        raise TownError(f"Le délai de fermeture est de 1 à {LONGEST} jours.")
    if not reason.strip():
        raise TownError("Indiquez le motif de la fermeture : il reste dans le journal.")
    closes_at = datetime.combine(clock.today() + timedelta(days=days + 1), time(0), clock.PARIS)
    closing = services.set_state(
        town=town, to=TownState.CLOSING, actor=actor, reason=reason.strip(), closes_at=closes_at
    )
    if closing.closes_at != closes_at:
        raise WrongState(
            f"{closing.name} ferme déjà à la fin du {closing.last_day:%d/%m/%Y} : "
            "rouvrez-la avant de choisir une autre date."
        )
    return closing


def is_last_call(town: Town) -> bool:
    """Whether nothing new may start because the town is about to close."""
    return town.state == TownState.CLOSING and (
        town.closes_at is None or town.closes_at - LAST_CALL <= timezone.now()
    )


def sweep() -> int:
    """Close the towns whose last day is over. Beat calls it; one query on the few closing towns."""
    with registry():
        over = list(Town.objects.filter(state=TownState.CLOSING, closes_at__lte=timezone.now()))
    closed = 0
    for town in over:
        try:
            services.set_state(town=town, to=TownState.CLOSED, reason="le délai est écoulé")
            closed += 1
        except WrongState:  # it was resumed meanwhile
            log.info("a town that was to close has been resumed")
    return closed
