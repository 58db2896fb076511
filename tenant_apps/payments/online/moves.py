"""The one setter of an attempt's state, and its history. A trigger refuses what is not an edge (migration 0005)."""

from collections.abc import Mapping
from itertools import islice

from django.utils import timezone

from tenant_apps.payments.errors import ForbiddenMove
from tenant_apps.payments.models import Attempt, AttemptEvent
from tenant_apps.payments.online.writing import Statement, inserted, updated, write
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.states import EDGES, LIVE, AttemptState

MOST, LONGEST = 40, 500  # fields of an answer that are kept, and characters of each
# What an answer may change of an attempt. The frozen request is not among them.
CHANGING = (
    *("state", "reason", "outcome", "answer", "abandoned_seen_at", "operation"),
    *("started_at", "free_at", "next_check_at", "checks", "settled_at"),
)


def move(
    attempt: Attempt, to: AttemptState, *, source: str, reason: str = "", raw: Mapping[str, str] | None = None
) -> None:
    """Take a locked attempt along an edge and write it down. Raises ForbiddenMove: PAID is never overwritten."""
    write(*moved(attempt, to, source=source, reason=reason, raw=raw))


def moved(
    attempt: Attempt, to: AttemptState, *, source: str, reason: str = "", raw: Mapping[str, str] | None = None
) -> tuple[Statement, Statement]:
    """The same, for a caller who writes it together with what follows from it."""
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
    """Keep something that was not applied, as evidence. `note` is read by staff."""
    AttemptEvent.objects.create(
        attempt=attempt,
        source=source,
        old=attempt.state,
        new=attempt.state,
        note=note[:300],
        raw=evidence(attempt, raw),
    )


def bounded(raw: Mapping[str, str]) -> dict[str, str]:
    """An answer as rows keep it, whatever a provider says."""
    return {name[:LONGEST]: str(value)[:LONGEST] for name, value in islice(raw.items(), MOST)}


def evidence(attempt: Attempt, raw: Mapping[str, str] | None) -> dict[str, str]:
    """What was said of an attempt, as it is kept: bounded, and without the address of a payer who was erased."""
    kept = bounded(raw or {})
    if attempt.email:
        return kept
    personal = provider(attempt.provider).personal_fields
    return {name: value for name, value in kept.items() if name not in personal}
