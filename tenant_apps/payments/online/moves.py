"""The only code that sets the state of an attempt and writes its events.

A trigger (migration 0002) refuses a change of state that is not in `states.EDGES`.
"""

from collections.abc import Mapping
from itertools import islice

from django.utils import timezone

from tenant_apps.payments.errors import ForbiddenMove
from tenant_apps.payments.models import Attempt, AttemptEvent
from tenant_apps.payments.online.writing import Statement, inserted, updated, write
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.states import EDGES, LIVE, AttemptState

MOST, LONGEST = 40, 500  # how many fields of an answer are kept, and how many characters of each
# The columns that an answer may change. The columns of the request are not among them.
CHANGING = (
    *("state", "reason", "outcome", "answer", "abandoned_seen_at", "operation"),
    *("started_at", "free_at", "next_check_at", "checks", "settled_at"),
)


def move(
    attempt: Attempt, to: AttemptState, *, source: str, reason: str = "", raw: Mapping[str, str] | None = None
) -> None:
    """Change the state of a locked attempt and save it with an event. Raises ForbiddenMove: PAID never changes."""
    write(*moved(attempt, to, source=source, reason=reason, raw=raw))


def moved(
    attempt: Attempt, to: AttemptState, *, source: str, reason: str = "", raw: Mapping[str, str] | None = None
) -> tuple[Statement, Statement]:
    """The statements of `move`, for a caller that sends them together with others."""
    old = AttemptState(attempt.state)
    if (old, to) not in EDGES:
        raise ForbiddenMove(f"{old} → {to}")
    attempt.state, attempt.reason = to, reason
    if to not in LIVE:
        attempt.settled_at = timezone.now()
    event = AttemptEvent(
        attempt=attempt, source=source, old=old, new=to, note=reason[:300], raw=evidence(attempt, raw)
    )
    return updated(attempt, CHANGING), inserted(event)


def note(attempt: Attempt, *, source: str, note: str, raw: Mapping[str, str] | None = None) -> None:
    """Keep an answer that was not applied, as evidence. Staff read `note`."""
    AttemptEvent.objects.create(
        attempt=attempt,
        source=source,
        old=attempt.state,
        new=attempt.state,
        note=note[:300],
        raw=evidence(attempt, raw),
    )


def bounded(raw: Mapping[str, str]) -> dict[str, str]:
    """An answer cut to MOST fields and LONGEST characters per name and value."""
    return {name[:LONGEST]: str(value)[:LONGEST] for name, value in islice(raw.items(), MOST)}


def evidence(attempt: Attempt, raw: Mapping[str, str] | None) -> dict[str, str]:
    """An answer about an attempt as we keep it: cut to a size, and without the address of an erased payer."""
    kept = bounded(raw or {})
    if attempt.email:
        return kept
    personal = provider(attempt.provider).personal_fields
    return {name: value for name, value in kept.items() if name not in personal}
